/// Several trained detectors as one: who they are, and how what they say is put together.
///
/// Made by `RunConfiguration.ensemble(of:fusion:)`; there is nothing to train.
public struct EnsembleConfiguration: DetectorConfiguration {
  /// How the members' scores and maps become one, after each was brought to the common scale of normal images.
  public enum Fusion: String, Codable, CaseIterable, Sendable {
    /// Mean of the standardised scores, and of the maps in units of their normal range.
    case mean
    /// Mean of the ranks among normal images' scores, and of the maps' ranks among normal images' values; see `UsualValues.rank`.
    case rank
    /// Maximum of the standardised scores, and of the maps in units of their normal range.
    case maximum

    /// The name of the score and of the map.
    var scoreName: String {
      switch self {
      case .mean: "ensembleMean"
      case .rank: "ensembleRank"
      case .maximum: "ensembleMaximum"
      }
    }
  }

  /// A trained detector.
  public struct Member: Codable, Equatable, Sendable {
    /// What scores and reports call it.
    public var name: String
    /// All that defined its training.
    public var configuration: RunConfiguration

    /// Names a configuration.
    public init(name: String, configuration: RunConfiguration) {
      (self.name, self.configuration) = (name, configuration)
    }
  }

  /// How they are put together.
  public var fusion = Fusion.mean
  /// The members, in the order of their scores.
  public var members: [Member] = []

  /// Nobody yet.
  public init() {}

  /// The side of what the first member takes.
  public var imageSize: Int { members.first?.configuration.detector.settings.imageSize ?? 0 }
  /// The sides of what the first member takes.
  public var inputExtents: [Int] { members.first?.configuration.detector.settings.inputExtents ?? [0, 0] }
  /// Whether a member reads paired images.
  public var readsPaired: Bool { members.contains { $0.configuration.detector.settings.readsPaired } }

  /// Checks that there are members, each with a name of its own.
  /// - Throws: `ConfigurationError` naming the key.
  public func validate() throws(ConfigurationError) {
    guard !members.isEmpty else {
      throw .invalidValue(
        key: "detector.members", value: "empty", allowed: "filled by 'norma ensemble', which fuses trained detectors")
    }
    let taken = Fusion.allCases.map(\.scoreName)
    var names: Set<String> = []
    for member in members
    where member.name.isEmpty || taken.contains(member.name) || !names.insert(member.name).inserted {
      throw .invalidValue(
        key: "detector.members", value: "two of the name '\(member.name)'",
        allowed: "members with names of their own, other than \(taken.joined(separator: ", "))")
    }
  }
}

extension EnsembleConfiguration {
  /// `ensemble`.
  public static var method: DetectionMethod { .ensemble }

  /// The members with fresh weights.
  public func makeDetector(in run: RunConfiguration) throws -> any AnomalyDetector { try EnsembleDetector(self) }
}
