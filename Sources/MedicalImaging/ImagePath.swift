import Foundation

/// A path that names a file, or one of several images in it by what stands behind a `#`: a volume of a NIfTI file with more
/// than three dimensions (`scan.nii.gz#2`), an image of a NumPy array (`images.npy#12`), or one of an array of an archive
/// (`archive.npz#test_images/12`), or an axial slice of a volume (`scan.nii.gz#z78`, see `VolumeSlice`). Counting begins with 0.
struct ImagePath: Equatable, Sendable {
  /// The path as it was given, for messages.
  let path: String
  /// The path of the file.
  let file: String
  /// What stands behind the `#`; nil where the path names the file.
  let part: String?

  /// A path with a `#` that names an existing file is that file.
  init(_ path: String) {
    self.path = path
    if let mark = path.lastIndex(of: "#"), !FileManager.default.fileExists(atPath: path) {
      (file, part) = (String(path[..<mark]), String(path[path.index(after: mark)...]))
    } else {
      (file, part) = (path, nil)
    }
  }

  /// The number behind the `#`; nil where there is none.
  /// - Throws: `ImageError.noPart`, when something else stands there.
  func index() throws(ImageError) -> Int? {
    guard let part else { return nil }
    guard let index = Self.index(part) else {
      throw .noPart(path: path, reason: "what stands behind # must be a number, counted from 0")
    }
    return index
  }

  /// A number from 0 to what 32 bits hold, in decimal digits; nil for anything else.
  static func index(_ text: some StringProtocol) -> Int? {
    guard !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }), let index = Int32(text) else { return nil }
    return Int(index)
  }
}
