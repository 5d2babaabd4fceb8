import Foundation
import Norma

/// The table that `norma score` writes.
struct ScoreLines {
  let isJSON: Bool
  private var rows: [String] = ["name,score,standardised,probability,abnormal"]

  init(isJSON: Bool) { self.isJSON = isJSON }

  /// Adds one image; JSON lines are printed at once.
  mutating func add(_ result: AnomalyResult) throws {
    if isJSON {
      try printJSON([
        "name": result.item.name, "score": result.score, "scores": result.scores,
        "standardised": result.standardised as Any? ?? NSNull(), "probability": result.probability as Any? ?? NSNull(),
        "abnormal": result.isAbnormal as Any? ?? NSNull(),
      ])
    }
    let numbers = [result.score, result.standardised, result.probability].map { number in
      number.map { String(format: "%.6g", $0) } ?? ""
    }
    let verdict = result.isAbnormal.map { $0 ? "1" : "0" } ?? ""
    rows.append(([quoted(result.item.name)] + numbers + [verdict]).joined(separator: ","))
  }

  /// Writes the CSV to a file, or to standard output unless JSON went there.
  func finish(to path: String?) throws {
    let text = rows.joined(separator: "\n") + "\n"
    if let path {
      do { try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
        throw OutputError(path: path, reason: error.localizedDescription)
      }
    } else if !isJSON {
      print(text, terminator: "")
    }
  }

  private func quoted(_ field: String) -> String {
    field.contains { ",\"\n\r".contains($0) } ? "\"\(field.replacingOccurrences(of: "\"", with: "\"\""))\"" : field
  }
}
