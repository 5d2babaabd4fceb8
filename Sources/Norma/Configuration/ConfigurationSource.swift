import Foundation

/// Where a configuration comes from.
public enum ConfigurationSource: Equatable, Sendable {
  /// A preset, by its name.
  case preset(String)
  /// A YAML file, by its path.
  case file(String)
  /// A method with its published preset, by its name.
  case method(String)

  /// What tables and folders call the configuration.
  public var name: String {
    switch self {
    case .preset(let name), .method(let name): name.lowercased()
    case .file(let path): URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    }
  }

  /// The configuration with `key.path=value` settings applied last.
  /// - Throws: `ConfigurationError`.
  public func configuration(overrides: [String]) throws(ConfigurationError) -> RunConfiguration {
    switch self {
    case .preset(let name): return try Preset(named: name).configuration(overrides: overrides)
    case .file(let path): return try ConfigurationFile.read(path: path, overrides: overrides)
    case .method(let name):
      let base = RunConfiguration(detector: DetectorSettings(try DetectionMethod(named: name)))
      return try ConfigurationFile.read(yaml: "", source: "the method", base: base, overrides: overrides)
    }
  }
}
