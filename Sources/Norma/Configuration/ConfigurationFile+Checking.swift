import Foundation

// What a key may hold is told by what a valid configuration holds there.
extension ConfigurationFile {
  /// A value from a file or the command line, as the key at `path` takes it.
  /// - Parameter defaults: a valid configuration of the same method.
  /// - Throws: `ConfigurationError.wrongType`, or `.invalidValue` for a name that is none of a choice's.
  static func checked(
    _ value: Any, at path: [String], defaults: RunConfiguration
  ) throws(ConfigurationError) -> Any {
    guard let example = example(at: path, in: defaults) else { return value }
    return try checked(value, key: path.joined(separator: "."), like: example)
  }

  private static func checked(_ value: Any, key: String, like example: Any) throws(ConfigurationError) -> Any {
    if let choice = example as? any CaseIterable {
      let names = names(of: choice)
      // YAML takes a bare `off` for false.
      let word: String? = if let flag = value as? Bool { flag ? "on" : "off" } else { value as? String }
      guard let name = word, names.contains(name) else {
        throw .invalidValue(key: key, value: "\(value)", allowed: list(names))
      }
      return name
    }
    switch example {
    case let examples as [Any]:
      guard let values = value as? [Any] else { throw .wrongType(key: key, expected: "a list") }
      guard let first = examples.first else { return values }
      var checkedValues: [Any] = []
      for (index, value) in values.enumerated() {
        checkedValues.append(try checked(value, key: "\(key)[\(index)]", like: first))
      }
      return checkedValues
    case is Int:
      if let number = value as? Int { return number }
      guard let number = (value as? Double).flatMap(Int.init(exactly:)) else {
        throw .wrongType(key: key, expected: "a whole number")
      }
      return number
    case is Double:
      guard let number = value as? Double ?? (value as? Int).map(Double.init), number.isFinite else {
        throw .wrongType(key: key, expected: "a finite number")
      }
      return number
    case is Bool:
      guard let flag = value as? Bool else { throw .wrongType(key: key, expected: "true or false") }
      return flag
    default:
      if let number = value as? Int { return "\(number)" }  // a class may be called 0
      guard let text = value as? String else { throw .wrongType(key: key, expected: "a text") }
      return text
    }
  }

  /// What a configuration holds at a path of keys.
  private static func example(at path: [String], in configuration: RunConfiguration) -> Any? {
    path.reduce(configuration as Any?) { group, key in
      guard let group else { return nil }
      let keys: Any = (group as? DetectorSettings)?.settings ?? group
      return Mirror(reflecting: keys).children.first { $0.label == key }?.value
    }
  }

  private static func names<Choice: CaseIterable>(of choice: Choice) -> [String] {
    Choice.allCases.compactMap { ($0 as? any RawRepresentable<String>)?.rawValue }
  }

  /// `a, b or c`.
  private static func list(_ names: [String]) -> String {
    guard let last = names.last, names.count > 1 else { return names.first ?? "" }
    return names.dropLast().joined(separator: ", ") + " or " + last
  }
}
