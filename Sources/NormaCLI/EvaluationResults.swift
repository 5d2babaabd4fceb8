import Evaluation
import Foundation
import Norma

/// What `norma evaluate` found, computed once for text, JSON and page: figures with their uncertainty, subgroups and tests.
struct EvaluationResults {
  /// What to compute beside the figures that are always there.
  struct Options {
    /// Targets for the highest sensitivity, 0 ... 1.
    var specificities = [0.9]
    /// Targets for the highest specificity, 0 ... 1.
    var sensitivities = [0.9]
    /// How to draw; nil leaves the bootstrap's intervals out.
    var bootstrap: Bootstrap? = Bootstrap()
    /// What to group the test images by.
    var subgroups: [SubgroupOption] = []
  }

  /// One configuration under one or several seeds.
  struct Method {
    /// Unlike that of every other method here.
    let name: String
    let outcomes: [Trials.Outcome]
    let isYardstick: Bool
  }

  /// The default score of one trained detector.
  struct Trial {
    /// `simsid, seed 1`.
    let name: String
    let method: String
    let isYardstick: Bool
    let outcome: Trials.Outcome
    let figures: FigureEstimates
  }

  /// A test of the difference between two methods' AUROC.
  struct Comparison {
    /// `DeLong` or `Welch`.
    let test: String
    let first: String
    let second: String
    /// AUROC of the first minus that of the second.
    let difference: Double
    /// z or t.
    let statistic: Double?
    let p: Double?
    /// Why there is no p; or nil.
    let reason: String?
  }

  /// The detectors in the order they were given, then the yardstick where there is one.
  let methods: [Method]
  let trials: [Trial]
  /// Of the first trial of each method but the yardstick.
  let subgroups: [(trial: String, figures: SubgroupFigures)]
  let comparisons: [Comparison]
  let options: Options

  /// The trial that page and summary are about.
  var main: Trials.Outcome { methods[0].outcomes[0] }
  /// The detectors' methods, without the yardstick.
  var detectors: [Method] { methods.filter { !$0.isYardstick } }

  /// - Precondition: `outcomes` is not empty.
  /// - Throws: `EvaluationError`, naming the image where a score is not a number.
  init(outcomes: [Trials.Outcome], yardstick: [Trials.Outcome], options: Options) throws {
    self.options = options
    methods =
      Self.methods(of: outcomes)
      + (yardstick.isEmpty ? [] : [Method(name: Yardstick.name, outcomes: yardstick, isYardstick: true)])
    trials = try methods.flatMap { method in
      try method.outcomes.map { outcome in
        Trial(
          name: "\(method.name), seed \(outcome.metadata.configuration.seed)", method: method.name,
          isYardstick: method.isYardstick, outcome: outcome,
          figures: try Self.figures(of: outcome.test.mainScore, in: outcome, options: options))
      }
    }
    subgroups = try methods.filter { !$0.isYardstick }.flatMap { method in
      try options.subgroups.map { option in
        let outcome = method.outcomes[0]
        return (
          "\(method.name), seed \(outcome.metadata.configuration.seed)",
          try option.figures(of: outcome.test, bootstrap: options.bootstrap)
        )
      }
    }
    comparisons = try Self.comparisons(of: methods)
  }

  /// Every figure of one score.
  static func figures(
    of score: String, in outcome: Trials.Outcome, options: Options
  ) throws -> FigureEstimates {
    let cases = try outcome.test.cases(score)
    return try FigureEstimates(
      cases, operatingPoint: outcome.test.figures[score]?.operatingPoint(Evaluator.calibratedRule),
      specificities: options.specificities, sensitivities: options.sensitivities,
      probabilities: outcome.metadata.calibration.scores[score].map { cases.scores.map($0.probability) },
      bootstrap: options.bootstrap)
  }

  /// Outcomes of one configuration but for the seed are trials of one method, called after the detector; where several
  /// configurations have one detector, they are numbered.
  private static func methods(of outcomes: [Trials.Outcome]) -> [Method] {
    var groups: [(configuration: RunConfiguration, outcomes: [Trials.Outcome])] = []
    for outcome in outcomes {
      var configuration = outcome.metadata.configuration
      configuration.seed = 0
      if let index = groups.firstIndex(where: { $0.configuration == configuration }) {
        groups[index].outcomes.append(outcome)
      } else {
        groups.append((configuration, [outcome]))
      }
    }
    let detectors = groups.map(\.configuration.detector.method.rawValue)
    return groups.enumerated().map { index, group in
      let same = detectors.indices.filter { detectors[$0] == detectors[index] }
      let number = same.count == 1 ? "" : " (\((same.firstIndex(of: index) ?? 0) + 1))"
      return Method(name: detectors[index] + number, outcomes: group.outcomes, isYardstick: false)
    }
  }

  // MARK: Tests

  /// Each method against each later one: DeLong's test for every pair of trials with one seed, or of the only ones; Welch's
  /// test where both have several.
  private static func comparisons(of methods: [Method]) throws -> [Comparison] {
    var found: [Comparison] = []
    for (index, first) in methods.enumerated() {
      for second in methods[(index + 1)...] {
        let pairs = first.outcomes.flatMap { a in second.outcomes.map { (a, $0) } }
        for (a, b) in pairs
        where pairs.count == 1 || a.metadata.configuration.seed == b.metadata.configuration.seed {
          found.append(try deLong((first.name, a), (second.name, b)))
        }
        if first.outcomes.count >= 2, second.outcomes.count >= 2 { found.append(try welch(first, second)) }
      }
    }
    return found
  }

  private static func deLong(
    _ first: (name: String, outcome: Trials.Outcome), _ second: (name: String, outcome: Trials.Outcome)
  ) throws -> Comparison {
    let names = [first, second].map { "\($0.name), seed \($0.outcome.metadata.configuration.seed)" }
    let cases = try [first, second].map { try $0.outcome.test.cases($0.outcome.test.mainScore) }
    let difference = try auroc(cases[0]) - auroc(cases[1])
    var (statistic, p, reason) = (Double?.none, Double?.none, String?.none)
    do {
      let test = try DeLongTest(cases[0], cases[1])
      (statistic, p) = (test.z, test.p)
      if p == nil { reason = "The scores show no variation." }
    } catch EvaluationError.casesDiffer, EvaluationError.countsDiffer {
      reason = "They were evaluated on different test images."  // without an image's name
    } catch {
      reason = "\(error)"
    }
    return Comparison(
      test: "DeLong", first: names[0], second: names[1], difference: difference, statistic: statistic, p: p,
      reason: reason)
  }

  private static func welch(_ first: Method, _ second: Method) throws -> Comparison {
    let areas = [first, second].map { method in
      method.outcomes.compactMap { $0.test.figures[$0.test.mainScore]?.auroc }
    }
    let difference = try TrialStatistic(areas[0]).mean - TrialStatistic(areas[1]).mean
    let names = [first, second].map { "\($0.name), \($0.outcomes.count) seeds" }
    var (statistic, p, reason) = (Double?.none, Double?.none, String?.none)
    do {
      let test = try WelchTest(areas[0], areas[1])
      (statistic, p) = (test.t, test.p)
    } catch {
      reason = "\(error)"
    }
    return Comparison(
      test: "Welch", first: names[0], second: names[1], difference: difference, statistic: statistic, p: p,
      reason: reason)
  }
}
