import Foundation
public import MedicalImaging
import Torch

/// Makes a `PreparedDataSet`: reads every image of a data set once, in parallel, and writes it at a network's size.
///
/// The file grows under a temporary name beside its own, `.<name>.partial`, and is renamed when it is whole. Images are written
/// in chunks: first their values, then, once these are on the disk, the records that say so. A run that was killed goes on
/// behind the last chunk; nothing that was done is read again. What was begun with other settings or files (names, sizes and
/// times of change tell) starts anew.
public struct DataPreparation: Sendable {
  /// What a preparation came to.
  public struct Outcome: Sendable {
    /// The file.
    public let path: String
    /// Images of the data set.
    public let images: Int
    /// Images that an earlier, interrupted preparation had read.
    public let resumed: Int
    /// Images that could not be read, with the reason.
    public let failures: [DecodingReport.Failure]
    /// The fingerprint of all source files.
    public let fingerprint: String
    /// The file's size.
    public let bytes: Int
  }

  /// Images between two writes take at most this many bytes at network size.
  private static let chunkBytes = 64 << 20
  /// What stands in front of the arrays.
  private static let openingBytes = 2048

  private let configuration: RunConfiguration
  private let specification: InputSpecification
  private let set: ImageDataSet
  private let output: String
  private let keepsPatients: Bool
  /// The most images between two writes.
  var mostInChunk = 256

  /// Opens a data set as a configuration says; nothing is read or written.
  /// - Parameters:
  ///   - keepsPatients: whether the file is to hold patients as they are called; otherwise they are numbered.
  /// - Throws: `DataSetError` for a data set that cannot be used; `PreparedDataError.notWritable` for an output of another ending;
  ///   `ConfigurationError` for slices and patches, which a prepared file does not hold.
  public init(
    of folder: String, for configuration: RunConfiguration, to output: String, keepsPatients: Bool = false
  ) throws {
    guard output.lowercased().hasSuffix(PreparedDataSet.ending) else {
      throw PreparedDataError.notWritable(path: output, reason: "its name must end in \(PreparedDataSet.ending)")
    }
    let views = configuration.input.views
    guard views == .whole else {
      throw ConfigurationError.invalidValue(
        key: "input.views", value: views.rawValue,
        allowed: "whole in a prepared file, which holds one picture of each image")
    }
    (self.configuration, self.output, self.keepsPatients) = (configuration, output, keepsPatients)
    specification = configuration.inputSpecification
    set = try configuration.wholeDataSet(in: folder)
  }

  /// The file that grows.
  public var partialPath: String {
    let file = URL(fileURLWithPath: output)
    return file.deletingLastPathComponent().appendingPathComponent(".\(file.lastPathComponent).partial").path
  }

  /// Prepares all images.
  /// - Parameter isInterrupted: asked between chunks; true leaves the partial file for the next run.
  /// - Throws: `PreparedDataError.notWritable`; `CancellationError` when interrupted; the first image's `ImageError` when all
  ///   are unreadable.
  public func run(
    workers: Int? = nil, progress: @escaping ProgressHandler = { _ in }, isInterrupted: () -> Bool = { false }
  ) async throws -> Outcome {
    let file = try PartialFile(partialPath, output: output, layout: layout)
    defer { file.close() }
    let begun = try file.begin(key: key)
    var entries: [Int: PreparedRecord] = [:]
    for index in set.items.indices {
      if begun, let record = try file.record(index), record.state == .read { entries[index] = record }
    }
    let resumed = entries.count
    let wanted = set.items.indices.filter { entries[$0] == nil }
    var failures: [DecodingReport.Failure] = []
    let perChunk = max(1, min(mostInChunk, Self.chunkBytes / (specification.count * MemoryLayout<Float>.stride)))
    let start = Date()
    for first in stride(from: 0, to: wanted.count, by: perChunk) {
      if isInterrupted() { throw CancellationError() }
      let indices = Array(wanted[first..<min(first + perChunk, wanted.count)])
      let results = try await read(indices, workers: workers) { done in
        progress(self.progress(resumed, first + done, wanted.count, since: start))
      }
      let decoding = results.map { result in result.values.map { _ in () } }
      failures += DecodingReport(items: indices.map { set.items[$0] }, results: decoding).failures
      for (index, result) in zip(indices, results) {
        if case .success(let values) = result.values { try file.write(values, of: index) }
      }
      try file.synchronize()
      for (index, result) in zip(indices, results) {
        try file.write(result.record, of: index)
        entries[index] = result.record
      }
    }
    if failures.count == set.items.count, let first = failures.first { throw first.reason }
    return try finish(file, entries, resumed: resumed, failures)
  }

  private func progress(_ resumed: Int, _ done: Int, _ wanted: Int, since start: Date) -> WorkProgress {
    var progress = WorkProgress("preparing", done: resumed + done, total: set.items.count, unit: "images")
    let rate = Double(done) / max(Date().timeIntervalSince(start), 1e-3)
    progress.imagesPerSecond = rate
    progress.secondsLeft = Double(wanted - done) / max(rate, 1e-9)
    return progress
  }

  // MARK: Reading

  private struct Reading: Sendable {
    let values: Result<[Float], ImageError>
    let record: PreparedRecord
  }

  private func read(
    _ indices: [Int], workers: Int?, progress: (Int) -> Void
  ) async throws(CancellationError) -> [Reading] {
    let items = indices.map { set.items[$0] }
    let specification = specification
    let decoded = try await ImageReader.decode(filesOf: items, workers: workers, progress: progress) {
      item -> (image: PreparedImage, entry: ContentIndex.Entry) in
      (try specification.prepared(item), ContentIndex.Entry(of: item))
    }
    return zip(items, decoded).map { item, result in
      switch result {
      case .success(let (image, entry)):
        Reading(
          values: .success(image.values),
          record: PreparedRecord(state: .read, placement: image.placement, entry: entry))
      case .failure(let error):
        Reading(
          values: .failure(error),
          record: PreparedRecord(state: .unreadable, placement: nil, entry: ContentIndex.Entry(of: item)))
      }
    }
  }

  // MARK: The file

  /// Name, type and shape of the arrays whose sizes are known from the start.
  private var layout: PartialFile.Layout {
    PartialFile.Layout(
      openingBytes: Self.openingBytes, count: set.items.count,
      valuesShape: [set.items.count, specification.channels] + specification.extents)
  }

  /// Changes with whatever the file's contents follow from.
  private var key: String {
    var hash = ContentHash()
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    if let settings = try? encoder.encode(specification) { hash.add(settings) }
    var stamps: [String: String] = [:]
    for item in set.items {
      let paths = [item.path, item.maskPath, item.pairedPath].map { $0 ?? "" }
      hash.add("\(item.name)\0\(paths.map { "\($0)\0\(Self.stamp($0, &stamps))" }.joined(separator: "\0"))\n".utf8)
    }
    return hash.description
  }

  /// Size and time of change of a file, or of the file that a path with a `#` names a part of.
  private static func stamp(_ path: String, _ known: inout [String: String]) -> String {
    guard !path.isEmpty else { return "" }
    var file = path
    if !FileManager.default.fileExists(atPath: path), let mark = path.lastIndex(of: "#") {
      file = String(path[..<mark])
    }
    if let stamp = known[file] { return stamp }
    let attributes = try? FileManager.default.attributesOfItem(atPath: file)
    let changed = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
    let stamp = "\((attributes?[.size] as? NSNumber)?.int64Value ?? 0) \(changed)"
    known[file] = stamp
    return stamp
  }

  private func finish(
    _ file: PartialFile, _ records: [Int: PreparedRecord], resumed: Int, _ failures: [DecodingReport.Failure]
  ) throws -> Outcome {
    let entries = set.items.indices.map { index in
      ContentIndex.Entry(
        item: set.items[index], size: records[index]?.size ?? 0, hash: records[index]?.hash,
        maskHash: records[index]?.maskHash, pairedHash: records[index]?.pairedHash)
    }
    let fingerprint = ContentIndex(entries: entries).fingerprint
    let description = PreparedDataSet.Description(
      specification: specification, data: configuration.data, set: keepsPatients ? set : numberingPatients(),
      fingerprint: fingerprint)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let bytes = try file.finish(description: encoder.encode(description), fingerprint: fingerprint)
    return Outcome(
      path: output, images: set.items.count, resumed: resumed, failures: failures, fingerprint: fingerprint,
      bytes: bytes)
  }

  /// The data set with patients as numbers, in the order in which they first come up.
  private func numberingPatients() -> ImageDataSet {
    var numbered = set
    var numbers: [String: String] = [:]
    for index in numbered.items.indices {
      guard let patient = numbered.items[index].patient else { continue }
      let number = numbers[patient] ?? "\(numbers.count + 1)"
      numbers[patient] = number
      numbered.items[index].patient = number
    }
    return numbered
  }
}
