import ArgumentParser
import Evaluation
import MedicalImaging
import Norma

/// `--subgroup sex` or `--subgroup age:40,60`: a column of the manifest, and limits between bands of its numbers.
struct SubgroupOption: Equatable {
  let column: String
  let bands: AttributeBands?

  /// - Throws: `ValidationError` when the text is neither.
  init(_ text: String) throws {
    // The last colon: columns may have some of their own.
    let colon = text.lastIndex(of: ":")
    column = String(text[..<(colon ?? text.endIndex)])
    guard !column.isEmpty else {
      throw ValidationError("--subgroup has '\(text)'; give a column, for example sex, or age:40,60.")
    }
    guard let colon else {
      bands = nil
      return
    }
    let limits = text[text.index(after: colon)...].split(separator: ",", omittingEmptySubsequences: false).map {
      Double($0.trimmingCharacters(in: .whitespaces))
    }
    let known = limits.compactMap { $0 }
    guard known.count == limits.count, let bands = try? AttributeBands(limits: known) else {
      throw ValidationError("--subgroup has '\(text)'; give rising limits, for example age:40,60.")
    }
    self.bands = bands
  }

  /// Names the column where no test image has it, before anything is trained or scored.
  /// - Throws: `SubgroupError`.
  static func check(_ options: [SubgroupOption], in set: ImageDataSet, path: String) throws {
    guard !options.isEmpty else { return }
    let columns = Set(set.items(in: .test).flatMap(\.attributes.keys))
    for option in options where !columns.contains(option.column) {
      throw SubgroupError(column: option.column, path: path, columns: columns.sorted())
    }
  }

  /// The figures of each group at the calibrated threshold of the default score.
  func figures(of test: Evaluator.Result, bootstrap: Bootstrap?) throws -> SubgroupFigures {
    try SubgroupFigures(
      by: column, values: test.attributes.map { $0[column] }, bands: bands, cases: test.cases(test.mainScore),
      threshold: test.thresholds[test.mainScore], bootstrap: bootstrap)
  }
}

/// A subgroup that the data set does not tell of.
struct SubgroupError: Error, CustomStringConvertible {
  let column: String
  let path: String
  let columns: [String]

  var description: String {
    let known =
      columns.isEmpty
      ? "its test images have no columns; give a manifest" : "columns: \(columns.joined(separator: ", "))"
    return "\(path) tells nothing by '\(column)' of its test images; \(known)"
  }
}
