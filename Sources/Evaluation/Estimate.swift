/// One figure with what is known of its uncertainty.
public struct Estimate: Codable, Equatable, Sendable {
  /// What the figure is called, for people: `AUROC`, `average precision`, `sensitivity` and so on.
  public let name: String
  /// The figure of the cases; nil where it is not defined.
  public let value: Double?
  /// Where the true figure lies; nil where the cases do not tell.
  public let interval: ConfidenceInterval?
  /// Why value or interval are missing, in one sentence.
  public let reason: String?

  /// Puts together an estimate that was computed before.
  public init(name: String, value: Double?, interval: ConfidenceInterval? = nil, reason: String? = nil) {
    (self.name, self.value, self.interval, self.reason) = (name, value, interval, reason)
  }

  /// Computes a figure and its interval; what cannot be computed is nil, and the error's sentence the reason.
  init(
    _ name: String, value: () throws(EvaluationError) -> Double?,
    interval: () throws(EvaluationError) -> ConfidenceInterval?
  ) {
    var found: Double?
    do {
      found = try value()
      guard found != nil else {
        self.init(name: name, value: nil, reason: "Its denominator is zero here.")
        return
      }
      let interval = try interval()
      let reason = interval == nil ? "The cases show no variation, so how uncertain the figure is cannot be told." : nil
      self.init(name: name, value: found, interval: interval, reason: reason)
    } catch {
      self.init(name: name, value: found, reason: error.description)
    }
  }
}

extension String {
  /// The text with its first letter in upper case.
  var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
