/// A named switch of a method: settings that take one of its parts away or exchange it, so that a benchmark can tell what the
/// part is worth.
public struct Ablation: Codable, Equatable, Sendable {
  /// What folders, tables and benchmark files call it, for example `no-skips`.
  public let name: String
  /// What changes, in one sentence.
  public let summary: String
  /// Where it was published, for example `Table II, w/o skip connection`; empty where it is ours.
  public let source: String
  /// The settings, `key.path=value`.
  public let settings: [String]

  /// Names settings.
  public init(_ name: String, _ summary: String, source: String = "", settings: [String]) {
    (self.name, self.summary, self.source, self.settings) = (name, summary, source, settings)
  }

  /// A configuration with the settings applied.
  /// - Throws: `ConfigurationError` where they do not fit it.
  public func applied(to configuration: RunConfiguration) throws(ConfigurationError) -> RunConfiguration {
    try ConfigurationFile.read(yaml: "", source: "ablation \(name)", base: configuration, overrides: settings)
  }

  /// Whether the settings fit a configuration and change it: a part that is off already cannot be taken away.
  public func changes(_ configuration: RunConfiguration) -> Bool {
    guard let changed = try? applied(to: configuration) else { return false }
    return changed != configuration
  }
}

extension DetectorConfiguration {
  /// None.
  public static var ablations: [Ablation] { [] }
}

extension DetectionMethod {
  /// The method's switches, those of its paper first.
  public var ablations: [Ablation] { configuration.ablations }

  /// The switch with a name.
  /// - Throws: `ConfigurationError.unknownName`.
  public func ablation(named name: String) throws(ConfigurationError) -> Ablation {
    guard let found = ablations.first(where: { $0.name == name.lowercased() }) else {
      throw .unknownName(
        kind: "ablation of \(rawValue)", name: name,
        known: ablations.isEmpty ? ["none, as the method names no switches"] : ablations.map(\.name))
    }
    return found
  }
}
