public import MedicalImaging

/// The images of one split at network size, decoded once and kept in memory as far as the limit allows.
public struct PreparedImages: Sendable {
  /// The items that could be read, in order.
  public let items: [DataItem]
  /// Their own sizes, in the same order.
  public let sizes: [(width: Int, height: Int)]
  /// The items that could not be read, with the reason.
  public let failures: [DecodingReport.Failure]
  /// What the images were prepared for.
  public let specification: InputSpecification
  private let cached: [[Float]?]

  /// Reads all items in parallel.
  /// - Parameters:
  ///   - memoryLimit: bytes of prepared images to keep; the others are read again when asked for.
  ///   - progress: called with the number of images done.
  /// - Throws: `CancellationError`.
  public init(
    _ items: [DataItem], for specification: InputSpecification, memoryLimit: Int = .max,
    progress: (Int) -> Void = { _ in }
  ) async throws {
    let room = memoryLimit / (specification.size * specification.size * MemoryLayout<Float>.stride)
    typealias Decoded = (values: [Float]?, width: Int, height: Int)
    let inMemory = Array(items.prefix(room))
    var results = try await ImageReader.decode(inMemory, progress: progress) { image -> Decoded in
      (try specification.prepared(image), image.width, image.height)
    }
    results += try await ImageReader.decode(
      Array(items.dropFirst(room)), progress: { progress(inMemory.count + $0) }
    ) { image -> Decoded in (nil, image.width, image.height) }
    var (kept, sizes, cached): ([DataItem], [(width: Int, height: Int)], [[Float]?]) = ([], [], [])
    for (item, result) in zip(items, results) {
      guard case .success(let decoded) = result else { continue }
      kept.append(item)
      sizes.append((decoded.width, decoded.height))
      cached.append(decoded.values)
    }
    failures = DecodingReport(items: items, results: results).failures
    (self.items, self.sizes, self.cached, self.specification) = (kept, sizes, cached, specification)
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
    try cached[index] ?? specification.prepared(try ImageReader.read(items[index].path))
  }

  /// The first `count` images.
  public func prefix(_ count: Int) -> PreparedImages { selecting(indices: Array(items.indices.prefix(count))) }

  /// The images whose items satisfy `isWanted`.
  public func selecting(_ isWanted: (DataItem) -> Bool) -> PreparedImages {
    selecting(indices: items.indices.filter { isWanted(items[$0]) })
  }

  private func selecting(indices: [Int]) -> PreparedImages {
    PreparedImages(
      items: indices.map { items[$0] }, sizes: indices.map { sizes[$0] }, failures: failures,
      specification: specification, cached: indices.map { cached[$0] })
  }

  private init(
    items: [DataItem], sizes: [(width: Int, height: Int)], failures: [DecodingReport.Failure],
    specification: InputSpecification, cached: [[Float]?]
  ) {
    (self.items, self.sizes, self.failures) = (items, sizes, failures)
    (self.specification, self.cached) = (specification, cached)
  }
}
