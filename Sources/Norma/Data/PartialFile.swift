import Foundation
import Torch

/// The file of a preparation that is not finished: arrays of known size in place, their header not yet written.
///
/// Where the header will stand, a line tells what is being prepared.
final class PartialFile {
  /// Where everything lies.
  struct Layout {
    let openingBytes: Int
    let count: Int
    let valuesShape: [Int]

    var valueBytes: Int { valuesShape.dropFirst().reduce(4, *) }
    var recordBytes: Int { 8 * PreparedRecord.columns }
    var affineBytes: Int { 8 * PreparedRecord.affineColumns }
    func record(_ index: Int) -> Int { openingBytes + index * recordBytes }
    func affine(_ index: Int) -> Int { record(count) + index * affineBytes }
    func values(_ index: Int) -> Int { affine(count) + index * valueBytes }
  }

  private let path: String
  private let output: String
  private let layout: Layout
  private let handle: FileHandle

  /// Opens or makes the file, for one process at a time.
  /// - Throws: `PreparedDataError.notWritable`.
  init(_ path: String, output: String, layout: Layout) throws {
    (self.path, self.output, self.layout) = (path, output, layout)
    let descriptor = open(path, O_RDWR | O_CREAT, 0o644)
    guard descriptor >= 0 else {
      throw PreparedDataError.notWritable(
        path: output, reason: "its folder is missing or does not let files be written")
    }
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw PreparedDataError.notWritable(path: output, reason: "another preparation is writing it")
    }
  }

  /// Begins, or goes on where what lies there is the same.
  /// - Returns: whether there are records of an earlier run.
  func begin(key: String) throws -> Bool {
    var opening = Data("norma is preparing \(key)\n".utf8)
    opening.append(Data(count: layout.openingBytes - opening.count))
    return try written {
      try handle.seek(toOffset: 0)
      if try handle.read(upToCount: opening.count) == opening { return true }
      try handle.truncate(atOffset: 0)
      try handle.truncate(atOffset: UInt64(layout.values(layout.count)))  // zeros: nothing is read yet
      try write(opening, at: 0)
      return false
    }
  }

  /// The record of an image that an earlier run left; nil where it is damaged.
  func record(_ index: Int) throws -> PreparedRecord? {
    try written {
      try handle.seek(toOffset: UInt64(layout.record(index)))
      let integers = try handle.read(upToCount: layout.recordBytes) ?? Data()
      try handle.seek(toOffset: UInt64(layout.affine(index)))
      return PreparedRecord(integers: integers, affine: try handle.read(upToCount: layout.affineBytes) ?? Data())
    }
  }

  /// Writes the values of an image.
  func write(_ values: [Float], of index: Int) throws {
    try written { try write(values.withUnsafeBytes { Data($0) }, at: layout.values(index)) }
  }

  /// Writes the record of an image; its values must be on the disk.
  func write(_ record: PreparedRecord, of index: Int) throws {
    let bytes = record.bytes
    try written {
      try write(bytes.affine, at: layout.affine(index))
      try write(bytes.integers, at: layout.record(index))
    }
  }

  /// Waits until everything is on the disk.
  func synchronize() throws { try written { try handle.synchronize() } }

  /// Writes description and header, and puts the file into its place.
  /// - Returns: its size.
  func finish(description: Data, fingerprint: String) throws -> Int {
    let end = layout.values(layout.count)
    let opening = try SafetensorsFile.opening(
      of: [
        ("records", .int64, [layout.count, PreparedRecord.columns]),
        ("affines", .float64, [layout.count, PreparedRecord.affineColumns]), ("images", .float32, layout.valuesShape),
        ("description", .uint8, [description.count]),
      ], metadata: [PreparedDataSet.mark: "\(PreparedDataSet.Description.currentFormat)", "fingerprint": fingerprint],
      byteCount: layout.openingBytes)
    return try written {
      try handle.truncate(atOffset: UInt64(end))
      try write(description, at: end)
      try handle.synchronize()
      try write(opening, at: 0)
      try handle.synchronize()
      guard rename(path, output) == 0 else { throw CocoaError(.fileWriteUnknown) }
      return end + description.count
    }
  }

  func close() { try? handle.close() }

  private func write(_ data: Data, at offset: Int) throws {
    try handle.seek(toOffset: UInt64(offset))
    try handle.write(contentsOf: data)
  }

  private func written<Value>(_ body: () throws -> Value) throws -> Value {
    do { return try body() } catch {
      throw PreparedDataError.notWritable(path: output, reason: "the disk is full, or does not let it be written")
    }
  }
}
