import Foundation
import Norma
import Torch

/// One kind of work beside one of the peer's, over all rounds: a line of the table, and an object of the JSON.
struct BenchRow: Codable, Equatable {
  /// What was timed, and where: what rows of one run have in common.
  struct Setting: Codable, Equatable {
    /// The preset's method; nil for metrics and files.
    var method: String?
    /// Side of the images or volumes, in samples.
    var size: Int?
    /// Images in a training batch.
    var batch: Int?
    /// Number format of products.
    var precision: String?
    var hardware: String
  }

  var setting: Setting
  var work: String
  /// The peer's work; nil without a peer.
  var peer: String?
  var rounds: Int
  /// Median over the rounds.
  var imagesPerSecond: Double
  var secondsPerImage: Double { 1 / imagesPerSecond }
  /// Median over the rounds.
  var peerImagesPerSecond: Double?
  /// Ours over the peer's, round by round.
  var ratios: [Double] = []
  /// Of `ratios`, the median.
  var ratio: Double?
  /// The most that was resident in any round.
  var peakBytes: Int?
  var peerPeakBytes: Int?
  /// Of the network's work, per image; nil for other work.
  var multiplyAddsPerImage: Double?
  /// Read and written by all operators, per image.
  var bytesPerImage: Double?
  /// Two for each multiply-add.
  var operationsPerSecond: Double?
  /// Seconds per image that the multiply-adds take at the ceilings.
  var floorSecondsPerImage: Double?
  /// Seconds per image that the bytes would take, if all of them went through memory.
  var memorySecondsPerImage: Double?
  /// `floorSecondsPerImage` over `secondsPerImage`.
  var ceilingShare: Double?
  /// The same with the rate of matrix products alone, which convolutions may exceed.
  var matrixShare: Double?

  /// Sums rounds up.
  /// - Parameters:
  ///   - samples: ours and the peer's of each round; at least one.
  ///   - count: what `countedImages` images ask for.
  init(
    _ setting: Setting, work: String, peer: String?, samples: [(ours: BenchSample, peer: BenchSample?)],
    count: OperationCount? = nil, countedImages: Int = 1, ceilings: MachineCeilings? = nil
  ) {
    (self.setting, self.work, self.peer, rounds) = (setting, work, peer, samples.count)
    imagesPerSecond = Self.median(samples.map(\.ours.imagesPerSecond))
    peakBytes = samples.compactMap(\.ours.peakBytes).max()
    let peers = samples.compactMap(\.peer)
    if !peers.isEmpty {
      peerImagesPerSecond = Self.median(peers.map(\.imagesPerSecond))
      ratios = samples.compactMap { sample in
        sample.peer.map { sample.ours.imagesPerSecond / $0.imagesPerSecond }
      }
      ratio = Self.median(ratios)
      peerPeakBytes = peers.compactMap(\.peakBytes).max()
    }
    guard let count, countedImages > 0 else { return }
    let images = Double(countedImages)
    multiplyAddsPerImage = Double(count.multiplyAdds + count.reducedMultiplyAdds) / images
    bytesPerImage = Double(count.bytesRead + count.bytesWritten) / images
    operationsPerSecond = multiplyAddsPerImage.map { 2 * $0 * imagesPerSecond }
    guard let ceilings else { return }
    floorSecondsPerImage = ceilings.floor(of: count) / images
    memorySecondsPerImage = ceilings.memorySeconds(of: count) / images
    ceilingShare = floorSecondsPerImage.map { $0 * imagesPerSecond }
    matrixShare = ceilings.matrixSeconds(of: count) / images * imagesPerSecond
  }

  static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return .nan }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }
}
