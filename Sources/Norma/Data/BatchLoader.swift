import Foundation
import Torch

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

  /// The images that are read from their files, each once from the first batch with one of its views to the last, by a few
  /// threads ahead of the batch that wants them.
  private struct OpenImages {
    private let images: PreparedImages
    /// The last batch that wants an image.
    private var last: [Int: Int] = [:]
    /// The images in the order in which they are wanted first, and how many of them reading was begun of.
    private var sequence: [Int] = []
    private var begun = 0
    private var open: [Int: Result<[Float], any Error>] = [:]
    private let reading: OrderedWork<Result<[Float], any Error>>
    private let ahead: Int

    init(_ images: PreparedImages, batches: [[Int]]) {
      self.images = images
      for (number, batch) in batches.enumerated() {
        for image in batch.map({ images.views[$0].image }) where !images.isInMemory(image) {
          if last.updateValue(number, forKey: image) == nil { sequence.append(image) }
        }
      }
      let workers = Runtime.threads
      reading = OrderedWork(workers: workers)
      ahead = images.specification.isVolume ? workers : workers + (batches.first?.count ?? 0)
    }

    /// One batch, waiting for those of its images that are not read yet.
    mutating func load(_ batch: [Int], number: Int) throws -> (values: [[Float]], indices: [Int]) {
      for image in batch.map({ images.views[$0].image }) where last[image] != nil && open[image] == nil {
        while begun < sequence.count, reading.count < ahead {
          reading.begin { [images, next = sequence[begun]] in Result { try images.values(at: next) } }
          begun += 1
        }
        open[image] = reading.next()  // the first that is not open is the next of the sequence
      }
      defer { for image in open.keys where last[image] == number { open[image] = nil } }
      let values = try batch.map { view in
        let image = images.views[view].image
        return images.values(ofView: view, in: try open[image]?.get() ?? images.values(at: image))
      }
      return (values, batch)
    }
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
