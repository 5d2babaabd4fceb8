import Foundation

/// Hands out batches of prepared images or of their views in a given order, gathered ahead of time on threads of its own.
final class BatchLoader: Sendable {
  private let images: PreparedImages
  private let batches: [[Int]]
  private let queue: Queue

  /// Batches made ahead of the one in use.
  private static let depth = 4

  /// - Parameters:
  ///   - order: indices of views (`PreparedImages.views`): of images, where the network sees all of one.
  ///   - skipped: batches at the start that are not wanted (already used before a resume).
  ///   - smallestBatch: a last batch with fewer images is dropped.
  ///   - readsImages: false hands out indices alone.
  init(
    _ images: PreparedImages, order: [Int], batchSize: Int, skipped: Int = 0, smallestBatch: Int = 1,
    readsImages: Bool = true
  ) {
    self.images = images
    let all = stride(from: 0, to: order.count, by: batchSize).map {
      Array(order[$0..<min($0 + batchSize, order.count)])
    }
    batches = Array(all.filter { $0.count >= smallestBatch }.dropFirst(skipped))
    queue = Queue(depth: Self.depth)
    let thread = Thread { [images, batches, queue] in
      var files = OpenImages(images, batches: batches)
      for (number, batch) in batches.enumerated() {
        let loaded: Queue.Element = Result {
          readsImages ? try files.load(batch, number: number) : (values: [], indices: batch)
        }
        guard queue.push(loaded) else { return }
      }
      queue.finish()
    }
    thread.name = "norma.loader"
    thread.start()
  }

  deinit { queue.cancel() }

  /// Seconds that `next` has waited for images.
  var waited: Double { queue.waited }

  /// The next batch and the indices of its views; nil after the last.
  /// - Throws: `ImageError` when a file can no longer be read.
  func next() throws -> (values: [[Float]], indices: [Int])? { try queue.pop()?.get() }

  /// The images that are read from their files, each once from the first batch with one of its views to the last.
  private struct OpenImages {
    private let images: PreparedImages
    /// The last batch that wants an image.
    private var last: [Int: Int] = [:]
    private var open: [Int: [Float]] = [:]

    init(_ images: PreparedImages, batches: [[Int]]) {
      self.images = images
      for (number, batch) in batches.enumerated() {
        for view in batch where !images.isInMemory(images.views[view].image) { last[images.views[view].image] = number }
      }
    }

    /// One batch; images that are neither in memory nor open are read on all processors.
    mutating func load(_ batch: [Int], number: Int) throws -> (values: [[Float]], indices: [Int]) {
      let known = open
      let closed = Set(batch.map { images.views[$0].image }.filter { last[$0] != nil && known[$0] == nil }).sorted()
      if !closed.isEmpty {
        let gathered = Gathered(count: closed.count)
        DispatchQueue.concurrentPerform(iterations: closed.count) { [images] position in
          gathered.set(Result { try images.values(at: closed[position]) }, at: position)
        }
        for (image, values) in zip(closed, try gathered.values()) { open[image] = values }
      }
      defer { for image in open.keys where last[image] == number { open[image] = nil } }
      let values = try batch.map { view in
        let image = images.views[view].image
        return images.values(ofView: view, in: try open[image] ?? images.values(at: image))
      }
      return (values, batch)
    }
  }

  /// Images of a batch as they come in.
  ///
  /// `@unchecked Sendable`: `results` is read and written under `lock`.
  private final class Gathered: @unchecked Sendable {
    private let lock = NSLock()
    private var results: [Result<[Float], any Error>?]

    init(count: Int) { results = Array(repeating: nil, count: count) }

    func set(_ result: Result<[Float], any Error>, at position: Int) { lock.withLock { results[position] = result } }

    func values() throws -> [[Float]] { try lock.withLock { try results.compactMap { try $0?.get() } } }
  }

  /// A bounded queue between one producer and one consumer.
  ///
  /// `@unchecked Sendable`: every stored property is read and written under `condition`'s lock.
  private final class Queue: @unchecked Sendable {
    typealias Element = Result<(values: [[Float]], indices: [Int]), any Error>
    private let condition = NSCondition()
    private let depth: Int
    private var elements: [Element] = []
    private var isFinished = false
    private var isCancelled = false
    private var secondsWaited = 0.0

    init(depth: Int) { self.depth = depth }

    var waited: Double { locked { secondsWaited } }

    /// Adds an element when there is room; false when nobody wants it any more.
    func push(_ element: Element) -> Bool {
      locked {
        while elements.count >= depth, !isCancelled { condition.wait() }
        elements.append(element)
        condition.signal()
        return !isCancelled
      }
    }

    func finish() {
      locked {
        isFinished = true; condition.signal()
      }
    }

    func cancel() {
      locked {
        isCancelled = true; condition.signal()
      }
    }

    func pop() -> Element? {
      locked {
        let start = Date()
        while elements.isEmpty, !isFinished { condition.wait() }
        secondsWaited += Date().timeIntervalSince(start)
        defer { condition.signal() }
        return elements.isEmpty ? nil : elements.removeFirst()
      }
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
      condition.lock()
      defer { condition.unlock() }
      return body()
    }
  }
}
