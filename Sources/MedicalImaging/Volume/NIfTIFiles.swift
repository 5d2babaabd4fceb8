import Foundation

/// The files of a NIfTI image: one, or a header (`.hdr`) and beside it the voxels (`.img`), each compressed or not.
struct NIfTIFiles: Equatable {
  /// The file that begins with the header.
  let header: String
  /// The file of the voxels alone; nil where there is none.
  let voxels: String?

  /// The files of an image that either of them names.
  init(_ path: String) {
    if let stem = Self.stem(of: path, ending: "hdr") {
      (header, voxels) = (path, Self.file(stem, ending: "img"))
    } else if let stem = Self.stem(of: path, ending: "img"), let header = Self.file(stem, ending: "hdr") {
      (self.header, voxels) = (header, path)
    } else {
      (header, voxels) = (path, nil)
    }
  }

  private static func stem(of path: String, ending: String) -> String? {
    let lower = path.lowercased()
    return [".\(ending)", ".\(ending).gz"].first(where: lower.hasSuffix).map { String(path.dropLast($0.count)) }
  }

  private static func file(_ stem: String, ending: String) -> String? {
    let endings = [ending, ending + ".gz"].flatMap { [$0, $0.uppercased()] }
    return endings.map { stem + "." + $0 }.first(where: FileManager.default.fileExists)
  }
}
