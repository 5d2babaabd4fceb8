import Evaluation
import Foundation
import Norma

extension EvaluationResults {
  /// One JSON object per line: one per trial and score, one per trial and map where test images have masks, then one per
  /// subgroup and one per test. Page and text round these numbers.
  func printJSON() throws {
    for object in try objects() { try NormaCLI.printJSON(object) }
  }

  func objects() throws -> [[String: Any]] {
    var objects: [[String: Any]] = []
    for trial in trials {
      let outcome = trial.outcome
      let configuration = outcome.metadata.configuration
      let common: [String: Any] = ["method": configuration.detector.method.rawValue, "seed": configuration.seed]
      for (score, test) in outcome.test.figures.sorted(by: { $0.key < $1.key }) {
        let isDefault = score == outcome.test.mainScore
        let figures = isDefault ? trial.figures : try Self.figures(of: score, in: outcome, options: options)
        let line: [String: Any] = [
          "score": score, "isDefault": isDefault, "test": try Self.encoded(test), "trial": trial.name,
          "validationAUROC": outcome.validation?.figures[score]?.auroc as Any? ?? NSNull(),
          "aurocInterval": try figures.estimate("AUROC")?.interval.map(Self.encoded) ?? NSNull(),
          "figures": try Self.encoded(figures.estimates), "targets": try Self.encoded(figures.targets),
          "calibration": try figures.calibration.map { try Self.encoded($0.points) } ?? NSNull(),
        ]
        objects.append(common.merging(line) { $1 })
      }
      for (index, map) in outcome.localisation.maps.enumerated() {
        var line: [String: Any] = [
          "map": map.name, "isDefaultMap": index == 0, "localisation": try Self.encoded(map.figures),
        ]
        if let curve = outcome.localisation.lesions.first(where: { $0.name == map.name })?.curve {
          line["lesions"] = [
            "count": curve.lesionCount, "images": curve.imageCount, "falsePositivesPerImage": FROC.ratesOfScore,
            "sensitivities": curve.sensitivities, "score": curve.score,
          ]
        }
        objects.append(common.merging(line) { $1 })
      }
    }
    for (trial, subgroup) in subgroups {
      for group in [subgroup.all] + subgroup.groups {
        objects.append([
          "trial": trial, "subgroup": subgroup.attribute, "group": group.name, "normal": group.normalCount,
          "abnormal": group.abnormalCount, "figures": try Self.encoded(group.figures),
        ])
      }
    }
    objects += comparisons.map { test in
      [
        "comparison": test.test, "first": test.first, "second": test.second, "difference": test.difference,
        "statistic": test.statistic as Any? ?? NSNull(), "p": test.p as Any? ?? NSNull(),
        "reason": test.reason as Any? ?? NSNull(),
      ]
    }
    return objects
  }

  private static func encoded(_ figures: some Encodable) throws -> Any {
    try JSONSerialization.jsonObject(with: JSONEncoder().encode(figures))
  }
}
