import Foundation

/// Bands of a number that a manifest tells of each case, for example of ages.
public struct AttributeBands: Equatable, Sendable {
  /// Where one band ends and the next begins; a limit belongs to the band above it.
  public let limits: [Double]

  /// Creates one band more than there are limits.
  /// - Throws: `EvaluationError.limitsNotRising`.
  public init(limits: [Double]) throws(EvaluationError) {
    guard limits.allSatisfy(\.isFinite), zip(limits, limits.dropFirst()).allSatisfy({ $0 < $1 }) else {
      throw .limitsNotRising(limits)
    }
    self.limits = limits
  }

  /// What the bands are called, ascending: `< 40`, `40 to < 60`, `≥ 60`.
  public var names: [String] {
    let words = limits.map { $0.rounded() == $0 && abs($0) < 1e15 ? "\(Int($0))" : "\($0)" }
    guard let first = words.first, let last = words.last else { return ["all"] }
    return ["< \(first)"] + zip(words, words.dropFirst()).map { "\($0) to < \($1)" } + ["≥ \(last)"]
  }

  /// The band of a number, or of an age as DICOM writes it (`064Y`, `011M`, `003W`, `012D`; PS3.5 §6.2), in years.
  /// - Returns: its name; nil where the text is neither.
  public func name(of text: String) -> String? {
    var digits = text.trimmingCharacters(in: .whitespaces)
    var perYear = 1.0
    if digits.count == 4, let unit = ["Y": 1, "M": 12, "W": 52.1775, "D": 365.2425][digits.suffix(1)] {
      perYear = unit
      digits.removeLast()
    }
    guard let number = Double(digits), number.isFinite else { return nil }
    return names[limits.count { $0 <= number / perYear }]
  }
}
