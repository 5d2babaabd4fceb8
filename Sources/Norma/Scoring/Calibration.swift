import Foundation
import Torch

/// What the scores of normal training images look like: turns raw scores into comparable ones, without labels.
public struct Calibration: Codable, Equatable, Sendable {
  /// One score's distribution over the normal training images.
  public struct Distribution: Codable, Equatable, Sendable {
    /// Mean (μ of eq. 2).
    public let mean: Double
    /// Population standard deviation (σ of eq. 2).
    public let standardDeviation: Double
    /// The configured quantile of normal scores: the threshold that needs no labels of anomalies.
    public let threshold: Double

    /// Learns from the scores of normal training images; the quantile is linear between neighbours.
    /// - Parameter heldOut: scores of normal images that nothing was trained on; where there are any, the threshold is
    ///   theirs, as networks explain their own training images a little too well.
    ///   `moments`: scores that mean and standard deviation are taken of, where they are not those of the training images.
    /// - Precondition: there is at least one score.
    public init(of scores: [Double], heldOut: [Double] = [], moments: [Double]? = nil, quantile: Double) {
      let measured = moments ?? scores
      let count = Double(measured.count)
      let mean = measured.reduce(0, +) / count
      self.mean = mean
      standardDeviation = (measured.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
      let sorted = (heldOut.isEmpty ? scores : heldOut).sorted()
      let position = quantile * Double(sorted.count - 1)
      let below = Int(position)
      let above = min(below + 1, sorted.count - 1)
      threshold = sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
    }

    /// How many standard deviations a score lies above the normal mean.
    public func standardised(_ score: Double) -> Double { (score - mean) / (standardDeviation + 1e-8) }

    /// Eq. 2: the logistic function of the standardised score, 0 ... 1.
    public func probability(_ score: Double) -> Double { 1 / (1 + exp(-standardised(score))) }
  }

  /// Distributions by score name.
  public let scores: [String: Distribution]
  /// Where the thresholds came from, in words.
  public let thresholdSource: String
  /// For each map the values that are shown as nothing and as full colour: median and 99.5 % of normal images.
  public let mapRanges: [String: [Double]]

  /// Puts a calibration together.
  public init(scores: [String: Distribution], thresholdSource: String = "", mapRanges: [String: [Double]]) {
    self.scores = scores
    self.thresholdSource = thresholdSource
    self.mapRanges = mapRanges
  }
}
