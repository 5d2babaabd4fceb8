import Evaluation

/// The members and the fusion that rank the labelled validation images best: no label of a test image is looked at.
struct EnsembleChoice: Equatable {
  /// Who is fused, in the order in which they were given.
  let members: [String]
  /// How.
  let fusion: EnsembleConfiguration.Fusion
  /// AUROC on the labelled validation images, the mean over seeds.
  let auroc: Double
  /// How many combinations were compared.
  let combinations: Int

  /// Compares all subsets of at least two members under every fusion; of equally good ones the smaller, then the earlier is
  /// taken.
  /// - Parameters:
  ///   - scores: per seed and member the scores of labelled validation images. They are brought to a common scale as
  ///     ensembles do it, on the normal images among them.
  ///   - largest: most members of a subset.
  /// - Throws: `EnsembleChoiceError` unless all members of a seed have scores of the same images, and `EvaluationError`.
  init(
    among members: [String], scores: [[ScoreTable]], fusions: [EnsembleConfiguration.Fusion], largest: Int
  ) throws {
    let seeds = try scores.map { try Seed(members: members, tables: $0) }
    var best: (subset: [Int], fusion: EnsembleConfiguration.Fusion, auroc: Double)?
    var combinations = 0
    for size in 2...max(2, largest) {
      for subset in Self.subsets(of: members.count, size: size) {
        for fusion in fusions {
          let auroc = try seeds.map { try $0.auroc(of: subset, fusion: fusion) }.reduce(0, +) / Double(seeds.count)
          combinations += 1
          if auroc > best?.auroc ?? -1 { best = (subset, fusion, auroc) }
        }
      }
    }
    guard let best, !seeds.isEmpty else { throw EnsembleChoiceError.nothingToChoose }
    self.members = best.subset.map { members[$0] }
    (fusion, auroc, self.combinations) = (best.fusion, best.auroc, combinations)
  }

  /// All ascending choices of `size` numbers below `count`, in lexicographic order.
  static func subsets(of count: Int, size: Int) -> [[Int]] {
    guard size > 0 else { return [[]] }
    guard size <= count else { return [] }
    return (0..<count).flatMap { first in
      subsets(of: count - first - 1, size: size - 1).map { [first] + $0.map { $0 + first + 1 } }
    }
  }

  /// The validation images of one seed.
  private struct Seed {
    let labels: [Bool]
    /// Per member the scores of all images.
    let scores: [[Double]]
    /// Per member what the scores of normal images are.
    let usual: [UsualValues]

    init(members: [String], tables: [ScoreTable]) throws {
      let cases = try tables.map { try $0.labelledScores() }
      guard let first = cases.first, first.abnormalCount > 0, first.normalCount > 0 else {
        throw EnsembleChoiceError.oneClassOnly
      }
      for (name, other) in zip(members, cases) where other.names != first.names || other.labels != first.labels {
        throw EnsembleChoiceError.imagesDiffer(first: members[0], second: name)
      }
      labels = first.labels
      scores = cases.map(\.scores)
      usual = cases.map { UsualValues(of: $0.scores(abnormal: false)) }
    }

    func auroc(of subset: [Int], fusion: EnsembleConfiguration.Fusion) throws -> Double {
      let own = subset.map { usual[$0] }
      let fused = labels.indices.map { image in fusion(subset.map { scores[$0][image] }, usual: own) }
      return try Evaluation.auroc(LabelledScores(scores: fused, labels: labels))
    }
  }
}

/// Why an ensemble cannot be chosen.
enum EnsembleChoiceError: Error, Equatable, CustomStringConvertible {
  case oneClassOnly
  case nothingToChoose
  case imagesDiffer(first: String, second: String)
  case noValidation(member: String)

  var description: String {
    switch self {
    case .oneClassOnly: "an ensemble is chosen by normal and abnormal validation images, and one kind is missing"
    case .nothingToChoose: "there is no combination of members to choose from; name two members or more"
    case .imagesDiffer(let first, let second):
      "\(first) and \(second) have other validation images; give both the same data.validationNormal and "
        + "data.validationAbnormal"
    case .noValidation(let member):
      "\(member) has no labelled validation images to choose an ensemble by; set data.validationNormal and "
        + "data.validationAbnormal above 0"
    }
  }
}
