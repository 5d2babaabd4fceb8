/// Which run of a benchmark.
public struct RunKey: Codable, Hashable, Sendable {
  /// The data set's name.
  public let dataSet: String
  /// The method's or ensemble's name.
  public let entry: String
  /// The switch's name; nil for the whole method.
  public let ablation: String?
  /// Share of abnormal training images.
  public let contamination: Double
  /// The seed.
  public let seed: Int

  /// Names a run.
  public init(dataSet: String, entry: String, ablation: String? = nil, contamination: Double, seed: Int) {
    (self.dataSet, self.entry, self.ablation) = (dataSet, entry, ablation)
    (self.contamination, self.seed) = (contamination, seed)
  }

  /// The run's folder below the benchmark's, `zhanglab/simsid/contamination-0.0/seed-1`.
  public var folder: String {
    "\(dataSet)/\(entry)/\(ablation.map { "ablations/\($0)/" } ?? "")\(Self.folder(contamination, seed: seed))"
  }

  /// The last two folders of a run.
  static func folder(_ contamination: Double, seed: Int) -> String { "contamination-\(contamination)/seed-\(seed)" }
}
