import Foundation
import Yams

/// Reading and writing configurations as YAML.
///
/// A file names what differs from the method's published preset; a key that nothing reads is an error with the nearest
/// known key.
public enum ConfigurationFile {
  /// Reads a configuration.
  /// - Parameters:
  ///   - yaml: the text; it must name a `method` unless `base` is given.
  ///   - source: what to call the text in messages, for example its path.
  ///   - base: the configuration that the text changes; nil: the published preset of the text's method.
  ///   - overrides: `key.path=value` settings, applied last.
  /// - Throws: `ConfigurationError`.
  public static func read(
    yaml: String, source: String, base: RunConfiguration? = nil, overrides: [String] = []
  ) throws(ConfigurationError) -> RunConfiguration {
    var changes = try tree(yaml, source: source)
    for override in overrides { try apply(override, to: &changes) }
    let start: RunConfiguration
    if let base {
      start = base
    } else {
      guard let name = changes["method"] else {
        throw .wrongType(key: "method", expected: "given: \(known(DetectionMethod.self))")
      }
      start = RunConfiguration(detector: DetectorSettings(try DetectionMethod(named: "\(name)")))
    }
    if let name = changes["method"] as? String, name != start.detector.method.rawValue {
      throw .invalidValue(
        key: "method", value: name, allowed: "\(start.detector.method.rawValue), the method of what it changes")
    }
    let merged = try overlay(changes, on: tree(of: start), path: "")
    let configuration = try decode(merged)
    try configuration.validate()
    return configuration
  }

  /// Reads a file; see `read(yaml:…)`.
  public static func read(
    path: String, base: RunConfiguration? = nil, overrides: [String] = []
  ) throws(ConfigurationError) -> RunConfiguration {
    guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8) else {
      throw .unreadable(path: path)
    }
    return try read(yaml: text, source: path, base: base, overrides: overrides)
  }

  /// The whole configuration as YAML, keys in alphabetical order.
  public static func yaml(_ configuration: RunConfiguration) throws -> String {
    try Yams.dump(object: tree(of: configuration), sortKeys: true)
  }

  private static func known<Names: CaseIterable & RawRepresentable>(_ type: Names.Type) -> String
  where Names.RawValue == String {
    Names.allCases.map(\.rawValue).joined(separator: ", ")
  }

  // MARK: Trees

  private static func tree(_ yaml: String, source: String) throws(ConfigurationError) -> [String: Any] {
    let loaded: Any?
    do { loaded = try Yams.load(yaml: yaml) } catch {
      let reason = "\(error)".split(separator: "\n").first.map(String.init) ?? "it cannot be parsed"
      throw .notYAML(source: source, reason: reason)
    }
    guard let loaded else { return [:] }
    guard let tree = loaded as? [String: Any] else { throw .notYAML(source: source, reason: "it holds no keys") }
    return tree
  }

  private static func tree(of configuration: RunConfiguration) throws(ConfigurationError) -> [String: Any] {
    guard let data = try? JSONEncoder().encode(configuration),
      let tree = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    else { throw .wrongType(key: "configuration", expected: "finite numbers") }
    return tree
  }

  /// Puts `a.b=value` into a tree.
  private static func apply(_ override: String, to tree: inout [String: Any]) throws(ConfigurationError) {
    let parts = override.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !parts[0].isEmpty else {
      throw .invalidValue(key: "--set", value: "'\(override)'", allowed: "KEY=VALUE, for example training.epochs=20")
    }
    let value: Any
    do { value = try Yams.load(yaml: parts[1]) ?? "" } catch {
      throw .notYAML(source: "--set \(override)", reason: "the value cannot be parsed")
    }
    tree = inserting(value, at: parts[0].split(separator: ".").map(String.init)[...], into: tree)
  }

  private static func inserting(_ value: Any, at path: ArraySlice<String>, into tree: [String: Any]) -> [String: Any] {
    guard let key = path.first else { return tree }
    var tree = tree
    let rest = path.dropFirst()
    tree[key] = rest.isEmpty ? value : inserting(value, at: rest, into: tree[key] as? [String: Any] ?? [:])
    return tree
  }

  /// `base` with the leaves of `changes`; every key must exist in `base`.
  private static func overlay(
    _ changes: [String: Any], on base: [String: Any], path: String
  ) throws(ConfigurationError) -> [String: Any] {
    var result = base
    for key in changes.keys.sorted() {
      guard let old = base[key], let new = changes[key] else {
        throw .unknownKey(key: path + key, nearest: nearest(to: key, among: Array(base.keys)).map { path + $0 })
      }
      guard let inner = old as? [String: Any] else {
        result[key] = new
        continue
      }
      guard let innerChanges = new as? [String: Any] else {
        throw .wrongType(key: path + key, expected: "a group of keys: \(inner.keys.sorted().joined(separator: ", "))")
      }
      result[key] = try overlay(innerChanges, on: inner, path: path + key + ".")
    }
    return result
  }

  private static func decode(_ tree: [String: Any]) throws(ConfigurationError) -> RunConfiguration {
    guard JSONSerialization.isValidJSONObject(tree), let data = try? JSONSerialization.data(withJSONObject: tree) else {
      throw .wrongType(key: "configuration", expected: "made of texts, numbers, lists and groups")
    }
    do { return try JSONDecoder().decode(RunConfiguration.self, from: data) } catch let error as DecodingError {
      throw explain(error)
    } catch { throw .wrongType(key: "configuration", expected: "complete") }
  }

  private static func explain(_ error: DecodingError) -> ConfigurationError {
    func key(_ context: DecodingError.Context) -> String {
      context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
    }
    switch error {
    case .typeMismatch(let type, let context): return .wrongType(key: key(context), expected: name(of: type))
    case .valueNotFound(let type, let context): return .wrongType(key: key(context), expected: name(of: type))
    case .keyNotFound(let missing, let context):
      return .wrongType(
        key: (context.codingPath + [missing]).map(\.stringValue).joined(separator: "."), expected: "given")
    case .dataCorrupted(let context):
      return .wrongType(key: key(context), expected: "one of the values that its documentation lists")
    @unknown default: return .wrongType(key: "configuration", expected: "complete")
    }
  }

  private static func name(of type: Any.Type) -> String {
    switch type {
    case is Int.Type: "a whole number"
    case is Double.Type: "a number"
    case is Bool.Type: "true or false"
    case is String.Type: "a text"
    default: "of another kind"
    }
  }

  /// The known key with the fewest edits, where that is few enough to be meant.
  static func nearest(to key: String, among known: [String]) -> String? {
    let ranked = known.map { (name: $0, distance: editDistance(key.lowercased(), $0.lowercased())) }
      .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
    guard let best = ranked.first, best.distance <= max(2, key.count / 2) else { return nil }
    return best.name
  }

  /// Levenshtein's distance.
  private static func editDistance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var row = Array(0...b.count)
    for i in a.indices {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let substituted = diagonal + (a[i] == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(substituted, row[j + 1] + 1, row[j] + 1)
      }
    }
    return row[b.count]
  }
}
