public import MedicalImaging

/// The images or volumes of one split at network size, decoded once and kept in memory as far as the limit allows.
public struct PreparedImages: Sendable {
  /// The items that could be read, in order.
  public let items: [DataItem]
  /// Their own grids, in the same order.
  public let grids: [ImageGrid]
  /// The items that could not be read, with the reason.
  public let failures: [DecodingReport.Failure]
  /// What the images were prepared for.
  public let specification: InputSpecification
  private let cached: [[Float]?]

  /// Reads all items in parallel.
  /// - Parameters:
  ///   - memoryLimit: bytes of prepared images to keep; the others are read again when asked for.
  ///   - progress: called with the number of images done.
  /// - Throws: `CancellationError`; `ImageError.otherKind` when all are images where volumes are wanted, or the reverse.
  public init(
    _ items: [DataItem], for specification: InputSpecification, memoryLimit: Int = .max,
    progress: (Int) -> Void = { _ in }
  ) async throws {
    let room = memoryLimit / (specification.count * MemoryLayout<Float>.stride)
    typealias Decoded = (values: [Float]?, grid: ImageGrid)
    let inMemory = Array(items.prefix(room))
    var results = try await ImageReader.decode(filesOf: inMemory, progress: progress) { item -> Decoded in
      try specification.prepared(item)
    }
    results += try await ImageReader.decode(
      filesOf: Array(items.dropFirst(room)), progress: { progress(inMemory.count + $0) }
    ) { item -> Decoded in (nil, try specification.read(item).image.grid) }
    var (kept, grids, cached): ([DataItem], [ImageGrid], [[Float]?]) = ([], [], [])
    for (item, result) in zip(items, results) {
      guard case .success(let decoded) = result else { continue }
      kept.append(item)
      grids.append(decoded.grid)
      cached.append(decoded.values)
    }
    failures = DecodingReport(items: items, results: results).failures
    if kept.isEmpty, let first = failures.first?.reason, failures.allSatisfy({ $0.reason.isOtherKind }) { throw first }
    (self.items, self.grids, self.cached, self.specification) = (kept, grids, cached, specification)
  }

  /// The number of images that could be read.
  public var count: Int { items.count }

  /// Whether each image is abnormal; nil when some label is not known.
  public var abnormalities: [Bool]? {
    let labels = items.compactMap { $0.label.map { $0 == .abnormal } }
    return labels.count == items.count ? labels : nil
  }

  /// Whether image `index` need not be read from its file.
  func isInMemory(_ index: Int) -> Bool { cached[index] != nil }

  /// Image `index`, from memory or from its file.
  /// - Throws: `ImageError` when the file cannot be read any more.
  func values(at index: Int) throws -> [Float] {
    try cached[index] ?? specification.prepared(items[index]).values
  }

  /// The first `count` images.
  public func prefix(_ count: Int) -> PreparedImages { selecting(indices: Array(items.indices.prefix(count))) }

  /// The images whose items satisfy `isWanted`.
  public func selecting(_ isWanted: (DataItem) -> Bool) -> PreparedImages {
    selecting(indices: items.indices.filter { isWanted(items[$0]) })
  }

  private func selecting(indices: [Int]) -> PreparedImages {
    PreparedImages(
      items: indices.map { items[$0] }, grids: indices.map { grids[$0] }, failures: failures,
      specification: specification, cached: indices.map { cached[$0] })
  }

  private init(
    items: [DataItem], grids: [ImageGrid], failures: [DecodingReport.Failure],
    specification: InputSpecification, cached: [[Float]?]
  ) {
    (self.items, self.grids, self.failures) = (items, grids, failures)
    (self.specification, self.cached) = (specification, cached)
  }
}
