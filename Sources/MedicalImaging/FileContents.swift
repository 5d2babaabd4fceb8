import Foundation

/// The bytes of files, with the system's refusals as `ImageError`.
enum FileContents {
  static func read(_ path: String) throws(ImageError) -> Data {
    try reading(path) { try Data(contentsOf: $0) }
  }

  /// The bytes of a file, mapped into memory: nothing is read until it is touched.
  static func mapped(_ path: String) throws(ImageError) -> Data {
    try reading(path) { try Data(contentsOf: $0, options: .alwaysMapped) }
  }

  /// What tells one image from another: the bytes of its file, of header and voxels where these are two, or of its part of a
  /// NumPy file, or the samples of its slice of a volume.
  static func content(of path: String) throws(ImageError) -> Data {
    let place = ImagePath(path)
    if let slice = VolumeSlice(place) { return try slice.content() }
    if NumPyFile.isSignature(try head(place.file, count: 8)) { return try NumPyImage(at: place).content }
    let files = NIfTIFiles(place.file)
    var content = try read(files.header)
    if let voxels = files.voxels { content += try read(voxels) }
    return content + Data((place.part ?? "").utf8)
  }

  /// The first `count` bytes, or as many as there are.
  static func head(_ path: String, count: Int) throws(ImageError) -> Data {
    try reading(path) { url in
      let file = try FileHandle(forReadingFrom: url)
      defer { try? file.close() }
      return try file.read(upToCount: count) ?? Data()
    }
  }

  /// The files in a folder, by name; of a file, its own path.
  static func paths(_ path: String) throws(DataSetError) -> [String] {
    guard FolderListing.isFolder(path) else { return [path] }
    return try FolderListing(path).files.map { FolderListing.join(path, $0) }
  }

  private static func reading(_ path: String, _ body: (URL) throws -> Data) throws(ImageError) -> Data {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { throw .missing(path: path) }
    guard !isFolder.boolValue else { throw .folder(path: path) }
    do {
      return try body(URL(fileURLWithPath: path))
    } catch {
      throw .notReadable(path: path, reason: systemReason(error))
    }
  }

  static func write(_ data: Data, to path: String) throws(ImageError) {
    do {
      try data.write(to: URL(fileURLWithPath: path), options: .atomic)  // a temporary name, then renamed
    } catch {
      throw .notWritable(path: path, reason: systemReason(error))
    }
  }

  /// What the system said, as a part of a sentence.
  private static func systemReason(_ error: any Error) -> String {
    switch (error as? CocoaError)?.code {
    case .fileReadNoPermission, .fileWriteNoPermission: "permission denied"
    case .fileNoSuchFile, .fileReadNoSuchFile: "no such file or folder"
    case .fileWriteOutOfSpace: "no space is left on the disk"
    case .fileWriteVolumeReadOnly: "the disk is read-only"
    default: "the system refuses access"
    }
  }
}
