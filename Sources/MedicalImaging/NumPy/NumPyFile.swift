import Foundation

/// Files in NumPy's formats: `.npy`, one array, and `.npz`, a zip archive of several.
enum NumPyFile {
  /// The format's usual name.
  static let format = "NumPy"
  /// The extensions by which a folder's arrays are found; archives hold many images and are named one by one.
  static let fileExtensions: Set<String> = ["npy"]

  /// Whether a file begins as an array or an archive does.
  static func isSignature(_ head: Data) -> Bool {
    head.starts(with: NumPyHeader.magic) || isArchive(head)
  }

  fileprivate static func isArchive(_ head: Data) -> Bool { head.starts(with: [0x50, 0x4B, 3, 4]) }

  /// Whether a path ends as an archive's does.
  static func isArchiveNamed(_ path: String) -> Bool { path.lowercased().hasSuffix(".npz") }

  /// A file with its arrays; the last few that were asked for stay open.
  /// - Throws: `ImageError`, when the file cannot be read or is damaged.
  static func open(_ path: String) throws(ImageError) -> Contents { try OpenFiles.shared.contents(of: path) }

  /// The arrays of a file by name: of an archive in its order, of a single array under no name.
  ///
  /// What was decompressed is kept: a deflated array can only be read from its beginning, and images are asked for one by one.
  /// `@unchecked`: `lock` guards `arrays`; whoever wants an array while it is being decompressed waits.
  final class Contents: @unchecked Sendable {
    let path: String
    /// Names of the arrays of an archive, in its order; empty for a single array.
    let names: [String]
    private let data: Data
    private let archive: ZipArchive?
    private let lock = NSLock()
    private var arrays: [String: NumPyArray] = [:]

    fileprivate init(_ path: String) throws(ImageError) {
      self.path = path
      data = try FileContents.mapped(path)
      archive = NumPyFile.isArchive(data.prefix(4)) ? try ZipArchive(data, path: path) : nil
      names = (archive?.entries ?? []).map(\.name).filter { $0.hasSuffix(".npy") }.map { String($0.dropLast(4)) }
    }

    /// Whether the file is an archive.
    var isArchive: Bool { archive != nil }

    /// The array of this name, the only one where it is nil; nil where there is no such array.
    func array(_ name: String?) throws(ImageError) -> NumPyArray? {
      lock.lock()
      defer { lock.unlock() }
      if let array = arrays[name ?? ""] { return array }
      let array: NumPyArray
      if let archive {
        guard let name, let entry = archive.entries.first(where: { $0.name == name + ".npy" }) else { return nil }
        array = try NumPyArray(archive.contents(of: entry), path: "\(path)#\(name)")
      } else {
        guard name == nil else { return nil }
        array = try NumPyArray(data, path: path)
      }
      arrays[name ?? ""] = array
      return array
    }
  }
}

/// The files that were opened last, each until it changes on the disk.
///
/// `@unchecked`: `lock` guards `kept`.
private final class OpenFiles: @unchecked Sendable {
  static let shared = OpenFiles()

  private struct Kept {
    let contents: NumPyFile.Contents
    let changed: Date?
    let size: UInt64?
  }

  /// How many are kept: images, masks and paired images of a data set, and one more.
  private static let most = 4
  private let lock = NSLock()
  private var kept: [Kept] = []

  func contents(of path: String) throws(ImageError) -> NumPyFile.Contents {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    let changed = attributes?[.modificationDate] as? Date
    let size = (attributes?[.size] as? NSNumber)?.uint64Value
    lock.lock()
    defer { lock.unlock() }
    if let place = kept.firstIndex(where: { $0.contents.path == path }) {
      let found = kept.remove(at: place)
      if found.changed == changed, found.size == size {
        kept.append(found)
        return found.contents
      }
    }
    let contents = try NumPyFile.Contents(path)
    kept = kept.suffix(Self.most - 1) + [Kept(contents: contents, changed: changed, size: size)]
    return contents
  }
}
