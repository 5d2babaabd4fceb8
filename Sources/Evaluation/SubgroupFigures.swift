/// The figures of the cases of each value of an attribute: each sex, each scanner, each band of ages.
///
/// Average precision rises with the share of abnormal cases, so it can differ between groups that are told apart equally
/// well; the counts stand beside it.
public struct SubgroupFigures: Codable, Equatable, Sendable {
  /// The cases of one value.
  public struct Group: Codable, Equatable, Sendable {
    /// The value, or the band of values; `all` for all cases, `not known` for those without a value.
    public let name: String
    /// Normal cases.
    public let normalCount: Int
    /// Abnormal cases.
    public let abnormalCount: Int
    /// AUROC and average precision; where a threshold was given, sensitivity and specificity too.
    public let figures: [Estimate]

    /// The figure of this name; nil where there is none.
    public func figure(_ name: String) -> Estimate? { figures.first { $0.name == name } }
  }

  /// What the cases are grouped by.
  public let attribute: String
  /// All cases together.
  public let all: Group
  /// The groups that have cases, by name or, of bands, ascending; cases of which the value is not known come last.
  public let groups: [Group]

  /// Computes the figures of each group: AUROC with DeLong's interval, average precision with the bootstrap's, sensitivity and
  /// specificity with Wilson's.
  /// - Parameters:
  ///   - attribute: what the values are, for people.
  ///   - values: one per case; nil or empty where it is not known.
  ///   - bands: puts numbers into bands; what is no number is not known.
  ///   - cases: scores with labels. A group of one class is fine: what is not defined has a reason.
  ///   - threshold: chosen without these labels; nil leaves sensitivity and specificity out.
  ///   - bootstrap: how to draw; nil leaves its intervals out. Its level, or 0.95, is that of all intervals.
  /// - Throws: `EvaluationError.attributeCountDiffers`, `.thresholdNotANumber`, `.levelNotAShare`, `.countTooSmall`.
  public init(
    by attribute: String, values: [String?], bands: AttributeBands? = nil, cases: LabelledScores,
    threshold: Double? = nil, bootstrap: Bootstrap? = Bootstrap()
  ) throws(EvaluationError) {
    guard values.count == cases.count else {
      throw .attributeCountDiffers(attribute: attribute, values: values.count, cases: cases.count)
    }
    if let threshold, threshold.isNaN { throw .thresholdNotANumber }
    if let bootstrap {
      guard bootstrap.level > 0, bootstrap.level < 1 else { throw .levelNotAShare(bootstrap.level) }
      guard bootstrap.resamples >= 2 else { throw .countTooSmall("resamples", found: bootstrap.resamples, needed: 2) }
    }
    var members: [String?: [Int]] = [:]
    for (index, value) in values.enumerated() {
      let known = value.flatMap { $0.isEmpty ? nil : $0 }
      members[bands.map { bands in known.flatMap(bands.name) } ?? known, default: []].append(index)
    }
    let names = bands?.names ?? members.keys.compactMap { $0 }.sorted()
    self.attribute = attribute
    all = try Group(name: "all", cases: cases, threshold: threshold, bootstrap: bootstrap)
    var groups: [Group] = []
    for name in names.map(Optional.some) + [nil] {
      guard let indices = members[name] else { continue }
      groups.append(
        try Group(
          name: name ?? "not known", cases: cases.selecting(indices), threshold: threshold, bootstrap: bootstrap))
    }
    self.groups = groups
  }
}

extension SubgroupFigures.Group {
  fileprivate init(
    name: String, cases: LabelledScores, threshold: Double?, bootstrap: Bootstrap?
  ) throws(EvaluationError) {
    let level = bootstrap?.level ?? 0.95
    self.name = name
    (normalCount, abnormalCount) = (cases.normalCount, cases.abnormalCount)
    var figures = [
      Estimate("AUROC", value: { () throws(EvaluationError) in try auroc(cases) }) {
        () throws(EvaluationError) in try DeLong(cases).interval(level: level)
      },
      Estimate("average precision", value: { () throws(EvaluationError) in try averagePrecision(cases) }) {
        () throws(EvaluationError) in
        guard let bootstrap else { throw .noResamples }
        return try bootstrap.interval(of: .averagePrecision, on: cases)
      },
    ]
    if let threshold {
      let matrix = try ConfusionMatrix(cases, threshold: threshold)
      for (name, kind, right) in [
        ("sensitivity", EvaluationError.Class.abnormal, matrix.truePositives),
        ("specificity", .normal, matrix.trueNegatives),
      ] {
        let count = kind == .abnormal ? abnormalCount : normalCount
        figures.append(
          Estimate(
            name,
            value: { () throws(EvaluationError) in
              guard count > 0 else { throw .oneClassOnly(missing: kind, figure: name.capitalizedFirst) }
              return Double(right) / Double(count)
            },
            interval: { () throws(EvaluationError) in
              try ConfidenceInterval(share: right, of: count, level: level)
            }))
      }
    }
    self.figures = figures
  }
}

extension LabelledScores {
  /// The cases at `indices`, in their order; at least one.
  fileprivate func selecting(_ indices: [Int]) throws(EvaluationError) -> LabelledScores {
    try LabelledScores(
      scores: indices.map { scores[$0] }, labels: indices.map { labels[$0] },
      names: names.map { names in indices.map { names[$0] } })
  }
}
