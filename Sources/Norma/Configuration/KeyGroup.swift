import Foundation

/// A group of keys of a file that is no run's configuration; a key that nobody reads is an error that names the nearest one.
struct KeyGroup {
  private let path: String
  private let values: [String: Any]

  /// Takes a value of a file as a group.
  /// - Parameters:
  ///   - path: the keys that lead to it; empty for the whole file.
  ///   - known: the keys that it may hold.
  /// - Throws: `ConfigurationError.wrongType` or `.unknownKey`.
  init(_ value: Any, at path: String = "", knows known: [String]) throws(ConfigurationError) {
    guard let values = value as? [String: Any] else {
      throw .wrongType(key: path, expected: "a group of keys: \(known.joined(separator: ", "))")
    }
    (self.path, self.values) = (path, values)
    for key in values.keys.sorted() where !known.contains(key) {
      throw .unknownKey(
        key: self.key(key), nearest: ConfigurationFile.nearest(to: key, among: known).map { self.key($0) })
    }
  }

  /// A key with the keys that lead to it.
  func key(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  /// The keys of a group whose keys are names.
  static func names(_ value: Any, at path: String) throws(ConfigurationError) -> [String: Any] {
    guard let values = value as? [String: Any] else { throw .wrongType(key: path, expected: "a group of names") }
    return values
  }

  /// What stands at a key; nil where nothing does.
  func value(_ name: String) -> Any? { values[name].flatMap { $0 is NSNull ? nil : $0 } }

  /// A text; nil where there is none. Numbers are texts too: a folder may be called 1.
  func text(_ name: String) throws(ConfigurationError) -> String? {
    guard let value = value(name) else { return nil }
    if let number = value as? Int { return "\(number)" }
    guard let text = value as? String, !text.isEmpty else { throw .wrongType(key: key(name), expected: "a text") }
    return text
  }

  /// A text that must be there.
  func requiredText(_ name: String) throws(ConfigurationError) -> String {
    guard let text = try text(name) else { throw .wrongType(key: key(name), expected: "given: a text") }
    return text
  }

  /// A list of texts, or one text; nil where there is none.
  func texts(_ name: String) throws(ConfigurationError) -> [String]? {
    guard let value = value(name) else { return nil }
    let list = value as? [Any] ?? [value]
    let texts = list.compactMap { $0 as? String }
    guard texts.count == list.count else { throw .wrongType(key: key(name), expected: "a list of texts") }
    return texts
  }

  /// A whole number; nil where there is none.
  func integer(_ name: String) throws(ConfigurationError) -> Int? {
    guard let value = value(name) else { return nil }
    guard let number = value as? Int else { throw .wrongType(key: key(name), expected: "a whole number") }
    return number
  }

  /// A list of numbers, or one number; nil where there is none.
  func numbers(_ name: String) throws(ConfigurationError) -> [Double]? {
    guard let value = value(name) else { return nil }
    let list = value as? [Any] ?? [value]
    let numbers = list.compactMap { ($0 as? Double) ?? ($0 as? Int).map(Double.init) }
    guard numbers.count == list.count else { throw .wrongType(key: key(name), expected: "a list of numbers") }
    return numbers
  }

  /// The groups of a list; none where there is no list.
  func groups(_ name: String, knows known: [String]) throws(ConfigurationError) -> [KeyGroup] {
    guard let value = value(name) else { return [] }
    guard let list = value as? [Any] else { throw .wrongType(key: key(name), expected: "a list") }
    var groups: [KeyGroup] = []
    for (index, element) in list.enumerated() {
      groups.append(try KeyGroup(element, at: "\(key(name))[\(index)]", knows: known))
    }
    return groups
  }

  /// Changes to a configuration, as a group of its keys, as `key.path=value`; none where there are none.
  func settings(_ name: String) throws(ConfigurationError) -> [String] {
    guard let value = value(name) else { return [] }
    guard let tree = value as? [String: Any] else {
      throw .wrongType(key: key(name), expected: "a group of a configuration's keys")
    }
    return try Self.settings(tree, at: key(name), below: [])
  }

  private static func settings(
    _ tree: [String: Any], at key: String, below path: [String]
  ) throws(ConfigurationError) -> [String] {
    var settings: [String] = []
    for name in tree.keys.sorted() {
      let full = path + [name]
      if let inner = tree[name] as? [String: Any] {
        settings += try Self.settings(inner, at: key, below: full)
        continue
      }
      // JSON is YAML, and numbers come back as they were.
      guard let value = tree[name], JSONSerialization.isValidJSONObject([value]),
        let data = try? JSONSerialization.data(withJSONObject: value, options: [.fragmentsAllowed])
      else { throw .wrongType(key: "\(key).\(full.joined(separator: "."))", expected: "a text, number, flag or list") }
      settings.append("\(full.joined(separator: "."))=\(String(decoding: data, as: UTF8.self))")
    }
    return settings
  }
}
