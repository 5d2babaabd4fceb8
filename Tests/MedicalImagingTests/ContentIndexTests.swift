import Foundation
import MedicalImaging
import Testing

@Suite("ContentIndex and ContentHash")
struct ContentIndexTests {
  @Test(
    "The hash is FNV-1a's",
    arguments: [("", "cbf29ce484222325"), ("a", "af63dc4c8601ec8c"), ("foobar", "85944171f73967e8")])
  func reference(_ text: String, _ hash: String) {
    #expect(ContentHash(of: Data(text.utf8)).description == hash)
    var parts = ContentHash()
    for byte in text.utf8 { parts.add([byte]) }
    #expect(parts.description == hash)
  }

  private func dataSet(in folder: TemporaryFolder) throws -> ImageDataSet {
    try folder.write("train/NORMAL/a.png", Data("one".utf8))
    try folder.write("train/NORMAL/b.png", Data("two".utf8))
    try folder.write("train/SICK/c.png", Data("two".utf8))
    try folder.write("test/NORMAL/d.png", Data("one".utf8))
    try folder.write("test/NORMAL/e.png", Data("six".utf8))
    try folder.write("test/NORMAL/f.png", Data("six".utf8))
    return try ImageDataSet.open(folder.path)
  }

  @Test("Files with the same bytes are found, and told where they do harm")
  func duplicates() async throws {
    let folder = try TemporaryFolder()
    let index = try await ContentIndex(of: dataSet(in: folder).items)
    #expect(
      index.duplicates.map { $0.map(\.name) } == [
        ["train/NORMAL/a.png", "test/NORMAL/d.png"], ["train/NORMAL/b.png", "train/SICK/c.png"],
        ["test/NORMAL/e.png", "test/NORMAL/f.png"],
      ])
    #expect(
      index.warnings == [
        "The same image is in several splits: train/NORMAL/a.png, test/NORMAL/d.png.",
        "The same image has several labels: train/NORMAL/b.png, train/SICK/c.png.",
      ])
  }

  @Test("The fingerprint follows names and contents alone")
  func fingerprint() async throws {
    let folder = try TemporaryFolder()
    let elsewhere = try TemporaryFolder()
    let items = try dataSet(in: folder).items
    let index = try await ContentIndex(of: items)
    #expect(index.fingerprint.count == 16)
    #expect(try await ContentIndex(of: dataSet(in: elsewhere).items, workers: 1).fingerprint == index.fingerprint)
    #expect(try await ContentIndex(of: items.reversed()).fingerprint == index.fingerprint)
    #expect(try await ContentIndex(of: Array(items.dropLast())).fingerprint != index.fingerprint)
    try folder.write("test/NORMAL/f.png", Data("sex".utf8))
    #expect(try await ContentIndex(of: items).fingerprint != index.fingerprint)
    try FileManager.default.removeItem(atPath: items[0].path)
    let incomplete = try await ContentIndex(of: items)
    #expect(incomplete.entries[0].hash == nil)
    #expect(incomplete.fingerprint != index.fingerprint)
  }

  @Test("Masks and paired images change the fingerprint; without them it is what it was")
  func companions() async throws {
    let folder = try TemporaryFolder()
    let names = ["a.png", "mask.png", "ct.png"]
    let paths = try names.map { try folder.write($0, Data($0.utf8)) }
    func fingerprint(mask: Bool, paired: Bool) async throws -> String {
      let item = DataItem(
        name: "a.png", path: paths[0], maskPath: mask ? paths[1] : nil, pairedPath: paired ? paths[2] : nil)
      return try await ContentIndex(of: [item]).fingerprint
    }
    let bare = try await fingerprint(mask: false, paired: false)
    #expect(bare == ContentHash(of: Data("a.png\05\0\(ContentHash(of: Data("a.png".utf8)))\n".utf8)).description)
    let all = try await [
      bare, fingerprint(mask: true, paired: false), fingerprint(mask: false, paired: true),
      fingerprint(mask: true, paired: true),
    ]
    #expect(Set(all).count == 4)
    try folder.write("mask.png", Data("mask.pnG".utf8))
    #expect(try await fingerprint(mask: true, paired: false) != all[1])
  }
}
