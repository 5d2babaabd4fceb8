import Foundation
import Torch

/// Hands out batches of prepared images or of their views in a given order, gathered ahead of time on threads of its own.
final class BatchLoader {
  private typealias Batch = Result<(values: [[Float]], indices: [Int]), any Error>
  private let count: Int
  private let load: @Sendable (Int) -> Batch
  private let work = OrderedWork<Batch>(workers: 1, name: "norma.loader")
  /// Seconds that `next` has waited for images.
  private(set) var waited = 0.0

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
    let all = stride(from: 0, to: order.count, by: batchSize).map {
      Array(order[$0..<min($0 + batchSize, order.count)])
    }
    let batches = Array(all.filter { $0.count >= smallestBatch }.dropFirst(skipped))
    let files = readsImages ? OpenImages(images, batches: batches) : nil
    count = batches.count
    load = { number in
      Result { try files?.load(batches[number], number: number) ?? (values: [], indices: batches[number]) }
    }
  }

  /// The next batch and the indices of its views; nil after the last.
  /// - Throws: `ImageError` when a file can no longer be read.
  func next() throws -> (values: [[Float]], indices: [Int])? {
    let start = Date()
    defer { waited += Date().timeIntervalSince(start) }
    return try work.next(of: count, ahead: 1 + Self.depth, load)?.get()
  }

  /// The images that are read from their files, each once from the first batch with one of its views to the last, by a few
  /// threads ahead of the batch that wants them.
  ///
  /// `@unchecked Sendable`: one thread makes all batches, one after the other.
  private final class OpenImages: @unchecked Sendable {
    private let images: PreparedImages
    /// The last batch that wants an image.
    private var last: [Int: Int] = [:]
    /// The images in the order in which they are wanted first.
    private var sequence: [Int] = []
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
    func load(_ batch: [Int], number: Int) throws -> (values: [[Float]], indices: [Int]) {
      for image in batch.map({ images.views[$0].image }) where last[image] != nil && open[image] == nil {
        // The first that is not open is the next of the sequence.
        open[image] = reading.next(of: sequence.count, ahead: ahead) { [images, sequence] place in
          Result { try images.values(at: sequence[place]) }
        }
      }
      defer { for image in open.keys where last[image] == number { open[image] = nil } }
      let values = try batch.map { view in
        let image = images.views[view].image
        return images.values(ofView: view, in: try open[image]?.get() ?? images.values(at: image))
      }
      return (values, batch)
    }
  }
}
