import Foundation
import Testing

@testable import Norma
@testable import Torch

/// What is learnt of normal images by comparing them with each other leaves a slice's whole volume out.
@Suite("Slices of one volume among normal images")
struct VolumePartsTests {
  /// Twelve images, each twice, and the volumes that such pairs are.
  private let subjects = (0..<12).flatMap { [$0, $0] }

  private func pairs(side: Int) throws -> Tensor {
    try smoothImages(12, side: side, seed: 3).repeatingEach(2, axis: 0)
  }

  /// Calls with the images in two uneven batches.
  private func batches(_ images: Tensor) -> ((Tensor) throws -> Void) throws -> Void {
    { body in
      try body(images.sliced(0..<7, axis: 0))
      try body(images.sliced(7..<images.extent(0), axis: 0))
    }
  }

  private func moments(_ values: [Double]) -> (mean: Double, deviation: Double) {
    let mean = values.reduce(0, +) / Double(values.count)
    return (mean, (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot())
  }

  @Test(
    "Distances of the images themselves are standardised as the calibration measures them", arguments: [true, false])
  func distances(_ isCut: Bool) throws {
    let images = try pairs(side: 32)
    let detector = try MemMCMAEDetector(.tiny { _ in }, seed: 1, training: TrainingConfiguration())
    try detector.fit(batches(images), subjects: isCut ? subjects : [])
    func scores(_ match: ReferenceMatch) throws -> [Double] {
      try #require(detector.scores(images, named: ["nearestNormals"], areReferences: match)["nearestNormals"])
        .values(as: Double.self)
    }
    let apart = try scores(.among(subjects, at: Array(subjects.indices)))
    let (mean, deviation) = moments(try isCut ? apart : scores(.itself))
    #expect(abs(mean) < 1e-4 && abs(deviation - 1) < 1e-3, "\(mean), \(deviation)")
    // Otherwise each has its twin for a neighbour, at no distance at all.
    let others = moments(try isCut ? scores(.itself) : apart).mean
    #expect(isCut ? others < -0.2 : others > 0.2, "\(others)")
  }

  @Test("The usual maps of MemMC-MAE are those of slices that are compared with other volumes alone")
  func usualMaps() throws {
    let images = try pairs(side: 32)
    let detector = try MemMCMAEDetector(.tiny { _ in }, seed: 1, training: TrainingConfiguration())
    try detector.fit(batches(images), subjects: subjects)
    let normal = try #require(detector.normal)
    func expected(_ match: ReferenceMatch) throws -> Tensor {
      let maps = try withoutGradients {
        try detector.pixelMaps(detector.maskedReconstructions(of: images), against: normal, areReferences: match)
      }
      return try .stacked(maps.map { try $0.values.mean([0]) })
    }
    let mean = try #require(detector.usual).mean
    let apart = try expected(.among(subjects, at: Array(subjects.indices)))
    #expect(try (mean - apart).abs().maximum().item() < 1e-4)
    #expect(try (mean - expected(.itself)).abs().maximum().item() > 1e-2)
    // Of one volume alone each slice is left out by itself, as before.
    try detector.fit(batches(images), subjects: [Int](repeating: 4, count: 24))
    let alone = try #require(detector.usual).mean
    try detector.fit(batches(images))
    let itself = try #require(detector.usual).mean
    #expect(try (alone - itself).abs().maximum().item() == 0)
  }

  @Test("SimSID's fit takes the volumes too")
  func simSID() throws {
    let detector = try #require(try Fixtures.tinySimSID().makeDetector() as? SimSIDDetector)
    let side = detector.configuration.imageSize
    let images = try pairs(side: side)
    try detector.fit(batches(images), subjects: subjects)
    let match = ReferenceMatch.among(subjects, at: Array(subjects.indices))
    let found: [Double] = try #require(
      detector.scores(images, named: ["nearestNormals"], areReferences: match)["nearestNormals"]
    ).values(as: Double.self)
    #expect(abs(moments(found).mean) < 1e-4 && abs(moments(found).deviation - 1) < 1e-3)
  }

  @Test("References that were left out do not change which volume the others are of")
  func leftOut() throws {
    let features = try Generator(seed: 8).uniform(shape: [9, 4])
    let subjects = [0, 0, 0, 1, 1, 2, 2, 2, 2]
    let kept = [0, 2, 3, 4, 6, 8]
    let index = try Tensor(kept, shape: [kept.count])
    let normals = try NearestNormals(
      fitting: features.selecting(index, axis: 0), neighbours: 9, subjects: kept.map { subjects[$0] })
    let found = try normals.nearest(to: features, areReferences: .among(subjects, at: Array(0..<9))).indices
    for row in 0..<9 {
      let neighbours = try found.selected(row, axis: 0).values(as: Int.self)
      // Of the volumes 0, 1 and 2 two each are kept: four of others.
      #expect(neighbours.count == 4 && neighbours.allSatisfy { subjects[kept[$0]] != subjects[row] }, "row \(row)")
    }
  }

  @Test("Halves that judge each other divide no volume, and as many volumes are in one as in the other")
  func halves() throws {
    let subjects = (0..<7).flatMap { [Int](repeating: $0, count: $0 + 1) }
    var seen: Set<[Int]> = []
    for seed in 1...6 {
      let halves = try #require(TokenMaskingDetector.halves(of: subjects, seed: seed))
      let perVolume = (0..<7).map { volume in Set(zip(subjects, halves).filter { $0.0 == volume }.map(\.1)) }
      #expect(perVolume.allSatisfy { $0.count == 1 })
      #expect(perVolume.count { $0 == [0] } == 4 && perVolume.count { $0 == [1] } == 3)
      seen.insert(halves)
    }
    #expect(seen.count > 1)
    #expect(TokenMaskingDetector.halves(of: [0, 0, 0], seed: 1) == nil)
    #expect(TokenMaskingDetector.halves(of: [], seed: 1) == nil)
    // Whole images go by their own number, and a resumed run knows the halves.
    let detector = try TokenMaskingDetector(.tiny(), seed: 1, range: 0...1)
    let own = (0..<40).map(detector.fold)
    #expect(own == (0..<40).map { CounterRandom.uniform(1, $0, 8) < 0.5 ? 0 : 1 } && Set(own).count == 2)
    detector.history.halves = [1, 0, 1]
    detector.history = try TokenHistory(state: detector.history.state)
    #expect((0..<3).map(detector.fold) == [1, 0, 1])
  }

  @Test("Token masking on slices divides its images by volume")
  func rounds() throws {
    let detector = try TokenMaskingDetector(.tiny { $0.rounds.crossFit = true }, seed: 1, range: 0...1)
    let images = try Generator(seed: 2).uniform(shape: [6, 1, 16, 16])
    let stage = try #require(detector.stages.first { $0.name == "round-0" })
    func folds(_ subjects: [Int]) throws -> [Int] {
      _ = try detector.prepare(
        stage,
        from: TrainingImages(subjects: subjects) { start, _, body in
          try body(images.sliced(start..<6, axis: 0), start..<6)
          return true
        })
      return (0..<6).map(detector.fold)
    }
    let cut = try folds([5, 5, 5, 9, 9, 9])
    #expect(cut == [0, 0, 0, 1, 1, 1] || cut == [1, 1, 1, 0, 0, 0])
    #expect(try folds([]) == (0..<6).map { CounterRandom.uniform(1, $0, 8) < 0.5 ? 0 : 1 })
  }
}
