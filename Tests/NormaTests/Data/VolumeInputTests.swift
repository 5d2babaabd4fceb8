import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma

@Suite("Volumes as network input")
struct VolumeInputTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func item(_ name: String, paired: String? = nil) -> DataItem {
    let path = folder.url.appendingPathComponent(name).path
    return DataItem(name: name, path: path, pairedPath: paired.map { folder.url.appendingPathComponent($0).path })
  }

  @Test("A volume of the right sides keeps every value, over the window and cut outside of it")
  func window() throws {
    let samples: [Float] = [-1, 0, 2.5, 5, 7.5, 10, 12, 1000]
    try folder.write("a.nii.gz", Volume3D(width: 2, height: 2, depth: 2, samples: samples))
    let prepared = try Fixtures.volumes([2, 2, 2]).prepared(item("a.nii.gz"))
    #expect(prepared.values == [0, 0, 0.25, 0.5, 0.75, 1, 1, 1])
    #expect(prepared.grid == Volume3D(width: 2, height: 2, depth: 2, samples: samples).grid)
    let open = InputSpecification(extents: [2, 2, 2], intensity: InputConfiguration())
    #expect(try open.prepared(item("a.nii.gz")).values == samples.map { ($0 + 1) / 1001 })
    let image = Image2D(width: 2, height: 1, samples: [51, 255], range: 0...255)
    var narrow = InputConfiguration()
    narrow.window = [0, 102]
    #expect(try InputSpecification(extents: [1, 2], intensity: narrow).prepared(image) == [0.5, 1])
  }

  @Test("Resizing acts on each axis like Pillow's antialiased filter on images")
  func resizing() throws {
    let volume = Fixtures.volume(3, extents: [9, 11, 14])
    try folder.write("a.nii.gz", volume)
    let values = try Fixtures.volumes([4, 5, 6]).prepared(item("a.nii.gz")).values
    #expect(values.count == 120 && values.allSatisfy { (0...1).contains($0) })
    // Along every axis by itself, one line of pixels at a time, as images of one row.
    func shrunk(_ lines: [[Float]], to size: Int) throws -> [[Float]] {
      try lines.map { line in
        try Tensor(line, shape: [1, 1, 1, line.count]).resized(to: [1, size], .cubic, antialias: true).values()
      }
    }
    func turned(_ lines: [[Float]], slices: Int) -> [[Float]] {  // z, y, x to x, z, y
      let (rows, columns) = (lines.count / slices, lines[0].count)
      return (0..<columns * slices).map { index in
        (0..<rows).map { lines[index % slices * rows + $0][index / slices] }
      }
    }
    var lines = (0..<99).map { row in (0..<14).map { volume.samples[row * 14 + $0] / 10 } }
    lines = turned(try shrunk(lines, to: 6), slices: 9)
    lines = turned(try shrunk(lines, to: 5), slices: 6)
    lines = turned(try shrunk(lines, to: 4), slices: 5)
    #expect(largestDifference(values, lines.flatMap { $0 }) < 1e-5)
    let flat = Volume3D(width: 9, height: 7, depth: 5, samples: [Float](repeating: 4, count: 315))
    try folder.write("flat.nii.gz", flat)
    #expect(
      largestDifference(try Fixtures.volumes().prepared(item("flat.nii.gz")).values, .init(repeating: 0.4, count: 192))
        < 1e-6)
  }

  @Test("The paired volume is the second channel, over its own window")
  func paired() throws {
    let (pet, ct) = (Fixtures.volume(1), Fixtures.volume(2))
    try folder.write("a.nii.gz", pet)
    try folder.write(
      "paired/a.nii.gz", Volume3D(width: 8, height: 6, depth: 4, samples: ct.samples, affine: pet.affine))
    let specification = Fixtures.volumes(channels: 2)
    let values = try specification.prepared(item("a.nii.gz", paired: "paired/a.nii.gz")).values
    #expect(values == pet.samples.map { $0 / 10 } + ct.samples.map { ($0 + 10) / 20 })
    let batch = try specification.batch([values, values], on: .cpu)
    #expect(batch.shape == [2, 2, 4, 6, 8])
    #expect(try specification.images(batch)[1].samples == pet.samples.map { $0 / 10 })
    // A method of one channel does not look at it.
    #expect(try Fixtures.volumes().prepared(item("a.nii.gz", paired: "none.nii.gz")).values.count == 192)
  }

  @Test("A paired volume that is missing or on another grid is named")
  func unpaired() throws {
    try folder.write("a.nii.gz", Fixtures.volume(1))
    try folder.write("b.nii.gz", Fixtures.volume(1, extents: [4, 6, 7]))
    let specification = Fixtures.volumes(channels: 2)
    func sentence(_ item: DataItem) -> String {
      do { return "\(try specification.prepared(item).values)" } catch { return "\(error)" }
    }
    let path = item("a.nii.gz").path
    #expect(
      sentence(item("a.nii.gz"))
        == "\(path) cannot be used: the method also reads a paired image, and it has none; put one below paired/, at the "
        + "path that the image has in the data set.")
    #expect(
      sentence(item("a.nii.gz", paired: "b.nii.gz"))
        == "\(item("b.nii.gz").path) cannot be used: it has 7×6×4 voxels and its image 8×6×4; give both one grid.")
    var moved = Fixtures.volume(1)
    moved.affine.origin.z += 4
    try folder.write("moved.nii.gz", moved)
    #expect(
      sentence(item("a.nii.gz", paired: "moved.nii.gz"))
        == "\(item("moved.nii.gz").path) cannot be used: its voxels lie elsewhere in the patient than its image's; give both "
        + "one grid.")
    #expect(
      sentence(item("a.nii.gz", paired: "c.nii.gz")) == "\(item("c.nii.gz").path) does not exist; check the path.")
  }

  @Test("Standardised volumes have every channel by its own mean and deviation")
  func standardised() throws {
    var intensity = InputConfiguration()
    (intensity.intensity, intensity.deviations) = (.standardised, 4)
    let specification = InputSpecification(extents: [4, 6, 8], channels: 2, intensity: intensity)
    let values = (1...2).map { Fixtures.volume($0).samples.map { $0 / 10 } }
    let scaled = try specification.scaled(specification.batch([values[0] + values[1].map { $0 * 3 }], on: .cpu))
    let found: [Float] = try scaled.values()
    for channel in 0..<2 {
      let mean = values[channel].reduce(0, +) / 192
      let deviation = (values[channel].reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 192).squareRoot()
      let expected = values[channel].map { ($0 - mean) / (4 * deviation) }
      #expect(largestDifference(Array(found[channel * 192..<(channel + 1) * 192]), expected) < 1e-4)
    }
  }

  @Test("Volumes come back from the network's scale with the place of the input")
  func inverse() throws {
    let (volume, specification) = (Fixtures.volume(4, extents: [8, 12, 16]), Fixtures.volumes())
    try folder.write("a.nii.gz", volume)
    let prepared = try specification.prepared(item("a.nii.gz"))
    let images = try specification.images(specification.batch([prepared.values], on: .cpu), from: [prepared.grid])
    guard case .volume(let image)? = images.first else { throw TorchError("images", "is no volume") }
    #expect(image.samples == prepared.values && image.range == 0...1)
    #expect(image.grid == volume.grid.resampled(to: [4, 6, 8]))
    #expect(image.spacing == SIMD3(4, 4, 8))
  }

  @Test("Maps take the volume's own grid, trilinearly, one by one")
  func maps() throws {
    let corners: [Float] = [0, 1, 2, 3, 4, 5, 6, 7]  // x + 2 y + 4 z
    let batch = try Tensor(corners + [Float](repeating: 4, count: 8), shape: [2, 2, 2, 2])
    let grids = [ImageGrid(extents: [4, 4, 4]), ImageGrid(extents: [3, 5, 7])]
    let maps = try AnomalyMap.maps(batch, on: grids)
    #expect(maps.map(\.grid) == grids && (maps[0].width, maps[1].depth) == (4, 3))
    // Between centres a quarter and three quarters of the way, level beyond them.
    let steps: [Float] = [0, 0.25, 0.75, 1]
    let expected = (0..<64).map { index -> Float in
      let (x, y, z) = (steps[index % 4], steps[index / 4 % 4], steps[index / 16])
      return x + 2 * y + 4 * z
    }
    #expect(largestDifference(maps[0].values, expected) < 1e-5)
    #expect(largestDifference(maps[1].values, [Float](repeating: 4, count: 105)) < 1e-5)
    let same = try AnomalyMap.maps(batch, on: Array(repeating: ImageGrid(extents: [2, 2, 2]), count: 2))
    #expect(same[0].values == corners)
  }

  @Test("Volumes that memory does not hold are read again, to the same values", arguments: [0, 3 * 192 * 4, Int.max])
  func prepared(_ limit: Int) async throws {
    for index in 0..<5 { try folder.write("\(index).nii.gz", Fixtures.volume(index)) }
    let items = (0..<5).map { item("\($0).nii.gz") }
    let images = try await PreparedImages(items, for: Fixtures.volumes(), memoryLimit: limit)
    let held = (0..<5).count { images.isInMemory($0) }
    #expect(images.count == 5 && held == (limit == 0 ? 0 : limit == .max ? 5 : 3))
    #expect(images.grids == (0..<5).map { Fixtures.volume($0).grid })
    for index in 0..<5 { #expect(try images.values(at: index) == Fixtures.volume(index).samples.map { $0 / 10 }) }
  }

  @Test("Images where volumes are wanted, or the reverse, are one sentence; some among others are left out")
  func otherKind() async throws {
    try folder.write("a.nii.gz", Fixtures.volume(1))
    try folder.write("b.png", Fixtures.image(2))
    let (volume, image) = (item("a.nii.gz"), item("b.png"))
    await #expect(throws: ImageError.otherKind(path: image.path, isVolume: false)) {
      try await PreparedImages([image, image], for: Fixtures.volumes())
    }
    await #expect(throws: ImageError.otherKind(path: volume.path, isVolume: true)) {
      try await PreparedImages([volume], for: Fixtures.unit(32))
    }
    let mixed = try await PreparedImages([volume, image], for: Fixtures.volumes())
    #expect(mixed.items == [volume] && mixed.failures.map(\.item) == [image])
  }

  @Test("Windows are two ascending numbers, and are part of what is stored")
  func configuration() throws {
    let configuration = try ConfigurationFile.read(
      yaml: "method: band-energy\ninput: {window: [0, 15], pairedWindow: [-1000, 1000]}", source: "test")
    #expect(configuration.input.window == [0, 15] && configuration.input.pairedWindow == [-1000, 1000])
    #expect(try ConfigurationFile.read(yaml: ConfigurationFile.yaml(configuration), source: "again") == configuration)
    #expect(try configuration.inputSpecification.window(of: .volume(Fixtures.volume(1))) == 0...15)
    for window in ["[15, 0]", "[1]", "[1, 1]", "[1, 2, 3]"] {
      #expect(throws: ConfigurationError.self) {
        try ConfigurationFile.read(yaml: "method: band-energy\ninput: {window: \(window)}", source: "test")
      }
    }
  }

  @Test("A configuration that was stored before there were windows has none")
  func olderConfiguration() throws {
    let data = try JSONEncoder().encode(RunConfiguration(detector: DetectorSettings(.simSID)))
    var tree = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    var input = try #require(tree["input"] as? [String: Any])
    #expect(input.removeValue(forKey: "window") != nil && input.removeValue(forKey: "pairedWindow") != nil)
    tree["input"] = input
    let read = try ConfigurationFile.read(json: JSONSerialization.data(withJSONObject: tree))
    #expect(read == RunConfiguration(detector: DetectorSettings(.simSID)))
    #expect(read.inputSpecification == InputSpecification(size: 128, intensity: InputConfiguration()))
  }
}
