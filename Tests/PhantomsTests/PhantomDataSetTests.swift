import Foundation
import MedicalImaging
import Testing

@testable import Phantoms

@Suite("Phantom data set")
struct PhantomDataSetTests {
  private var small: PhantomDataSet {
    var set = PhantomDataSet()
    set.trainingNormal = 3
    set.trainingAbnormal = 1
    set.testNormal = 2
    set.testAbnormal = 3
    set.lesions = [.nodule, .effusion]
    set.seed = 99_997
    set.configuration.size = 32
    return set
  }

  /// Runs `body` with a folder of its own and removes it.
  private func withFolder<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("phantoms-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
  }

  /// Every file below `folder` and its bytes.
  private func files(below folder: URL) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) where path.hasSuffix(".png") {
      files[path] = try Data(contentsOf: folder.appendingPathComponent(path))
    }
    return files
  }

  private static let paths = [
    "train/NORMAL/phantom-99997.png", "train/NORMAL/phantom-99998.png", "train/NORMAL/phantom-99999.png",
    "train/ABNORMAL/phantom-100000-nodule.png", "test/NORMAL/phantom-100001.png", "test/NORMAL/phantom-100002.png",
    "test/ABNORMAL/phantom-100003-nodule.png", "test/ABNORMAL/phantom-100004-effusion.png",
    "test/ABNORMAL/phantom-100005-nodule.png",
  ]

  @Test("Names tell class, seed and lesion; seeds run on")
  func entries() throws {
    let entries = try small.entries()
    #expect(entries.map(\.imagePath) == Self.paths)
    #expect(entries.map(\.seed) == Array(99_997...100_005))
    #expect(entries.compactMap(\.maskPath) == Self.paths.filter { $0.contains("ABNORMAL") }.map { "masks/" + $0 })
    #expect(entries.map(\.lesion) == [nil, nil, nil, .nodule, nil, nil, .nodule, .effusion, .nodule])
    #expect(small.count == 9)
    var short = small
    short.seed = 12
    #expect(try short.entries().first?.imagePath == "train/NORMAL/phantom-00012.png")
  }

  @Test("Writing gives each image and mask as the phantom makes it, and nothing else")
  func written() async throws {
    let set = small
    try await withFolder { folder in
      var counted: [Int] = []
      let entries = try await set.write(to: folder) { done, count in
        counted.append(done)
        #expect(count == 9)
      }
      #expect(entries == (try set.entries()))
      #expect(counted == Array(1...9))
      let files = try files(below: folder)
      let everything = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.contains(".") }
      #expect(Set(everything) == Set(files.keys))
      #expect(Set(files.keys) == Set(Self.paths + entries.compactMap(\.maskPath)))
      let phantom = try ChestPhantom(configuration: set.configuration)
      for entry in entries {
        let made = phantom.image(seed: entry.seed, lesion: entry.lesion)
        #expect(files[entry.imagePath] == (try PNG.encode(made.image, bitsPerSample: 8)))
        if let maskPath = entry.maskPath {
          #expect(files[maskPath] == (try PNG.encode(made.maskImage, bitsPerSample: 8)))
        }
      }
    }
  }

  @Test("Writing again replaces the files by the same bytes")
  func rewritten() async throws {
    let set = small
    try await withFolder { folder in
      try await set.write(to: folder)
      let first = try files(below: folder)
      try await set.write(to: folder)
      #expect(try files(below: folder) == first)
    }
  }

  @Test("A folder that cannot be written is named")
  func unwritable() async throws {
    let set = small
    try await withFolder { folder in
      let file = folder.appendingPathComponent("taken")
      try Data("not a folder".utf8).write(to: file)
      let error = await #expect(throws: PhantomError.self) { try await set.write(to: file) }
      #expect(
        error?.description
          == "Cannot write \(file.path)/masks/test/ABNORMAL (not a directory); choose a folder that can be written.")
    }
  }

  @Test("A file that cannot be replaced is named")
  func unwritableFile() async throws {
    let set = small
    try await withFolder { folder in
      let taken = folder.appendingPathComponent(Self.paths[0])
      try FileManager.default.createDirectory(
        at: taken.appendingPathComponent("occupied"), withIntermediateDirectories: true)
      let error = await #expect(throws: ImageError.self) { try await set.write(to: folder) }
      #expect(error?.description.hasPrefix("\(taken.path) cannot be written: ") == true)
    }
  }

  @Test("A plan that cannot be made is refused with its key")
  func wrongPlan() async {
    var negative = PhantomDataSet()
    negative.testNormal = -1
    #expect(throws: PhantomError.invalidValue(key: "testNormal", value: "-1", expected: "from 0 to 1000000")) {
      try negative.entries()
    }
    var none = PhantomDataSet()
    none.lesions = []
    let error = #expect(throws: PhantomError.self) { try none.validate() }
    #expect(
      error?.description
        == "lesions is empty, but must be at least one of consolidation, nodule, effusion, missingRib, foreignObject.")
    var tiny = PhantomDataSet()
    tiny.configuration.size = 8
    #expect(throws: PhantomError.invalidValue(key: "size", value: "8", expected: "from 32 to 2048")) {
      try tiny.validate()
    }
  }
}
