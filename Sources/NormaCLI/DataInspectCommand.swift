import ArgumentParser
import Foundation
import MedicalImaging
import Norma

/// `norma data inspect`.
struct DataInspectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Reads every file of a data set and tells what is there.",
    discussion: """
      Counts, sizes, spacings, bit depths, formats and transfer syntaxes, intensities, images that are stored twice, patients
      in several splits, masks that do not fit, and files that cannot be read (exit code 65). File names and patients are
      shown with --show-names only.

      Examples:
        norma data inspect chest_xray
        norma data inspect chest_xray --contact-sheet sheet.png --show-names
        norma data inspect CheXpert-v1.0-small --as chexpert --uncertain ones --json
        norma data inspect mvtec --part bottle
      """)

  @Argument(help: "A data set: its folder, a manifest (.csv, .tsv) or a NumPy archive (.npz); or any folder of images.")
  var data: String

  @Option(
    name: .customLong("as"),
    help: "The published data set that it is: \(PublishedDataSet.allCases.map(\.rawValue).joined(separator: ", ")).")
  var published: String?

  @Option(help: "The part of a published data set to look at, for example an object of MVTec AD.")
  var part: String?

  @Option(help: "The class that is normal, or the labels of a NumPy archive.")
  var normalClass: String?

  @Option(
    help:
      "What uncertain findings of CheXpert mean: \(UncertainFindings.allCases.map(\.rawValue).joined(separator: ", "))."
  )
  var uncertain: String?

  @Flag(help: "Take each folder of DICOM slices for one volume.")
  var volumes = false

  @Option(help: "Write small pictures of every split and label to this PNG file.")
  var contactSheet: String?

  @Flag(help: "Show names of files and patients.")
  var showNames = false

  @Option(help: "Files that are read at a time. By default one per processor.")
  var workers: Int?

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  @Flag(help: "Show no progress.")
  var quiet = false

  func validate() throws {
    if let workers, workers < 1 { throw ValidationError("--workers must be 1 or more.") }
    if let uncertain, UncertainFindings(rawValue: uncertain) == nil {
      throw ValidationError(
        "--uncertain is one of \(UncertainFindings.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
  }

  func run() async throws {
    let console = Console(isQuiet: quiet || json)
    let set = try dataSet()
    let sheet = contactSheet.map { URL(fileURLWithPath: $0) }
    if let sheet { try OutputFolder.make(for: sheet) }
    let inspection = try await DataInspection(of: set, workers: workers) { done in
      console.show(WorkProgress("looking at", done: done, total: set.items.count, unit: "images"))
    }
    let pictures = try sheet.map { try InspectionSheet(of: inspection).write(to: $0) }
    let report = InspectionReport(of: inspection, showsNames: showNames)
    if json { try printJSON(report.object) } else { print(report.text) }
    if let pictures, let contactSheet {
      console.say("contact sheet: \(contactSheet); its rows: \(pictures.joined(separator: "; "))")
    }
    if !inspection.failures.isEmpty { throw ExitCode(Failure.badData) }
  }

  /// The data set, or the files in a folder that is laid out as none.
  private func dataSet() throws -> ImageDataSet {
    let set: ImageDataSet
    do {
      set = try ImageDataSet.open(
        data, as: published.map { try PublishedDataSet(named: $0) }, normalClass: normalClass, part: part,
        uncertain: uncertain.flatMap(UncertainFindings.init) ?? .ignore)
    } catch DataSetError.noSplits where published == nil {
      set = try ImageDataSet.files(at: [data])
    } catch DataSetError.noFolder where FileManager.default.fileExists(atPath: data) {
      set = try ImageDataSet.files(at: [data])
    }
    return volumes ? set.gatheringSeries() : set
  }
}
