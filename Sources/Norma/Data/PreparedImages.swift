import Foundation
public import MedicalImaging
import Torch

/// The images or volumes of one split at network size, decoded once and kept in memory as far as the limit allows.
public struct PreparedImages: Sendable {
  /// The items that could be read, in order.
  public let items: [DataItem]
  /// Their own grids, in the same order.
  public var grids: [ImageGrid] { placements.map(\.grid) }
  /// Where the network's grid lies in each.
  let placements: [GridPlacement]
  /// How each is cut into views.
  let layouts: [ImageViews]
  /// What the network sees, one by one: all images, or all of their slices or boxes.
  let views: [ImageView]
  /// The items that could not be read, with the reason.
  public let failures: [DecodingReport.Failure]
  /// What the images were prepared for.
  public let specification: InputSpecification
  /// The same images as each member of an ensemble sees them; empty for a single detector.
  let members: [PreparedImages]
  private let cached: [[Float]?]
  private let prepared: PreparedDataSet?

  /// Reads all items in parallel.
  /// - Parameters:
  ///   - memoryLimit: bytes of prepared images to keep; the others are read again when asked for.
  ///   - earlier: prepared images whose files have not changed since; those of the same size are not read again.
  ///   - progress: called with the number of images done.
  /// - Throws: `CancellationError`; `ImageError.otherKind` when all are images where volumes are wanted, or the reverse.
  public init(
    _ items: [DataItem], for specification: InputSpecification, memoryLimit: Int = .max,
    reusing earlier: [PreparedImages] = [], progress: (Int) -> Void = { _ in }
  ) async throws {
    if let inputs = specification.members {
      self = try await Self.prepared(
        items, forEach: inputs, of: specification, memoryLimit: memoryLimit, reusing: earlier, progress: progress)
      return
    }
    // What an image takes is known beforehand where the network sees all of it.
    let room = specification.isCut ? .max : memoryLimit / (specification.count * MemoryLayout<Float>.stride)
    let known = Self.decoded(in: earlier.filter { $0.specification.readsAlike(specification) })
    var results: [Result<Decoded, ImageError>?] = items.enumerated().map { index, item in
      guard let decoded = known[item.path], index >= room || decoded.values != nil else { return nil }
      return .success((index < room ? decoded.values : nil, decoded.placement))
    }
    let unread = items.indices.filter { results[$0] == nil }
    var done = items.count - unread.count
    var left = memoryLimit - results.reduce(0) { $0 + Self.bytes(of: $1) }
    let width = Allotment.processors
    let parts =
      specification.isCut
      ? stride(from: 0, to: unread.count, by: width).map { Array(unread[$0..<min($0 + width, unread.count)]) }
      : [unread.filter { $0 < room }, unread.filter { $0 >= room }]
    for wanted in parts {
      let before = done
      let keeps = specification.isCut ? left > 0 : wanted.allSatisfy { $0 < room }
      let read = try await ImageReader.decode(filesOf: wanted.map { items[$0] }, progress: { progress(before + $0) }) {
        item -> Decoded in
        if keeps {
          let image = try specification.prepared(item)
          return (image.values, image.placement)
        }
        return (nil, try specification.placement(of: specification.read(item).image))
      }
      for (index, result) in zip(wanted, read) {
        left -= Self.bytes(of: result)
        results[index] = left < 0 ? result.map { (nil, $0.placement) } : result
      }
      done += wanted.count
    }
    var (kept, placements, cached): ([DataItem], [GridPlacement], [[Float]?]) = ([], [], [])
    for (item, result) in zip(items, results) {
      guard case .success(let decoded) = result else { continue }
      kept.append(item)
      placements.append(decoded.placement)
      cached.append(decoded.values)
    }
    failures = DecodingReport(items: items, results: results.compactMap { $0 }).failures
    if kept.isEmpty, let first = failures.first?.reason, failures.allSatisfy({ $0.reason.isOtherKind }) { throw first }
    (self.items, self.placements, self.cached, self.specification) = (kept, placements, cached, specification)
    (prepared, members) = (nil, [])
    layouts = Self.layouts(of: placements, for: specification)
    views = Self.views(of: layouts)
  }

  /// The number of images that could be read.
  public var count: Int { items.count }

  /// Whether each image is abnormal; nil when some label is not known.
  public var abnormalities: [Bool]? {
    let labels = items.compactMap { $0.label.map { $0 == .abnormal } }
    return labels.count == items.count ? labels : nil
  }

  /// What is worth knowing of images that can be used, a sentence each; of many, the first ones and how many more.
  public var remarks: [String] {
    let all = zip(items, grids).compactMap { item, grid in grid.remark(about: item.path) }
    guard all.count > Self.namedRemarks + 1 else { return all }
    return all.prefix(Self.namedRemarks)
      + ["\(all.count - Self.namedRemarks) more volumes have tilted slices; norma data inspect names them."]
  }

  private static let namedRemarks = 5

  /// Whether image `index` need not be read from its file.
  func isInMemory(_ index: Int) -> Bool { cached[index] != nil || prepared != nil }

  /// Image `index` with all of its views, from memory or from its file.
  /// - Throws: `ImageError` when the file cannot be read any more.
  func values(at index: Int) throws -> [Float] {
    try cached[index] ?? prepared?.values(of: items[index]) ?? specification.prepared(items[index]).values
  }

  /// The values of the views at `indices` as one batch on the scale that the network takes.
  func batch(_ values: [[Float]], at indices: [Int], on device: Device) throws(TorchError) -> Tensor {
    try specification.scaled(
      specification.batch(values, on: device), placements: indices.map { placement(ofView: $0) })
  }

  /// The first `count` images.
  public func prefix(_ count: Int) -> PreparedImages { selecting(indices: Array(items.indices.prefix(count))) }

  /// The images whose items satisfy `isWanted`.
  public func selecting(_ isWanted: (DataItem) -> Bool) -> PreparedImages {
    selecting(indices: items.indices.filter { isWanted(items[$0]) })
  }

  /// The images at these places.
  func selecting(indices: [Int]) -> PreparedImages {
    PreparedImages(
      items: indices.map { items[$0] }, placements: indices.map { placements[$0] }, failures: failures,
      specification: specification, cached: indices.map { cached[$0] }, prepared: prepared,
      members: members.map { $0.selecting(indices: indices) })
  }

  /// The images as each of several networks takes them; those that one of them cannot read are left out. What is alike but for
  /// the scale is read and kept once.
  private static func prepared(
    _ items: [DataItem], forEach inputs: [InputSpecification], of specification: InputSpecification, memoryLimit: Int,
    reusing earlier: [PreparedImages], progress: (Int) -> Void
  ) async throws -> PreparedImages {
    var known = earlier.flatMap { $0.members.isEmpty ? [$0] : $0.members }
    var members: [PreparedImages] = []
    for input in inputs {
      let images = try await PreparedImages(
        items, for: input, memoryLimit: memoryLimit / inputs.count, reusing: known, progress: progress)
      members.append(images)
      known.append(images)
    }
    return members[0].joined(with: members, as: specification)
  }

  /// These images, as far as all members read them, for an ensemble of which they are the first member's.
  func joined(with members: [PreparedImages], as specification: InputSpecification) -> PreparedImages {
    let failures = members.flatMap(\.failures)
    let failed = Set(failures.map(\.item.path))
    var told: Set<String> = []
    let common = members.map { member in
      member.selecting(indices: member.items.indices.filter { !failed.contains(member.items[$0].path) })
    }
    return PreparedImages(
      items: common[0].items, placements: common[0].placements,
      failures: failures.filter { told.insert($0.item.path).inserted }, specification: specification,
      cached: common[0].cached, prepared: common[0].prepared, members: common)
  }

  /// An image as it is kept: without values where the memory limit left them out.
  private typealias Decoded = (values: [Float]?, placement: GridPlacement)

  private static func bytes(of result: Result<Decoded, ImageError>?) -> Int {
    guard case .success(let decoded) = result else { return 0 }
    return (decoded.values?.count ?? 0) * MemoryLayout<Float>.stride
  }

  /// What is known of images that were prepared before, by path.
  private static func decoded(in earlier: [PreparedImages]) -> [String: Decoded] {
    var known: [String: Decoded] = [:]
    for images in earlier {
      for (index, item) in images.items.enumerated() {
        known[item.path] = (images.cached[index], images.placements[index])
      }
    }
    return known
  }

  /// Images that are known already; those without values come from `prepared`, or else from their files.
  init(
    items: [DataItem], placements: [GridPlacement], failures: [DecodingReport.Failure],
    specification: InputSpecification, cached: [[Float]?], prepared: PreparedDataSet? = nil,
    members: [PreparedImages] = []
  ) {
    (self.items, self.placements, self.failures) = (items, placements, failures)
    (self.specification, self.cached, self.prepared, self.members) = (specification, cached, prepared, members)
    layouts = Self.layouts(of: placements, for: specification)
    views = Self.views(of: layouts)
  }
}
