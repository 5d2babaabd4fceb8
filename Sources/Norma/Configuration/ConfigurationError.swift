/// What is wrong with a configuration, in one sentence that names the key.
public enum ConfigurationError: Error, Equatable, CustomStringConvertible, Sendable {
  /// A key that nothing reads, and the nearest one that something does.
  case unknownKey(key: String, nearest: String?)
  /// A value outside of what the key allows.
  case invalidValue(key: String, value: String, allowed: String)
  /// A value of another kind than the key holds.
  case wrongType(key: String, expected: String)
  /// Text that is no YAML.
  case notYAML(source: String, reason: String)
  /// A file that cannot be read.
  case unreadable(path: String)
  /// A preset or method that does not exist.
  case unknownName(kind: String, name: String, known: [String])

  /// The sentence.
  public var description: String {
    switch self {
    case .unknownKey(let key, let nearest):
      "configuration key '\(key)' does not exist" + (nearest.map { "; did you mean '\($0)'?" } ?? "")
    case .invalidValue(let key, let value, let allowed): "configuration key '\(key)' is \(value); it may be \(allowed)"
    case .wrongType(let key, let expected): "configuration key '\(key)' must be \(expected)"
    case .notYAML(let source, let reason): "\(source) is no valid YAML: \(reason)"
    case .unreadable(let path): "the configuration \(path) cannot be read; check the path"
    case .unknownName(let kind, let name, let known):
      "there is no \(kind) '\(name)'; choose one of \(known.joined(separator: ", "))"
    }
  }
}
