import Evaluation
import Foundation
import MedicalImaging

/// The scores of single images that a run leaves beside its detector, `test-scores.csv` and `validation-scores.csv`: what
/// ensembles are chosen by and scores are compared with.
///
/// A row has the hash of the image's name, which often tells the patient, its label, the default score in standard deviations
/// above normal training images, and all raw scores. `ScoreTable` reads the files.
struct RunScores {
  /// Labelled images.
  enum Part: String {
    case validation
    case test
  }

  private static let standardised = "standardised"

  static func file(of part: Part, in folder: URL) -> URL {
    folder.appendingPathComponent("\(part.rawValue)-scores.csv")
  }

  /// Writes the scores of a run, each file whole or not at all.
  /// - Throws: `TrainingError.cannotWrite`.
  static func write(_ outcome: Trials.Outcome, to folder: URL) throws {
    try write(outcome.test, outcome.metadata.calibration, to: file(of: .test, in: folder))
    guard let validation = outcome.validation else { return }
    try write(validation, outcome.metadata.calibration, to: file(of: .validation, in: folder))
  }

  private static func write(_ result: Evaluator.Result, _ calibration: Calibration, to file: URL) throws {
    let names = result.scores.keys.sorted()
    var text = CommaSeparatedValues.line(["name", "label", standardised] + names)
    let distribution = calibration.scores[result.mainScore]
    let main = result.scores[result.mainScore] ?? []
    for (index, name) in result.names.enumerated() {
      let scores = names.map { "\(result.scores[$0]?[index] ?? .nan)" }
      text += CommaSeparatedValues.line(
        [ContentHash(of: Data(name.utf8)).description, result.labels[index] ? "1" : "0"]
          + ["\(distribution?.standardised(main[index]) ?? main[index])"] + scores)
    }
    do { try Data(text.utf8).write(to: file, options: .atomic) } catch {
      throw TrainingError.cannotWrite(path: file.path, reason: error.localizedDescription)
    }
  }

  /// The standardised default scores of a run, by image.
  /// - Throws: `ScoreTableError`.
  static func read(_ part: Part, in folder: URL) throws -> ScoreTable {
    try ScoreTable(contentsOf: file(of: part, in: folder), columns: .init(score: standardised))
  }
}
