import Evaluation
import Foundation

/// What the templates are filled with.
///
/// A name that is missing in an inner part would be looked up in the outer ones, so every part has all names of its template;
/// what is not there is false.
extension ReportPage {
  func context() throws(ReportingError) -> [String: Any] {
    let sections = try sections()
    return [
      "title": report.title, "subtitle": report.subtitle.isEmpty ? false : report.subtitle,
      "researchNote": Self.researchNote, "style": PlotStyle.css + ReportTemplates.style,
      "script": ReportTemplates.script, "scriptHash": ReportTemplates.scriptHash,
      "hasHeadlines": !report.headlines.isEmpty, "headlines": report.headlines.map(Self.context),
      "hasContents": sections.count > 1,
      "contents": sections.map { ["anchor": $0.anchor, "heading": $0.heading] },
      "sections": sections.map(\.context),
    ]
  }

  /// One part of the page below its own heading.
  private struct Section {
    let anchor: String
    let heading: String
    var notes: [String] = []
    var tables: [FigureTable] = []
    var confusion: Report.Confusion?
    var plots: [String] = []
    var isDense = false
    var legend: Report.MapLegend?
    var groups: [[String: Any]] = []
    var record: [String: Any]?

    var isEmpty: Bool {
      tables.isEmpty && confusion == nil && plots.isEmpty && groups.isEmpty && record == nil
    }

    var context: [String: Any] {
      [
        "anchor": anchor, "heading": heading, "notes": notes, "tables": tables.map(ReportPage.context),
        "confusion": confusion.map(ReportPage.context) ?? false, "hasPlots": !plots.isEmpty, "plots": plots,
        "isDense": isDense, "legend": legend.map(ReportPage.context) ?? false, "groups": groups,
        "record": record ?? false,
      ]
    }
  }

  private func sections() throws(ReportingError) -> [Section] {
    var groups: [[String: Any]] = []
    var number = 0
    for group in report.caseGroups { groups.append(try context(of: group, number: &number)) }
    let hasRecord = !report.record.fields.isEmpty || report.configuration != nil
    return [
      Section(anchor: "figures", heading: "Figures", notes: Self.figureNotes, tables: report.figures),
      Section(anchor: "curves", heading: "Curves", plots: report.plots.map(\.svg)),
      Section(
        anchor: "confusion", heading: "Calls",
        notes: ["What a reader would have been told of each test image at the threshold, row by row of the truth."],
        confusion: report.confusion),
      Section(
        anchor: "localisation", heading: "Localisation", notes: [Self.localisationNote], tables: report.localisation),
      Section(
        anchor: "subgroups", heading: "Subgroups",
        notes: [
          "Parts of the test images by what the manifest tells of them. Groups are small, and several are looked at: one "
            + "interval in twenty misses the true figure by chance alone."
        ], tables: report.subgroups),
      Section(
        anchor: "comparisons", heading: "Comparisons",
        notes: [
          "DeLong's test compares two scores of the same images, Welch's two methods over their seeds. p is how often chance "
            + "alone makes a difference at least as large; it is not corrected for how many comparisons stand here."
        ], tables: report.comparisons),
      Section(
        anchor: "learning", heading: "Learning curves",
        notes: ["Read from the run's log. Figures of test images are shown and not used to choose a checkpoint."],
        plots: report.learningCurves.map(\.svg), isDense: true),
      Section(anchor: "cases", heading: "Cases", legend: report.mapLegend, groups: groups),
      Section(
        anchor: "record", heading: "How it was made",
        record: hasRecord
          ? [
            "fields": report.record.fields.map { ["field": $0.name, "text": $0.value] },
            "configuration": report.configuration ?? false,
          ] : nil),
    ].filter { !$0.isEmpty }
  }

  private static let figureNotes = [
    "In brackets: 95 % confidence intervals over other test images of the same kind (AUROC: DeLong; shares at a threshold: "
      + "Wilson; all others: stratified bootstrap). ±: sample standard deviation over the trials. Where a threshold is chosen "
      + "with the labels of the same images (at a target, best accuracy, best F1), figures are upper bounds, not what a new "
      + "hospital would see."
  ]
  private static let localisationNote =
    "Anomaly maps against the masks, over the pixels of all test images at their own size. AUPRO is the mean share of a marked "
    + "region that is found, as an area over false positive rates up to \(PixelFigures.integrationLimit). The threshold of "
    + "best Dice is picked with the masks: an upper bound. Lesions are found where the map has a local maximum inside them; "
    + "every maximum outside is a false positive."

  // MARK: Parts

  private static func context(_ headline: Report.Headline) -> [String: Any] {
    [
      "name": headline.name, "value": headline.value, "spread": headline.spread ?? false, "notes": headline.notes,
    ]
  }

  private static func context(_ table: FigureTable) -> [String: Any] {
    let isGrouped = table.textColumns > 1
    let shown = table.columns.indices.dropFirst(isGrouped ? 1 : 0)
    let rows = table.rows.enumerated().map { index, row -> [String: Any] in
      let opensGroup = isGrouped && (index == 0 || table.rows[index - 1][0] != row[0])
      let cells = shown.map { column -> [String: Any] in
        let (text, spread) = column < table.textColumns ? (row[column], nil) : parts(of: row[column])
        return [
          "isName": column == 0, "isWords": column < table.textColumns, "text": text, "spread": spread ?? false,
          "isStrong": table.isEmphasised(index, column),
        ]
      }
      return ["group": opensGroup ? row[0] : false, "span": shown.count, "cells": cells]
    }
    return [
      "caption": table.caption ?? false,
      "heads": shown.map { ["isWords": $0 < table.textColumns, "text": table.columns[$0]] as [String: Any] },
      "rows": rows,
    ]
  }

  /// What stands in small type: the deviation of `0.912 ± 0.008`, the interval of `0.912 (0.880 to 0.940)`.
  private static func parts(of cell: String) -> (text: String, spread: String?) {
    guard let place = cell.firstRange(of: " ± ") ?? cell.firstRange(of: " (") else { return (cell, nil) }
    let rest = cell[cell.index(after: place.lowerBound)...]
    return (String(cell[..<place.lowerBound]), String(rest))
  }

  private static func context(_ confusion: Report.Confusion) -> [String: Any] {
    let (point, counts) = (confusion.point, confusion.point.confusion)
    func cell(_ count: Int, of all: Int, _ meaning: String, isRight: Bool) -> [String: Any] {
      let share = all == 0 ? 0 : Double(count) / Double(all)
      return [
        "kind": isRight ? "right" : "wrong", "share": coordinate(share), "count": "\(count)", "meaning": meaning,
        "percent": FigureFormat.fixed(100 * share, decimals: 1),
      ]
    }
    let normal = counts.trueNegatives + counts.falsePositives
    let abnormal = counts.truePositives + counts.falseNegatives
    let rows: [[String: Any]] = [
      [
        "name": "\(normal) normal",
        "cells": [
          cell(counts.trueNegatives, of: normal, "specificity", isRight: true),
          cell(counts.falsePositives, of: normal, "false alarms", isRight: false),
        ],
      ],
      [
        "name": "\(abnormal) abnormal",
        "cells": [
          cell(counts.falseNegatives, of: abnormal, "missed", isRight: false),
          cell(counts.truePositives, of: abnormal, "sensitivity", isRight: true),
        ],
      ],
    ]
    return ["rule": point.rule, "threshold": FigureFormat.number(point.threshold), "rows": rows]
  }

  private static func context(_ legend: Report.MapLegend) -> [String: Any] {
    [
      "low": FigureFormat.number(Double(legend.range.lowerBound)),
      "high": FigureFormat.number(Double(legend.range.upperBound)), "gradient": legend.colourMap.gradient,
      "note": legend.note ?? false,
    ]
  }

  /// A group of cases; where names are hidden, cases are numbered through the page.
  private func context(of group: Report.CaseGroup, number: inout Int) throws(ReportingError) -> [String: Any] {
    var cases: [[String: Any]] = []
    for example in group.cases {
      number += 1
      let name = report.showsNames ? example.name : "Case \(number)"
      var pictures: [[String: Any]] = []
      for picture in example.pictures {
        let source = try picture.image.dataURI(
          maximumExtent: maximumPictureExtent, named: "\(name), \(picture.caption)")
        pictures.append([
          "caption": picture.caption, "source": source, "width": picture.image.width, "height": picture.image.height,
        ])
      }
      cases.append([
        "name": name, "label": example.isAbnormal.map { $0 ? "abnormal" : "normal" } ?? "unlabelled",
        "score": FigureFormat.number(example.score), "remark": example.caption ?? false, "pictures": pictures,
      ])
    }
    let columns = max(1, report.caseGroups.flatMap(\.cases).map(\.pictures.count).max() ?? 1)
    return [
      "title": group.title, "groupNote": group.note ?? false, "cases": cases, "columns": columns,
      "narrowColumns": columns == 4 ? 2 : min(columns, 3),
      "isWide": columns > 4,
    ]
  }
}
