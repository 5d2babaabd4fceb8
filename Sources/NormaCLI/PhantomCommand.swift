public import ArgumentParser
import Foundation
import Norma
public import Phantoms

/// `norma phantom`.
struct PhantomCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "phantom", abstract: "Writes a data set of synthetic images or volumes with lesions and their masks.",
    discussion: """
      Chest radiographs as PNG files, or whole-body PET volumes with the CT below paired/ as NIfTI files. The same seed gives
      the same images. Lesions of radiographs: \(ChestPhantom.Lesion.allCases.map(\.rawValue).joined(separator: ", ")).

      Examples:
        norma phantom phantoms
        norma phantom phantoms --train 400 --test-normal 100 --test-abnormal 100 --size 256 --seed 7
        norma phantom nodules --lesion nodule
        norma phantom mixed --train 400 --train-abnormal 400 --lesion-contrast 3
        norma phantom bodies --kind pet --train 0 --train-abnormal 100
      """)

  @Argument(help: "Folder to write to; it is made.")
  var folder: String

  /// What is drawn.
  enum Kind: String, ExpressibleByArgument, CaseIterable {
    case chest
    case pet
  }

  @Option(help: "Chest radiographs or PET and CT of the body.")
  var kind = Kind.chest

  @Option(help: "Normal training images.")
  var train = 200

  @Option(help: "Abnormal training images, for validation or contamination; by default none.")
  var trainAbnormal = 0

  @Option(help: "Normal test images.")
  var testNormal = 50

  @Option(help: "Abnormal test images.")
  var testAbnormal = 50

  @Option(help: "Side of radiographs in pixels.")
  var size = 128

  @Option(help: "Voxels of PET volumes: depth, height, width.")
  var grid = "48x32x32"

  @Option(help: "Contrast of the lesions; 1 is subtle, as in practice, 3 is plain.")
  var lesionContrast = 1.0

  @Option(help: "How much position and exposure vary; 1 is as in practice, 0 not at all.")
  var variation = 1.0

  @Option(help: "Seed of the first image.")
  var seed: UInt64 = 0

  @Option(help: "A kind of lesion of radiographs; repeatable. By default all, in turn.")
  var lesion: [ChestPhantom.Lesion] = []

  @Flag(help: "Show no progress.")
  var quiet = false

  private var extents: [Int] { grid.lowercased().split(separator: "x").compactMap { Int($0) } }

  func validate() throws {
    guard extents.count == 3, grid.split(separator: "x").count == 3 else {
      throw ValidationError("--grid must be three numbers, for example 48x32x32.")
    }
    guard kind == .chest || lesion.isEmpty else {
      throw ValidationError("--lesion is for radiographs; PET volumes have lesions of all kinds.")
    }
  }

  func run() async throws {
    let console = Console(isQuiet: quiet)
    let url = URL(fileURLWithPath: folder)
    let count =
      switch kind {
      case .chest: try await radiographs.write(to: url) { console.show(drawing($0, $1, "images")) }.count
      case .pet: try await bodies.write(to: url) { console.show(drawing($0, $1, "cases")) }.count
      }
    print("wrote \(count) \(kind == .chest ? "images" : "cases") to \(folder)")
  }

  private func drawing(_ done: Int, _ count: Int, _ unit: String) -> WorkProgress {
    WorkProgress("drawing", done: done, total: count, unit: unit)
  }

  private var radiographs: PhantomDataSet {
    var set = PhantomDataSet()
    set.trainingNormal = train
    set.trainingAbnormal = trainAbnormal
    set.testNormal = testNormal
    set.testAbnormal = testAbnormal
    set.seed = seed
    set.configuration.size = size
    set.configuration.lesionContrast = lesionContrast
    set.configuration.positionVariation = variation
    set.configuration.exposureVariation = variation
    if !lesion.isEmpty { set.lesions = lesion }
    return set
  }

  private var bodies: PETPhantomDataSet {
    var set = PETPhantomDataSet()
    set.trainingNormal = train
    set.trainingAbnormal = trainAbnormal
    set.testNormal = testNormal
    set.testAbnormal = testAbnormal
    set.seed = seed
    (set.configuration.depth, set.configuration.height, set.configuration.width) = (extents[0], extents[1], extents[2])
    set.configuration.lesionContrast = lesionContrast
    set.configuration.variation = variation
    return set
  }
}

extension ChestPhantom.Lesion: ExpressibleByArgument {}
