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
    return try read(changes, base: base)
  }

  /// Reads a configuration that was stored as JSON; keys that came later have their defaults.
  /// - Throws: `ConfigurationError`.
  static func read(json: Data) throws(ConfigurationError) -> RunConfiguration {
    guard let tree = try? JSONSerialization.jsonObject(with: json) as? [String: Any] else {
      throw .wrongType(key: "configuration", expected: "a group of keys")
    }
    return try read(tree, base: nil)
  }

  /// The configuration that a tree of keys makes of `base`, or of the published preset of the tree's method.
  private static func read(
    _ tree: [String: Any], base: RunConfiguration?
  ) throws(ConfigurationError) -> RunConfiguration {
    var changes = tree
    let named: DetectionMethod? = if let name = changes["method"] { try DetectionMethod(named: "\(name)") } else { nil }
    changes["method"] = nil
    guard let method = named ?? base?.detector.method else {
      let names = DetectionMethod.trainable.map(\.rawValue).joined(separator: ", ")
      throw .wrongType(key: "method", expected: "given: \(names)")
    }
    if method == .ensemble { changes = try completingMembers(of: changes) }
    let start = base ?? RunConfiguration(detector: DetectorSettings(method))
    guard method == start.detector.method else {
      throw .invalidValue(
        key: "method", value: method.rawValue,
        allowed: "\(start.detector.method.rawValue), the method of what it changes")
    }
    let configuration = try decode(overlay(changes, on: Self.tree(of: start), path: [], defaults: start))
    try configuration.validate()
    return configuration
  }

  /// The members of an ensemble with whole configurations: each names what differs from its own method's published preset.
  private static func completingMembers(of tree: [String: Any]) throws(ConfigurationError) -> [String: Any] {
    guard var detector = tree["detector"] as? [String: Any], let members = detector["members"] as? [[String: Any]]
    else {
      return tree
    }
    var whole: [[String: Any]] = []
    for member in members {
      let configuration = try read(member["configuration"] as? [String: Any] ?? [:], base: nil)
      whole.append(member.merging(["configuration": try Self.tree(of: configuration)]) { $1 })
    }
    detector["members"] = whole
    return tree.merging(["detector": detector]) { $1 }
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
    try Yams.serialize(node: node(of: configuration), sortKeys: true)
  }

  // MARK: Writing

  /// The keys of a part of a configuration with what they hold.
  private static func group(of part: Any) -> [String: Any] {
    Dictionary(Mirror(reflecting: part).children.compactMap { child in child.label.map { ($0, child.value) } }) { $1 }
  }

  /// Numbers are written so that they read back exactly.
  private static func node(of value: Any) -> Node {
    switch value {
    case let keys as [String: Any]: Node(keys.map { (Node($0.key), node(of: $0.value)) })
    case let members as [EnsembleConfiguration.Member]: Node(members.map { node(of: group(of: $0)) }, Tag(.seq), .block)
    case let list as [Any]: Node(list.map(node), Tag(.seq), .flow)
    case let choice as any RawRepresentable<String>: Node(choice.rawValue)
    case let text as String: .scalar(text.represented())
    case let flag as Bool: Node("\(flag)", Tag(.bool))
    case let number as Int: Node("\(number)", Tag(.int))
    case let number as Double: Node("\(number)", Tag(.float))
    case let run as RunConfiguration: node(of: group(of: run).merging(["method": run.detector.method]) { $1 })
    case let detector as DetectorSettings: node(of: group(of: detector.settings))
    default: node(of: group(of: value))
    }
  }

  // MARK: Reading

  /// The keys of a YAML text; none of an empty one.
  static func tree(_ yaml: String, source: String) throws(ConfigurationError) -> [String: Any] {
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
    let path = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !path.contains("") else {
      throw .invalidValue(key: "--set", value: "'\(override)'", allowed: "KEY=VALUE, for example training.epochs=20")
    }
    let value: Any
    do { value = try Yams.load(yaml: parts[1]) ?? "" } catch {
      throw .notYAML(source: "--set \(override)", reason: "the value cannot be parsed")
    }
    tree = inserting(value, at: path[...], into: tree)
  }

  private static func inserting(_ value: Any, at path: ArraySlice<String>, into tree: [String: Any]) -> [String: Any] {
    guard let key = path.first else { return tree }
    var tree = tree
    let rest = path.dropFirst()
    tree[key] = rest.isEmpty ? value : inserting(value, at: rest, into: tree[key] as? [String: Any] ?? [:])
    return tree
  }

  /// `base`, the tree of `defaults`, with the leaves of `changes`; every key must exist in `base`.
  private static func overlay(
    _ changes: [String: Any], on base: [String: Any], path: [String], defaults: RunConfiguration
  ) throws(ConfigurationError) -> [String: Any] {
    var result = base
    for key in changes.keys.sorted() {
      let full = path + [key]
      guard let old = base[key], let new = changes[key] else {
        let known = nearest(to: key, among: Array(base.keys)).map { (path + [$0]).joined(separator: ".") }
        throw .unknownKey(key: full.joined(separator: "."), nearest: known)
      }
      guard let inner = old as? [String: Any] else {
        result[key] = try checked(new, at: full, defaults: defaults)
        continue
      }
      guard let innerChanges = new as? [String: Any] else {
        let keys = inner.keys.sorted().joined(separator: ", ")
        throw .wrongType(key: full.joined(separator: "."), expected: "a group of keys: \(keys)")
      }
      result[key] = try overlay(innerChanges, on: inner, path: full, defaults: defaults)
    }
    return result
  }

  private static func decode(_ tree: [String: Any]) throws(ConfigurationError) -> RunConfiguration {
    do {
      let data = try JSONSerialization.data(withJSONObject: tree)
      return try JSONDecoder().decode(RunConfiguration.self, from: data)
    } catch { throw .wrongType(key: "configuration", expected: "made of texts, numbers, lists and groups") }
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
