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
