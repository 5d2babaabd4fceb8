import Foundation
import MedicalImaging

/// The whole files that are damaged, and the damaged ones, each by its number.
struct Seeds {
  struct File {
    let path: String
    let bytes: [UInt8]
    var name: String { (path as NSString).lastPathComponent }
  }

  struct Missing: Error, CustomStringConvertible {
    let folders: [String]
    var description: String { "no files to damage in \(folders.joined(separator: ", "))" }
  }

  let files: [File]
  private let seed: UInt64

  /// The DICOM and NIfTI files in folders that can be read, by path.
  /// - Parameter largest: bytes; larger files are left out.
  init(folders: [String], largest: Int, seed: UInt64) throws {
    let paths = folders.sorted().flatMap { folder in
      (FileManager.default.subpaths(atPath: folder) ?? []).sorted().map { folder + "/" + $0 }
    }
    files = paths.compactMap { path in
      guard let content = FileManager.default.contents(atPath: path), 1...largest ~= content.count,
        VolumeFormat(signatureOf: content) != nil,
        (try? DICOMImage.read(path)) != nil || (try? VolumeReader.read(path + "#0")) != nil
      else { return nil }
      return File(path: path, bytes: Array(content))
    }
    guard !files.isEmpty else { throw Missing(folders: folders) }
    self.seed = seed
  }

  /// The damaged file of a number: the same for the same seed and files.
  func input(_ number: Int) -> (origin: File, bytes: [UInt8]) {
    var random = SeededGenerator(seed: seed &+ UInt64(number) &* 0x9E37_79B9_97F4_A7C1)
    let (origin, other) = (files[random.index(below: files.count)], files[random.index(below: files.count)])
    var mutator = Mutator(random)
    return (origin, mutator.mutated(origin.bytes, splicing: other.bytes))
  }
}
