import Foundation
import MedicalImaging
import Norma
import Torch

/// Maps as files, drawn and written while the next images are scored: not many results are held at a time, and what goes wrong
/// with one is told in its place.
final class ResultFiles {
  /// What is to be said about a result's files.
  struct Notice {
    let text: String
    /// Whether a file is missing.
    var isFailure = false
  }

  private let maps: String?
  private let archive: Archive?
  private let reading: Scorer.Reading
  private let writing: OrderedWork<Result<[Notice], any Error>>
  private let mostWaiting: Int

  /// - Parameters:
  ///   - maps: the folder for maps; nil: none are written.
  ///   - dicom: files for the archive, which are numbered and therefore written one after the other.
  ///   - isOne: there is one image only, so that there is nothing to do meanwhile.
  init(maps: String?, dicom: DICOMFiles?, reading: Scorer.Reading, isOne: Bool) {
    (self.maps, archive, self.reading) = (maps, dicom.map(Archive.init), reading)
    let threads = isOne || maps == nil && dicom == nil ? 0 : dicom == nil ? Runtime.threads : 1
    writing = OrderedWork(workers: threads)
    mostWaiting = reading.specification.isVolume ? threads : 8 * threads
  }

  /// Begins to write a result's files, when there is room.
  /// - Returns: what is to be said about results that were written meanwhile.
  /// - Throws: what went wrong with one of them; nothing more should be written.
  func write(_ result: AnomalyResult, named name: String) throws -> [Notice] {
    guard maps != nil || archive != nil else { return [] }
    writing.begin { [maps, archive, reading] in
      Result {
        if let maps { try MapFiles.write(result, named: name, to: maps, from: reading) }
        return try archive?.write(result, named: name, from: reading) ?? []
      }
    }
    var notices: [Notice] = []
    while writing.count > mostWaiting || writing.isNextDone { notices += try writing.next()?.get() ?? [] }
    return notices
  }

  /// Waits for what is being written.
  func finish() throws -> [Notice] {
    var notices: [Notice] = []
    while let written = writing.next() { notices += try written.get() }
    return notices
  }

  /// The archive's files.
  ///
  /// `@unchecked Sendable`: `files` is read and written under `lock`.
  private final class Archive: @unchecked Sendable {
    private let lock = NSLock()
    private var files: DICOMFiles

    init(_ files: DICOMFiles) { self.files = files }

    func write(_ result: AnomalyResult, named name: String, from reading: Scorer.Reading) throws -> [Notice] {
      try lock.withLock {
        do {
          return try files.write(result, named: name, from: reading).map { Notice(text: $0) }
        } catch let error as ImageError where Failure.exitCode(of: error) == Failure.badData {
          return [Notice(text: "\(error)", isFailure: true)]
        }
      }
    }
  }
}
