import Foundation
import Testing

@testable import Norma

@Suite("Calibration on normal images")
struct CalibrationTests {
  private let scores = [4.0, 1, 3, 2, 10]

  @Test("Mean and population standard deviation")
  func moments() {
    let distribution = Calibration.Distribution(of: scores, quantile: 0.5)
    #expect(distribution.mean == 4)
    #expect(abs(distribution.standardDeviation - (50.0 / 5).squareRoot()) < 1e-12)
  }

  @Test(
    "The threshold is the quantile, linear between neighbours",
    arguments: [(0.0, 1.0), (0.5, 3.0), (0.25, 2.0), (0.9, 7.6), (0.95, 8.8)])
  func quantiles(_ quantile: Double, _ expected: Double) {
    #expect(abs(Calibration.Distribution(of: scores, quantile: quantile).threshold - expected) < 1e-12)
  }

  @Test("Images that nothing was trained on give the threshold, not the moments")
  func heldOut() {
    let distribution = Calibration.Distribution(of: scores, heldOut: [20, 30], quantile: 0.5)
    #expect(distribution.threshold == 25)
    #expect(distribution.mean == 4)
  }

  @Test("Moments of other images leave the threshold alone")
  func otherMoments() {
    let distribution = Calibration.Distribution(of: scores, moments: [1, 3], quantile: 0.5)
    #expect(distribution.mean == 2 && distribution.standardDeviation == 1)
    #expect(distribution.threshold == 3)
  }

  @Test("A single score is its own threshold and stays finite")
  func single() {
    let distribution = Calibration.Distribution(of: [3], quantile: 0.95)
    #expect(distribution.threshold == 3 && distribution.standardDeviation == 0)
    #expect(distribution.standardised(3) == 0)
    #expect(distribution.probability(3) == 0.5)
    #expect(distribution.probability(4).isFinite)
  }

  @Test("Scores are standardised and squashed as equation 2 says")
  func probability() {
    let distribution = Calibration.Distribution(of: scores, quantile: 0.5)
    let deviation = 10.0.squareRoot()
    #expect(abs(distribution.standardised(4 + 2 * deviation) - 2) < 1e-7)
    #expect(abs(distribution.probability(4 + 2 * deviation) - 1 / (1 + exp(-2))) < 1e-7)
    #expect(distribution.probability(4) == 0.5)
    #expect(distribution.probability(-1e6) < 1e-12 && distribution.probability(1e6) == 1)
  }
}
