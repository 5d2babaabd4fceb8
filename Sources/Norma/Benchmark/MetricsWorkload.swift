import Evaluation
import MedicalImaging

/// Metrics on as many scores and maps as large studies have, to be timed.
public enum MetricsWorkload: String, CaseIterable, Sendable {
  /// AUROC with a bootstrap interval of 2,000 resamples, of 100,000 scores.
  case auroc = "auroc-interval"
  /// AUPRO and the other figures of pixels, of 1,000 maps of 256×256 with masks.
  case aupro

  /// How many scores or maps one round takes.
  public var count: Int {
    switch self {
    case .auroc: 100_000
    case .aupro: 1_000
    }
  }

  /// Draws scores or maps, and computes the figures once.
  /// - Returns: the seconds that the figures took, without drawing, and `count`.
  public func run() throws -> (seconds: Double, images: Int) {
    var random = SeededGenerator(seed: 1)
    func noise() -> Double { Double(random.next() >> 11) * 0x1p-53 }
    switch self {
    case .auroc:
      let labels = (0..<count).map { _ in noise() < 0.5 }
      let cases = try LabelledScores(scores: labels.map { noise() + ($0 ? 0.3 : 0) }, labels: labels)
      let watch = Stopwatch()
      _ = try Evaluation.auroc(cases)
      _ = try Bootstrap().interval(of: .auroc, on: cases)
      return (watch.seconds, count)
    case .aupro:
      // Few maps are drawn, and each is scaled anew, so that hardly any two of all pixels are equal.
      let side = 256
      let drawn = (0..<20).map { number in
        let pixels = (0..<side * side).map { pixel in
          let (row, column) = (pixel / side, pixel % side)
          return number % 2 == 0 && (row < 40 + 5 * number && column < 60 || row > 220 && column > 180)
        }
        return (
          map: pixels.map { Float(noise() + noise() + ($0 ? 0.6 : 0)) },
          mask: GroundTruthMask(width: side, height: side, pixels: pixels)
        )
      }
      var (figures, seconds) = (PixelAccumulator(), 0.0)
      for number in 0..<count {
        let (map, mask) = drawn[number % drawn.count]
        let scaled = map.map { $0 * (1 + Float(number) * 1e-4) }
        let watch = Stopwatch()
        try figures.add(map: scaled, mask: mask)
        seconds += watch.seconds
      }
      let watch = Stopwatch()
      _ = try figures.figures()
      return (seconds + watch.seconds, count)
    }
  }
}
