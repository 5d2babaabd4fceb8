import Foundation
import MedicalImaging

/// What an inspection found, as text for people and as an object for machines.
struct InspectionReport {
  private let inspection: DataInspection
  private let showsNames: Bool
  /// Values of a property, or names, that are listed.
  private static let mostListed = 5

  init(of inspection: DataInspection, showsNames: Bool) {
    (self.inspection, self.showsNames) = (inspection, showsNames)
  }

  /// For example `train, normal`.
  static func name(of group: DataInspection.Group) -> String {
    "\(group.split.rawValue), \(group.label?.rawValue ?? "unknown")"
  }

  // MARK: Text

  var text: String {
    var lines = [
      "\(inspection.set.items.count) images, laid out as \(layout); fingerprint \(inspection.contents.fingerprint)", "",
    ]
    lines += groupLines + [""]
    let kinds = properties.filter { !$0.counts.isEmpty }
    let width = kinds.map(\.name.count).max() ?? 0
    for (name, counts) in kinds {
      let shown = counts.prefix(Self.mostListed).map { counts.count == 1 ? $0.value : "\($0.value) (\($0.files))" }
      let rest = counts.count > Self.mostListed ? ["and \(counts.count - Self.mostListed) others"] : []
      lines.append(
        name.padding(toLength: width + 2, withPad: " ", startingAt: 0) + (shown + rest).joined(separator: ", "))
    }
    lines.append("")
    for finding in findings {
      lines.append("\(finding.isMistake ? "!" : "·") \(finding.sentence)")
      let names = showsNames ? finding.names : []
      lines += names.prefix(Self.mostNames).map { "    \($0)" }
      if names.count > Self.mostNames { lines.append("    and \(names.count - Self.mostNames) more") }
    }
    return lines.joined(separator: "\n")
  }

  private static let mostNames = 40

  private var layout: String {
    switch inspection.set.layout {
    case .classFolders: "class folders"
    case .mvtec: "MVTec AD"
    case .arrays: "NumPy arrays"
    case .manifest: "a manifest"
    case .published: "its publisher ships it"
    case .files: "files without labels"
    }
  }

  /// A table with a row per split and label.
  private var groupLines: [String] {
    let groups = inspection.groups
    let hasMasks = groups.contains { $0.masks > 0 }
    let hasPaired = groups.contains { $0.paired > 0 }
    var rows = [
      ["", "images", "patients"] + (hasMasks ? ["masks"] : []) + (hasPaired ? ["paired"] : []) + [
        "mean", "dark to bright",
      ]
    ]
    for group in groups {
      rows.append(
        [Self.name(of: group), "\(group.images)", group.patients == 0 ? "–" : "\(group.patients)"]
          + (hasMasks ? ["\(group.masks)"] : []) + (hasPaired ? ["\(group.paired)"] : [])
          + [group.mean.map { String(format: "%.4g", $0) } ?? "–", Self.bars(group.histogram)])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { column, text in
        let padding = String(repeating: " ", count: widths[column] - text.count)
        return column == 0 || column == row.count - 1 ? text + padding : padding + text
      }
      return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }
  }

  /// A histogram as bars, the tallest bin full.
  static func bars(_ shares: [Double]) -> String {
    let steps = Array("▁▂▃▄▅▆▇█")
    guard let tallest = shares.max(), tallest > 0 else { return "" }
    return String(shares.map { $0 == 0 ? " " : steps[min(Int($0 / tallest * 8), 7)] })
  }

  private var properties: [(name: String, counts: [DataInspection.Count])] {
    [
      ("formats", inspection.formats), ("sizes", inspection.sizes), ("bit depths", inspection.bitDepths),
      ("channels", inspection.channels), ("spacings", inspection.spacings),
      ("transfer syntaxes", inspection.transferSyntaxes),
    ]
  }

  // MARK: Findings

  private struct Finding {
    let isMistake: Bool
    let sentence: String
    let names: [String]
  }

  /// What deserves a look, and that all is well where it is.
  private var findings: [Finding] {
    let duplicates = inspection.duplicates
    let failures = inspection.failures
    let patients = inspection.patientsInSeveralSplits
    let known = Set(inspection.set.items.compactMap(\.patient)).count
    func finding(_ count: Int, _ sentence: String, none: String, names: [String], isMistake: Bool = true) -> Finding {
      Finding(isMistake: isMistake && count > 0, sentence: count > 0 ? sentence : none, names: names)
    }
    var found = [
      finding(
        failures.count, "\(failures.count) files cannot be read", none: "all files can be read",
        names: failures.map(\.reason.description)),
      finding(
        duplicates.count, duplicateSentence(duplicates), none: "no image is stored twice",
        names: duplicates.map { $0.map { "\($0.name) (\($0.split.rawValue))" }.joined(separator: " = ") }),
    ]
    found.append(
      known == 0
        ? Finding(isMistake: false, sentence: "no patients are told: each image counts as one", names: [])
        : finding(
          patients.count,
          "\(patients.count) of \(known) patients are in several splits"
            + (inspection.set.layout == .classFolders
              ? ", unless a split numbers its patients anew: file names tell them" : ""),
          none: "none of \(known) patients is in several splits",
          names: patients.map { "\($0.patient) (\($0.splits.map(\.rawValue).joined(separator: ", ")))" }))
    let constant = inspection.constantImages
    if !constant.isEmpty {
      found.append(
        Finding(
          isMistake: true, sentence: "\(constant.count) images have one value throughout", names: constant.map(\.name)))
    }
    let companions = inspection.companionMistakes
    if !companions.isEmpty {
      found.append(
        Finding(
          isMistake: true, sentence: "\(companions.count) masks or paired images do not fit their images",
          names: companions))
    }
    let remarks = inspection.remarks
    if !remarks.isEmpty {
      found.append(
        Finding(isMistake: true, sentence: "\(remarks.count) volumes have tilted slices", names: remarks))
    }
    return found
  }

  private func duplicateSentence(_ groups: [[DataItem]]) -> String {
    let across = groups.count { Set($0.map(\.split)).count > 1 }
    let labels = groups.count { Set($0.map(\.label)).count > 1 }
    let copies = groups.reduce(0) { $0 + $1.count - 1 }
    return
      "\(copies) images repeat another's content (\(groups.count) groups); \(across) groups lie in several splits, "
      + "\(labels) under several labels"
  }

  // MARK: JSON

  var object: [String: Any] {
    let duplicates = inspection.duplicates
    var object: [String: Any] = [
      "images": inspection.set.items.count, "layout": inspection.set.layout.rawValue,
      "fingerprint": inspection.contents.fingerprint,
      "groups": inspection.groups.map { group in
        var row: [String: Any] = [
          "split": group.split.rawValue, "label": group.label?.rawValue ?? "unknown", "images": group.images,
          "unreadable": group.unreadable, "patients": group.patients, "masks": group.masks, "paired": group.paired,
          "histogram": group.histogram,
        ]
        row["mean"] = group.mean
        return row
      },
      "unreadable": inspection.failures.count,
      "duplicates": [
        "groups": duplicates.count, "copies": duplicates.reduce(0) { $0 + $1.count - 1 },
        "acrossSplits": duplicates.count { Set($0.map(\.split)).count > 1 },
        "acrossLabels": duplicates.count { Set($0.map(\.label)).count > 1 },
      ],
      "patientsInSeveralSplits": inspection.patientsInSeveralSplits.count,
      "constantImages": inspection.constantImages.count, "companionMistakes": inspection.companionMistakes.count,
      "remarks": inspection.remarks.count,
    ]
    for (name, counts) in properties {
      object[name] = counts.map { ["value": $0.value, "files": $0.files] as [String: Any] }
    }
    if showsNames {
      object["names"] =
        [
          "unreadable": inspection.failures.map(\.reason.description),
          "duplicates": duplicates.map { $0.map(\.name) },
          "patientsInSeveralSplits": inspection.patientsInSeveralSplits.map(\.patient),
          "constantImages": inspection.constantImages.map(\.name), "companionMistakes": inspection.companionMistakes,
          "remarks": inspection.remarks,
        ] as [String: Any]
    }
    return object
  }
}
