import ArgumentParser
import Foundation
import MedicalImaging
import Norma

/// `norma score`.
struct ScoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score", abstract: "Scores images with a trained detector.",
    discussion: """
      Writes one line per image: name, score, standard deviations above normal, probability (the logistic function of
      these), and whether the score exceeds the threshold learned from normal images. A file that cannot be read is
      reported and the rest is scored (exit code 65).

      Examples:
        norma score image.png --checkpoint runs/chest/model.safetensors
        norma score folder --checkpoint runs/chest/model.safetensors --csv scores.csv --maps maps
        norma score folder --checkpoint runs/chest/model.safetensors --sheet sheet.svg
        norma score folder --checkpoint runs/chest/model.safetensors --json
        norma score study --checkpoint runs/chest/model.safetensors --dicom results
      """)

  @Argument(
    help: """
      Image files (PNG, JPEG, TIFF, DICOM, NumPy), volumes (NIfTI, DICOM, NumPy), folders of them, or a manifest (.csv, .tsv).
      """
  )
  var images: [String]

  @Option(name: .shortAndLong, help: "The trained detector.")
  var checkpoint: String

  @Option(help: "Write the table to this CSV file instead of standard output.")
  var csv: String?

  @Option(
    help: """
      Write anomaly maps into this folder: over the images, as PNG in each image's size; of volumes the values, as NIfTI in \
      each volume's own order and geometry.
      """)
  var maps: String?

  @Option(
    help: """
      Write, for DICOM sources, DICOM files into this folder: every map over the image (Secondary Capture), and its values \
      (Parametric Map). They go back to the archive and therefore carry the patient's identity: treat them as the images.
      """)
  var dicom: String?

  @Option(help: "Write a sheet with a row per image or volume to this SVG file: input, reconstruction, every map.")
  var sheet: String?

  @Option(
    help: """
      Images that are scored at once: a number, or auto for the fastest that fits into memory. By default what suits the \
      method. Scores may differ in their last digits.
      """)
  var batch: BatchSize?

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let console = common.console
    let device = try common.resolvedDevice()
    let trained = try Checkpoint(contentsOf: URL(fileURLWithPath: checkpoint))
    let scorer = try Scorer(checkpoint: trained, device: device, precision: common.resolvedPrecision(on: device))
    let found = try ImageDataSet.files(at: images)
    let items = (scorer.specification.isVolume ? found.gatheringSeries() : found).items
    for file in [csv, sheet].compactMap({ $0 }) { try OutputFolder.make(for: URL(fileURLWithPath: file)) }
    let explains = maps != nil || sheet != nil || dicom != nil
    if let choice = try scorer.setBatchSize(batch, images: items.count, explains: explains) {
      console.say("norma: --batch auto: \(choice)")
    }
    var table = ScoreLines(isJSON: common.json)
    var pictures = CaseSheet()
    let names = MapFiles.names(of: items)
    let reading = scorer.reading
    let files = ResultFiles(
      maps: maps, dicom: dicom.map { DICOMFiles(folder: $0, detector: trained.metadata) }, reading: reading,
      isOne: items.count == 1)
    var isWhole = true
    func tell(_ notices: [ResultFiles.Notice]) {
      for notice in notices {
        console.say("norma: \(notice.text)")
        if notice.isFailure { isWhole = false }
      }
    }
    let outcome = Result {
      try scorer.score(
        files: items, explains: explains, allScores: common.json,
        tell: { notice in
          switch notice {
          case .failure(let reason): tell([.init(text: "\(reason)", isFailure: true)])
          case .remark(let remark): tell([.init(text: "warning: \(remark)")])
          }
        }, progress: console.show
      ) { result in
        try table.add(result)
        let name = names[result.item.path] ?? result.item.name
        if sheet != nil { try pictures.add(result, named: name, from: reading) }
        try tell(files.write(result, named: name))
      }
    }
    if let warning = scorer.warning { console.say("norma: warning: \(warning)") }
    try tell(files.finish())  // also of what was scored before something went wrong
    try outcome.get()
    try table.finish(to: csv)
    if let sheet { try pictures.write(to: URL(fileURLWithPath: sheet)) }
    if !isWhole { throw ExitCode(Failure.badData) }
  }
}
