import Foundation
import Reporting

/// Rows as text for people, as Markdown, and as JSON.
struct BenchTable {
  let rows: [BenchRow]

  /// Reads the rows that `norma bench --json` has written; lines of other commands, such as ceilings, are passed over.
  /// - Throws: `BenchFileError` when the file cannot be read or has none.
  init(contentsOf file: String) throws {
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
      throw BenchFileError(path: file, reason: "cannot be read")
    }
    let decoder = JSONDecoder()
    rows = text.split(separator: "\n").compactMap { try? decoder.decode(BenchRow.self, from: Data($0.utf8)) }
    if rows.isEmpty { throw BenchFileError(path: file, reason: "has no rows of 'norma bench --json'") }
  }

  init(_ rows: [BenchRow]) { self.rows = rows }

  /// One object per row.
  func printJSON() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    for row in rows { Swift.print(String(decoding: try encoder.encode(row), as: UTF8.self)) }
  }

  /// The headings and cells of a run, whose rows share a setting.
  private static let columns = [
    "Work", "Peer work", "Images/s", "Peer", "Ratio", "Least to most", "Multiply-adds/image", "GFLOP/s",
    "Of the ceiling", "Of the matrix rate", "Floor", "Took", "MiB", "Peer MiB",
  ]

  private static func cells(_ row: BenchRow) -> [String] {
    func number(_ value: Double?) -> String { value.map { BenchTable.number($0) } ?? "" }
    func share(_ value: Double?) -> String { value.map { String(format: "%.0f %%", 100 * $0) } ?? "" }
    func size(_ bytes: Int?) -> String { bytes.map { "\($0 >> 20)" } ?? "" }
    let spread = zip([row.ratios.min()].compactMap { $0 }, [row.ratios.max()].compactMap { $0 }).map {
      String(format: "%.2f to %.2f", $0, $1)
    }
    return [
      row.work, row.peer ?? "", number(row.imagesPerSecond), number(row.peerImagesPerSecond),
      row.ratio.map { String(format: "%.2f", $0) } ?? "", spread.first ?? "",
      row.multiplyAddsPerImage.map { number($0 / 1e9) + " G" } ?? "",
      number(row.operationsPerSecond.map { $0 / 1e9 }),
      share(row.ceilingShare), share(row.matrixShare),
      row.floorSecondsPerImage.map { number($0 * 1000) + " ms" } ?? "", number(row.secondsPerImage * 1000) + " ms",
      size(row.peakBytes), size(row.peerPeakBytes),
    ]
  }

  /// Three digits that count.
  static func number(_ value: Double) -> String {
    guard value.isFinite, value > 0 else { return value == 0 ? "0" : "–" }
    return String(format: "%.\(min(6, max(0, 2 - Int(log10(value).rounded(.down)))))f", value)
  }

  /// The columns that any row fills, aligned.
  func text() -> String {
    let all = [Self.columns] + rows.map(Self.cells)
    let filled = Self.columns.indices.filter { column in all.dropFirst().contains { !$0[column].isEmpty } }
    let widths = filled.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { cells in
      let line = zip(filled, widths).map { column, width in
        let space = String(repeating: " ", count: width - cells[column].count)
        return column < 2 ? cells[column] + space : space + cells[column]
      }
      return line.joined(separator: "  ").trimmingCharacters(in: .whitespaces) + "\n"
    }.joined()
  }

  /// Machine, rounds and table.
  func print(_ setting: BenchRow.Setting) {
    let rounds = rows.map(\.rounds).max() ?? 0
    let facts = [
      setting.method, setting.size.map { "side \($0)" }, setting.batch.map { "batch \($0)" }, setting.precision,
      "medians of \(rounds) \(rounds == 1 ? "round" : "rounds")", setting.hardware,
    ]
    Swift.print(facts.compactMap { $0 }.joined(separator: ", "))
    Swift.print(text(), terminator: "")
  }

  /// All rows, of whatever runs, as one table of Markdown.
  var markdown: String {
    FigureTable(
      columns: ["Method", "Precision"] + Self.columns,
      rows: rows.map { row in
        let setting = row.setting
        let batch = row.work.hasPrefix("train") ? setting.batch.map { ", batch \($0)" } : nil
        let network = setting.method.map { method in
          method + (setting.size.map { ", side \($0)" } ?? "") + (batch ?? "")
        }
        return [network ?? "", setting.precision ?? ""] + Self.cells(row)
      }, textColumns: 4
    ).markdown
  }
}

/// A file of the bench's that is not what it should be.
struct BenchFileError: Error, CustomStringConvertible {
  let path: String
  let reason: String
  var description: String { "\(path) \(reason); write it anew with 'norma bench … --json >\(path)'" }
}
