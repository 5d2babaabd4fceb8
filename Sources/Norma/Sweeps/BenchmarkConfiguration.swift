import Foundation

/// What a benchmark runs: methods × data sets × seeds × contaminations, switches of methods, and ensembles of them.
public struct BenchmarkConfiguration: Equatable, Sendable {
  /// Images to train and test on.
  public struct DataSet: Equatable, Sendable {
    /// What folders and tables call it.
    public let name: String
    /// Its folder, manifest, archive or prepared file; from the working directory where it is no whole path.
    public var path: String
    /// Changes to every method's configuration, `key.path=value`.
    public let settings: [String]
  }

  /// One line of the table.
  public struct Method: Equatable, Sendable {
    /// What folders and tables call it.
    public let name: String
    /// Where its configuration comes from.
    public let source: ConfigurationSource
    /// Changes to the configuration, applied after the data set's.
    public let settings: [String]
    /// The seeds.
    public let seeds: [Int]
    /// Switches to run beside it.
    public internal(set) var ablations: [Ablation] = []
    /// Whether these are all that the method names, of which those are left out that do not fit or change nothing.
    public internal(set) var takesAllAblations = false
  }

  /// Methods that are fused.
  public struct Ensemble: Equatable, Sendable {
    /// What folders and tables call it.
    public let name: String
    /// Names of methods; all of them are fused, or some are chosen.
    public let members: [String]
    /// How scores are fused; several are tried where the ensemble is chosen.
    public let fusions: [EnsembleConfiguration.Fusion]
    /// Whether the members to fuse are chosen by the labelled validation images.
    public let isChosen: Bool
    /// Most members of a chosen ensemble.
    public let largest: Int
    /// The seeds; every member has runs under them.
    public let seeds: [Int]
  }

  /// Folder of runs, results and tables; nil: to be given with the command.
  public let output: String?
  /// Shares of abnormal training images, ascending.
  public let contaminations: [Double]
  /// The data sets, in the tables' order.
  public var dataSets: [DataSet]
  /// The methods, in the tables' order.
  public let methods: [Method]
  /// The ensembles, below the methods.
  public let ensembles: [Ensemble]

  /// Reads a benchmark file.
  /// - Throws: `ConfigurationError`.
  public init(path: String) throws(ConfigurationError) {
    guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8) else {
      throw .unreadable(path: path)
    }
    try self.init(yaml: text, source: path)
  }

  /// Reads a benchmark's YAML; unknown keys are errors with the nearest known one.
  /// - Parameter source: what to call the text in messages.
  /// - Throws: `ConfigurationError`.
  public init(yaml: String, source: String) throws(ConfigurationError) {
    let file = try KeyGroup(
      ConfigurationFile.tree(yaml, source: source),
      knows: ["output", "seeds", "contamination", "datasets", "methods", "ablations", "ensembles"])
    output = try file.text("output")
    let seeds = try Self.seeds(in: file) ?? [1]
    contaminations = try Self.contaminations(in: file)
    dataSets = try Self.dataSets(in: file)
    let methods = try Self.methods(in: file, seeds: seeds)
    self.methods = try Self.withAblations(methods, in: file)
    ensembles = try Self.ensembles(in: file, of: methods, seeds: seeds)
    let names = methods.map(\.name) + ensembles.map(\.name)
    try Self.requireDistinct(names, of: "methods")
    try Self.requireDistinct(dataSets.map(\.name), of: "datasets")
  }
}

// MARK: - Parts of the file

extension BenchmarkConfiguration {
  /// `[1, 2, 5]`, or `3` for the first three of `all`, which are 1, 2, 3, … where there are none to choose from.
  private static func seeds(in group: KeyGroup, of all: [Int]? = nil) throws(ConfigurationError) -> [Int]? {
    guard let value = group.value("seeds") else { return nil }
    if let count = value as? Int {
      guard count >= 1, count <= all?.count ?? 1000 else {
        throw .invalidValue(
          key: group.key("seeds"), value: "\(count)",
          allowed: "a list of seeds, or a number of them from 1 to \(all?.count ?? 1000)")
      }
      return Array((all ?? Array(1...count)).prefix(count))
    }
    guard let seeds = value as? [Int], !seeds.isEmpty, seeds.allSatisfy({ $0 >= 0 }), Set(seeds).count == seeds.count
    else {
      throw .wrongType(key: group.key("seeds"), expected: "a number of seeds, or a list of whole numbers, each once")
    }
    return seeds
  }

  private static func contaminations(in file: KeyGroup) throws(ConfigurationError) -> [Double] {
    let levels = try file.numbers("contamination") ?? [0]
    for level in levels where !(0...1).contains(level) {
      throw .invalidValue(key: "contamination", value: "\(level)", allowed: "shares from 0 to 1")
    }
    guard !levels.isEmpty, Set(levels).count == levels.count else {
      throw .wrongType(key: "contamination", expected: "a list of shares, each once")
    }
    return levels.map { $0 + 0 }.sorted()  // no −0
  }

  private static func dataSets(in file: KeyGroup) throws(ConfigurationError) -> [DataSet] {
    var sets: [DataSet] = []
    for group in try file.groups("datasets", knows: ["name", "path", "set"]) {
      sets.append(
        DataSet(name: try name(in: group), path: try group.requiredText("path"), settings: try settings(in: group)))
    }
    guard !sets.isEmpty else {
      throw .wrongType(key: "datasets", expected: "a list of data sets, each with a name and a path")
    }
    return sets
  }

  private static func methods(in file: KeyGroup, seeds: [Int]) throws(ConfigurationError) -> [Method] {
    var methods: [Method] = []
    for group in try file.groups("methods", knows: ["name", "preset", "method", "config", "set", "seeds"]) {
      let sources = [
        try group.text("preset").map(ConfigurationSource.preset),
        try group.text("config").map(ConfigurationSource.file),
        try group.text("method").map(ConfigurationSource.method),
      ].compactMap { $0 }
      guard let source = sources.first, sources.count == 1 else {
        throw .wrongType(key: group.key("preset"), expected: "given, or one of config and method in its place")
      }
      methods.append(
        Method(
          name: try group.value("name") == nil ? checkedName(source.name, at: group.key("name")) : name(in: group),
          source: source, settings: try settings(in: group), seeds: try Self.seeds(in: group, of: seeds) ?? seeds))
    }
    guard !methods.isEmpty else {
      throw .wrongType(key: "methods", expected: "a list of methods, each with a preset, config or method")
    }
    return methods
  }

  /// Puts switches to the methods that the file names them for.
  private static func withAblations(_ methods: [Method], in file: KeyGroup) throws(ConfigurationError) -> [Method] {
    var methods = methods
    guard let value = file.value("ablations") else { return methods }
    let group = try KeyGroup(value, at: "ablations", knows: methods.map(\.name))
    for (index, method) in methods.enumerated() {
      guard let names = try group.texts(method.name) else { continue }
      let known = try method.source.configuration(overrides: []).detector.method
      methods[index].takesAllAblations = names == ["all"]
      methods[index].ablations = []
      for name in names == ["all"] ? known.ablations.map(\.name) : names {
        methods[index].ablations.append(try known.ablation(named: name))
      }
      guard !methods[index].ablations.isEmpty else {
        throw .invalidValue(
          key: group.key(method.name), value: "'all'", allowed: "left out, as \(known.rawValue) names no switches")
      }
    }
    return methods
  }

  private static func ensembles(
    in file: KeyGroup, of methods: [Method], seeds: [Int]
  ) throws(ConfigurationError) -> [Ensemble] {
    var ensembles: [Ensemble] = []
    for group in try file.groups("ensembles", knows: ["name", "members", "fusion", "choose", "largest", "seeds"]) {
      let members = try group.texts("members") ?? []
      guard members.count >= 2, Set(members).count == members.count else {
        throw .wrongType(key: group.key("members"), expected: "two or more names of methods, each once")
      }
      let own = try Self.seeds(in: group, of: seeds) ?? seeds
      for member in members {
        guard let method = methods.first(where: { $0.name == member }) else {
          throw .unknownName(kind: "method of this benchmark", name: member, known: methods.map(\.name))
        }
        guard Set(own).isSubset(of: method.seeds) else {
          throw .invalidValue(
            key: group.key("seeds"), value: "\(own)",
            allowed:
              "\(method.seeds), the seeds of its member \(member): runs of one seed share their validation images")
        }
      }
      let isChosen = try isChosen(group)
      let fusions = try fusions(in: group)
      guard !fusions.isEmpty, Set(fusions).count == fusions.count, isChosen || fusions.count == 1 else {
        throw .wrongType(
          key: group.key("fusion"), expected: "one fusion, or with 'choose: validation' a list of them, each once")
      }
      let largest = try group.integer("largest") ?? (isChosen ? min(members.count, 3) : members.count)
      guard (2...members.count).contains(largest) else {
        throw .invalidValue(
          key: group.key("largest"), value: "\(largest)", allowed: "2 to \(members.count), the number of members")
      }
      ensembles.append(
        Ensemble(
          name: try name(in: group), members: members, fusions: fusions, isChosen: isChosen, largest: largest,
          seeds: own))
    }
    return ensembles
  }

  private static func fusions(
    in group: KeyGroup
  ) throws(ConfigurationError) -> [EnsembleConfiguration.Fusion] {
    var fusions: [EnsembleConfiguration.Fusion] = []
    for name in try group.texts("fusion") ?? ["mean"] {
      guard let fusion = EnsembleConfiguration.Fusion(rawValue: name) else {
        throw .unknownName(kind: "fusion", name: name, known: EnsembleConfiguration.Fusion.allCases.map(\.rawValue))
      }
      fusions.append(fusion)
    }
    return fusions
  }

  private static func isChosen(_ group: KeyGroup) throws(ConfigurationError) -> Bool {
    guard let choice = try group.text("choose") else { return false }
    guard choice == "validation" else {
      throw .invalidValue(
        key: group.key("choose"), value: choice, allowed: "validation, or left out to fuse all members")
    }
    return true
  }

  private static func settings(in group: KeyGroup) throws(ConfigurationError) -> [String] {
    let settings = try group.settings("set")
    for (key, instead) in [("seed", "seeds"), ("data.contamination", "contamination")]
    where settings.contains(where: { $0.hasPrefix(key + "=") }) {
      throw .invalidValue(
        key: "\(group.key("set")).\(key)", value: "given", allowed: "left out, as '\(instead)' of the benchmark sets it"
      )
    }
    return settings
  }

  private static func name(in group: KeyGroup) throws(ConfigurationError) -> String {
    try checkedName(group.requiredText("name"), at: group.key("name"))
  }

  /// Names are folders.
  private static func checkedName(_ name: String, at key: String) throws(ConfigurationError) -> String {
    guard name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_.-]*/) != nil else {
      throw .invalidValue(
        key: key, value: "'\(name)'", allowed: "letters, digits, '-', '_' and '.', beginning with a letter or digit")
    }
    return name
  }

  private static func requireDistinct(_ names: [String], of list: String) throws(ConfigurationError) {
    var seen: Set<String> = []
    for name in names where !seen.insert(name.lowercased()).inserted {
      throw .invalidValue(key: "\(list).name", value: "'\(name)' twice", allowed: "given once, in whatever case")
    }
  }
}
