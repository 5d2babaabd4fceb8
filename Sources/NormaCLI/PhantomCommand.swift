public import ArgumentParser
import Foundation
public import Phantoms

/// `norma phantom`.
struct PhantomCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "phantom", abstract: "Writes a data set of synthetic chest radiographs with lesions and their masks.",
    discussion: """
      The same seed gives the same images. Lesions: \(ChestPhantom.Lesion.allCases.map(\.rawValue).joined(separator: ", ")).

      Examples:
        norma phantom phantoms
        norma phantom phantoms --train 400 --test-normal 100 --test-abnormal 100 --size 256 --seed 7
        norma phantom nodules --lesion nodule
      """)

  @Argument(help: "Folder to write to; it is made.")
  var folder: String

  @Option(help: "Normal training images.")
  var train = 200

  @Option(help: "Abnormal training images, for validation or contamination.")
  var trainAbnormal = 0

  @Option(help: "Normal test images.")
  var testNormal = 50

  @Option(help: "Abnormal test images.")
  var testAbnormal = 50

  @Option(help: "Side of the images in pixels.")
  var size = 128

  @Option(help: "Contrast of the lesions; 1 is subtle, as in practice, 3 is plain.")
  var lesionContrast = 1.0

  @Option(help: "How much position and exposure vary; 1 is as in practice, 0 not at all.")
  var variation = 1.0

  @Option(help: "Seed of the first image.")
  var seed: UInt64 = 0

  @Option(help: "A kind of lesion; repeatable. By default all, in turn.")
  var lesion: [ChestPhantom.Lesion] = []

  @Flag(help: "Show no progress.")
  var quiet = false

  func run() async throws {
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
    let console = Console(isQuiet: quiet)
    let entries = try await set.write(to: URL(fileURLWithPath: folder)) { done, count in
      console.show(.init("drawing", done: done, total: count, unit: "images"))
    }
    print("wrote \(entries.count) images to \(folder)")
  }
}

extension ChestPhantom.Lesion: ExpressibleByArgument {}
