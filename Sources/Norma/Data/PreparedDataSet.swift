import Foundation
public import MedicalImaging
import Torch

/// A data set in one file, at a network's size: a safetensors file, mapped into memory.
///
/// | array | holds |
/// |---|---|
/// | `records`, I64 `[n, 25]` | of each image its state, own sides, size and hashes of its files, and where the network sees it |
/// | `affines`, F64 `[n, 12]` | how the voxels of volumes lie |
/// | `images`, F32 `[n, channels, sides…]` | values 0 ... 1 as `InputSpecification` prepares them, bit for bit |
/// | `description`, U8 | JSON: items with labels and splits, what they were prepared for, the fingerprint of all files |
///
/// The scale of values (`input.intensity`, `input.deviations`) is applied when batches are made and may differ from run to
/// run; every other input setting must be the one that the file was prepared for. Paths of the original files are kept:
/// reports, masks and maps read them.
public struct PreparedDataSet: Sendable {
  /// What `description` holds.
  struct Description: Codable {
    static let currentFormat = 1
    var format = Self.currentFormat
    var version = Norma.version
    var specification: InputSpecification
    var data: DataConfiguration
    var set: ImageDataSet
    var fingerprint: String
  }

  /// The file's path as it was given.
  public let path: String
  /// What the images were prepared for.
  public let specification: InputSpecification
  /// All images with labels and splits, unreadable ones included.
  public let dataSet: ImageDataSet
  /// The fingerprint of all source files (`ContentIndex.fingerprint`).
  public let fingerprint: String
  private let data: DataConfiguration
  private let records: [PreparedRecord]
  private let values: Data
  private let places: [String: Int]

  static let ending = ".safetensors"
  static let mark = "norma.prepared"

  /// The prepared data set at a path; nil where the path does not end as a prepared file's does.
  /// - Throws: `PreparedDataError`, for a file of another kind or damaged; `SerialisationError` when it cannot be opened.
  public static func opened(at path: String) throws -> PreparedDataSet? {
    guard path.lowercased().hasSuffix(ending) else { return nil }
    return try PreparedDataSet(contentsOf: path)
  }

  /// Opens a file; no image is read.
  /// - Throws: as `opened(at:)`.
  public init(contentsOf path: String) throws {
    func wrong(_ reason: String) -> PreparedDataError { .notPrepared(path: path, reason: reason) }
    let file = try SafetensorsFile(contentsOf: URL(fileURLWithPath: path))
    guard file.metadata[Self.mark] != nil else { throw wrong("it holds something else, perhaps a trained detector") }
    let arrays = try ["records", "affines", "images", "description"].map { try file.array(named: $0) }
    guard let description = try? JSONDecoder().decode(Description.self, from: Data(arrays[3].data)),
      description.format == Description.currentFormat
    else { throw wrong("another version of Norma wrote it") }
    let items = description.set.items
    let count = items.count
    guard arrays[0].shape == [count, PreparedRecord.columns], arrays[1].shape == [count, PreparedRecord.affineColumns],
      arrays[2].shape == [count, description.specification.channels] + description.specification.extents,
      arrays[2].dtype == .float32
    else { throw wrong("its arrays do not belong together") }
    records = try items.indices.map { index in
      guard
        let record = PreparedRecord(
          integers: Self.row(index, of: arrays[0], width: 8 * PreparedRecord.columns),
          affine: Self.row(index, of: arrays[1], width: 8 * PreparedRecord.affineColumns)), record.state != .missing,
        record.placement.map({ $0.axes.map(\.count) == description.specification.extents }) ?? true
      else { throw wrong("its record of image \(index) is damaged") }
      return record
    }
    self.path = path
    (specification, data, dataSet) = (description.specification, description.data, description.set)
    (fingerprint, values) = (description.fingerprint, arrays[2].data)
    places = Dictionary(items.enumerated().map { ($1.path, $0) }) { first, _ in first }
  }

  private static func row(_ index: Int, of array: StoredArray, width: Int) -> Data {
    let start = array.data.startIndex + index * width
    return array.data[start..<start + width]
  }

  /// The prepared values of an item; nil where the file does not hold them.
  func values(of item: DataItem) -> [Float]? {
    guard let place = places[item.path], records[place].state == .read else { return nil }
    let width = specification.count * MemoryLayout<Float>.stride
    let start = values.startIndex + place * width
    return [Float](unsafeUninitializedCapacity: specification.count) { buffer, count in
      values[start..<start + width].withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
      count = specification.count
    }
  }

  /// The images of these items, which stay in the file until they are asked for.
  func images(_ items: [DataItem], for specification: InputSpecification) -> PreparedImages {
    if let inputs = specification.members {
      let members = inputs.map { images(items, for: $0) }
      return members[0].joined(with: members, as: specification)
    }
    let results = items.map { item -> Result<GridPlacement, ImageError> in
      guard let place = places[item.path], let placement = records[place].placement else {
        return .failure(
          .rejected(
            path: item.path, reason: "it could not be read when \(path) was prepared; norma data prepare says why"))
      }
      return .success(placement)
    }
    let readable = zip(items, results).compactMap { item, result in (try? result.get()).map { (item, $0) } }
    return PreparedImages(
      items: readable.map(\.0), placements: readable.map(\.1),
      failures: DecodingReport(items: items, results: results).failures, specification: specification,
      cached: Array(repeating: nil, count: readable.count), prepared: self)
  }

  /// What the files of these items contained when they were prepared.
  func contents(of items: [DataItem]) -> ContentIndex {
    ContentIndex(
      entries: items.map { item in
        let record = places[item.path].map { records[$0] }
        return .init(
          item: item, size: record?.size ?? 0, hash: record?.hash, maskHash: record?.maskHash,
          pairedHash: record?.pairedHash)
      })
  }

  // MARK: What it fits

  /// Whether a configuration can be trained from the file.
  public func serves(_ configuration: RunConfiguration) -> Bool { (try? check(configuration)) != nil }

  /// Checks that the file was prepared for what a configuration asks.
  /// - Throws: `PreparedDataError.otherSettings`, naming what differs.
  func check(_ configuration: RunConfiguration) throws {
    let wanted = configuration.inputSpecification
    var differences: [String] = []
    if let other = (wanted.members ?? [wanted]).first(where: { !specification.readsAlike($0) }) {
      differences = Self.differences(specification, other)
    }
    for (key, mine, theirs) in [
      ("data.set", data.set, configuration.data.set), ("data.part", data.part, configuration.data.part),
      ("data.normalClass", data.normalClass, configuration.data.normalClass),
    ] where !theirs.isEmpty && mine.lowercased() != theirs.lowercased() {
      differences.append("\(key) is \(mine.isEmpty ? "empty" : mine) in the file and \(theirs) here")
    }
    if data.uncertain != configuration.data.uncertain {
      differences.append(
        "data.uncertain is \(data.uncertain.rawValue) in the file and \(configuration.data.uncertain.rawValue) here")
    }
    guard differences.isEmpty else { throw PreparedDataError.otherSettings(path: path, differences: differences) }
  }

  /// The settings in which two specifications differ, with both values.
  private static func differences(_ file: InputSpecification, _ wanted: InputSpecification) -> [String] {
    func text(_ value: Any) -> String {
      if let list = value as? [Any] {
        return list.isEmpty ? "empty" : "[\(list.map { "\($0)" }.joined(separator: ", "))]"
      }
      return "\(value)"
    }
    var found: [String] = []
    if file.extents != wanted.extents {
      let sizes = [file, wanted].map { $0.extents.reversed().map(String.init).joined(separator: "×") }
      found.append("images are \(sizes[0]) in the file and \(sizes[1]) here")
    }
    if file.channels != wanted.channels {
      found.append("images have \(file.channels) channels in the file and \(wanted.channels) here")
    }
    let keys = zip(Mirror(reflecting: file.intensity).children, Mirror(reflecting: wanted.intensity).children)
    for (mine, theirs) in keys where text(mine.value) != text(theirs.value) {
      guard let key = mine.label, !["intensity", "deviations"].contains(key) else { continue }
      found.append("input.\(key) is \(text(mine.value)) in the file and \(text(theirs.value)) here")
    }
    return found.isEmpty ? ["the input settings differ"] : found
  }
}
