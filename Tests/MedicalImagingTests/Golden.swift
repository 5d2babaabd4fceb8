import Foundation

/// What Scripts/golden/imaging.py wrote: image files, and the samples that must be found in them.
struct Golden: Decodable, Sendable {
  struct Expected: Decodable, Sendable {
    let width: Int
    let height: Int
    let channels: Int
    let bits: Int
    let minimum: Float
    let maximum: Float
    let samples: [Float]
  }

  let images: [String: Expected]
  let luma: [Float]

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")

  static func load() throws -> Golden {
    try JSONDecoder().decode(Golden.self, from: Data(contentsOf: folder.appendingPathComponent("golden.json")))
  }

  static func image(_ name: String) -> String {
    folder.appendingPathComponent("images/\(name)").path
  }

  /// Names of the files that can be read.
  static let readable = ((try? load().images.keys.sorted()) ?? [])
}

/// A folder of its own for one test, removed with the last reference to it.
final class TemporaryFolder {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("imaging-\(UUID().uuidString)").path

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Writes a file, with the folders that lead to it, and gives its path.
  @discardableResult
  func write(_ name: String, _ content: Data = Data()) throws -> String {
    let file = URL(fileURLWithPath: path).appendingPathComponent(name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try content.write(to: file)
    return file.path
  }
}
