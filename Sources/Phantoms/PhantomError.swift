/// What can go wrong when phantoms are configured or written.
public enum PhantomError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A configuration key holds a value that no image can be made with.
  case invalidValue(key: String, value: String, expected: String)
  /// A folder could not be made.
  case cannotWrite(path: String, reason: String)

  /// One sentence naming the key or folder and the remedy.
  public var description: String {
    switch self {
    case .invalidValue(let key, let value, let expected):
      "\(key) is \(value), but must be \(expected)."
    case .cannotWrite(let path, let reason):
      "Cannot write \(path) (\(reason)); choose a folder that can be written."
    }
  }
}

extension PhantomError {
  /// Refuses a number out of range.
  static func check(_ key: String, _ value: Double, in range: ClosedRange<Double>) throws(PhantomError) {
    guard !range.contains(value) else { return }
    let low = range.lowerBound.formattedBriefly
    let high = range.upperBound.formattedBriefly
    throw .invalidValue(key: key, value: value.formattedBriefly, expected: "from \(low) to \(high)")
  }

  /// Refuses a whole number out of range.
  static func check(_ key: String, _ value: Int, in range: ClosedRange<Int>) throws(PhantomError) {
    guard !range.contains(value) else { return }
    throw .invalidValue(
      key: key, value: String(value), expected: "from \(range.lowerBound) to \(range.upperBound)")
  }
}

extension Double {
  /// Whole numbers without a fraction, others as they print.
  fileprivate var formattedBriefly: String {
    self == rounded() && abs(self) < 1e15 ? String(Int(self)) : String(self)
  }
}
