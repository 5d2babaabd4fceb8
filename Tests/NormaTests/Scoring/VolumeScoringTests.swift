import Evaluation
import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma

@Suite("Training and scoring on volumes")
struct VolumeScoringTests {
  private let folder: TemporaryFolder
  private let dataSet: ImageDataSet

  /// Eight normal training volumes, three normal and three abnormal test volumes with a bright box, its mask, and paired
  /// volumes; the test volumes have other sides than the network. Images are stored with x towards the front and y towards
  /// the left, masks in RAS.
  init() throws {
    let folder = try TemporaryFolder()
    func write(_ name: String, seed: Int, extents: [Int], box: Bool) throws {
      var volume = Fixtures.volume(seed, extents: extents)
      let marked = (0..<volume.samples.count).map { index -> Bool in
        let (x, y, z) = (
          index % volume.width, index / volume.width % volume.height, index / (volume.width * volume.height)
        )
        return box && (2..<6).contains(x) && (3..<7).contains(y) && (2..<5).contains(z)
      }
      let samples = zip(volume.samples, marked).map { $1 ? 10 - $0 : $0 }
      volume = Volume3D(
        width: volume.width, height: volume.height, depth: volume.depth, samples: samples,
        affine: Self.turned(volume.affine))
      try folder.write(name, volume)
      var paired = Fixtures.volume(seed + 100, extents: extents)
      paired.affine = volume.affine
      try folder.write("paired/" + name, paired)
      guard box else { return }
      let mask = Volume3D(
        width: volume.width, height: volume.height, depth: volume.depth, samples: marked.map { $0 ? 1 : 0 },
        affine: volume.affine)
      try folder.write("masks/" + name, mask.canonical, as: .uint8)
    }
    for index in 0..<8 { try write("train/NORMAL/\(index).nii.gz", seed: index, extents: [8, 12, 12], box: false) }
    for index in 0..<3 {
      try write("test/NORMAL/\(index).nii.gz", seed: 20 + index, extents: [9, 12, 15], box: false)
      try write("test/LESION/\(index).nii.gz", seed: 30 + index, extents: [9, 12, 15], box: true)
    }
    self.folder = folder
    dataSet = try ImageDataSet.open(folder.url.path)
  }

  /// Where the voxels of images are stored: the same place, along other axes.
  private static func turned(_ affine: Affine3D) -> Affine3D {
    Affine3D(x: SIMD3(0, 2, 0), y: SIMD3(-2, 0, 0), z: SIMD3(0, 0, 4), origin: affine.origin)
  }

  private let configuration = Fixtures.bandEnergy()

  private func prepared(_ split: DataItem.Split, channels: Int = 1) async throws -> PreparedImages {
    try await PreparedImages(dataSet.items(in: split), for: Fixtures.volumes([8, 12, 12], channels: channels))
  }

  /// What `Trainer` does with a batch, for some epochs.
  private func train(_ detector: ConvolutionDetector, on images: PreparedImages, epochs: Int) throws -> [Float] {
    let random = try Generator(seed: 2)
    var augmentation = AugmentationConfiguration()
    (augmentation.translation, augmentation.scale) = (0.1, 0.05)
    let optimiser = try Adam(detector.network, detector.update.options)
    var losses: [Float] = []
    for _ in 0..<epochs {
      let loader = BatchLoader(images, order: Array(0..<images.count), batchSize: 4)
      while let (values, _) = try loader.next() {
        let scaled = try images.specification.scaled(images.specification.batch(values, on: .cpu))
        let batch = try Augmentation(augmentation)(scaled, random: random)
        let step = TrainingStep(due: ["convolution"], random: random)
        let loss = try detector.losses(of: detector.update, on: batch, step: step)
        try loss.total.backward()
        try optimiser.step()
        losses += try loss.parts[0].value.values()
      }
    }
    return losses
  }

  @Test(
    "A network learns volumes, and scores, maps and reconstructions lie on the volumes' own grids", arguments: [1, 2])
  func whole(_ channels: Int) async throws {
    let training = try await prepared(.train, channels: channels)
    let detector = try ConvolutionDetector(channels: channels)
    try detector.network.preferChannelsLast()
    let losses = try train(detector, on: training, epochs: 15)
    #expect((losses.last ?? 1) < 0.5 * losses[0])
    let scorer = try Scorer.fitted(detector, to: training, configuration: configuration, device: .cpu)
    #expect(scorer.specification == training.specification)
    #expect(scorer.calibration.mapRanges.keys.sorted() == ["coarse", "error"])
    let test = try await prepared(.test, channels: channels)
    var results: [AnomalyResult] = []
    try scorer.score(test, explains: true) { results.append($0) }
    #expect(results.map(\.item) == test.items)
    for (index, result) in results.enumerated() {
      let volume = try VolumeReader.read(result.item.path).canonical
      #expect(result.maps.map(\.name) == ["error", "coarse"])
      #expect(result.maps.allSatisfy { $0.map.grid == volume.grid })
      #expect(result.reconstruction?.grid == volume.grid.resampled(to: [8, 12, 12]))
      // The score does not depend on the batch.
      let alone = try scorer.rawScores(of: test.selecting { $0 == result.item })
      #expect(abs((alone["error"]?[0] ?? 0) - result.score) < 1e-6, "\(index)")
    }
  }

  @Test("Localisation compares voxels: figures follow from maps and masks")
  func localisation() async throws {
    let training = try await prepared(.train)
    let detector = try ConvolutionDetector(channels: 1)
    let scorer = try Scorer.fitted(detector, to: training, configuration: configuration, device: .cpu)
    let test = try await prepared(.test)
    let localisation = try Localisation.evaluate(scorer, on: test)
    #expect(localisation.warnings == [] && localisation.maps.map(\.name) == ["error", "coarse"])
    var (maps, masks): ([[Float]], [GroundTruthMask]) = ([], [])
    try scorer.score(test, explains: true) { result in
      maps.append(result.maps[0].map.values)
      let pixels = try result.item.maskPath.map { try VolumeReader.read($0).canonical.markedVoxels }
      masks.append(
        pixels.map { GroundTruthMask(width: 12, height: 15, depth: 9, pixels: $0) }
          ?? .empty(width: 12, height: 15, depth: 9))
    }
    #expect(masks.map { $0.pixels.count { $0 } } == [48, 48, 48, 0, 0, 0])
    let figures = try #require(localisation.maps.first?.figures)
    #expect(figures == (try PixelFigures(maps: maps, masks: masks)))
    #expect(figures.regionCount == 3 && figures.bestDice.confusion.count == 6 * 9 * 12 * 15)
  }

  @Test("A mask that is empty, an image, or on another grid is named")
  func unusableMasks() async throws {
    let masks = (0..<3).map { folder.url.appendingPathComponent("masks/test/LESION/\($0).nii.gz").path }
    func mask(_ value: Float, depth: Int = 9, moved: Double = 0) -> Volume3D {
      var affine = Self.turned(Fixtures.volume(31).affine)
      affine.origin.x += moved
      let samples = [Float](repeating: value, count: 15 * 12 * depth)
      return Volume3D(width: 15, height: 12, depth: depth, samples: samples, affine: affine)
    }
    try folder.write("masks/test/LESION/0.nii.gz", mask(1, depth: 8))
    try folder.write("masks/test/LESION/1.nii.gz", mask(0))
    try folder.write("masks/test/LESION/2.nii.gz", Fixtures.image(1))
    let (training, test) = (try await prepared(.train), try await prepared(.test))
    let scorer = try Scorer.fitted(
      ConvolutionDetector(channels: 1), to: training, configuration: configuration, device: .cpu)
    let localisation = try Localisation.evaluate(scorer, on: test)
    #expect(localisation.maps.isEmpty)
    let left = " (left out of the localisation figures)"
    #expect(
      localisation.warnings == [
        "\(masks[0]) has 12×15×8 voxels and its image 12×15×9; give both one size" + left,
        "\(masks[1]) marks no voxel; give abnormal voxels the value 1 and all others 0" + left,
        "\(masks[2]) is a two-dimensional image where a volume (NIfTI, DICOM, NumPy) is expected; choose a method for images, or give "
          + "volumes." + left,
      ])
    try folder.write("masks/test/LESION/1.nii.gz", mask(1, moved: 30))
    let moved = try Localisation.evaluate(scorer, on: test)
    #expect(
      moved.warnings.contains(
        "\(masks[1]) has voxels that lie elsewhere in the patient than its image's; give both one grid" + left))
  }

  @Test("A method for images refuses a data set of volumes in one sentence")
  func refusal() async throws {
    await #expect(throws: ImageError.otherKind(path: dataSet.items[0].path, isVolume: true)) {
      try await TrainingData(folder: folder.url.path, configuration: configuration)
    }
  }
}
