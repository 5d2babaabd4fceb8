import Evaluation
import Foundation
import Testing

@Suite("Score tables")
struct ScoreTableTests {
  @Test("Reads what Python's csv module wrote: quotes, commas, line breaks, further columns in any order")
  func golden() throws {
    let table = try ScoreTable(contentsOf: GoldenFigures.file("scores.csv"))
    #expect(
      table.rows == [
        .init(name: "plain.png", isAbnormal: false, score: 0.25),
        .init(name: "comma, and \"quotes\".png", isAbnormal: true, score: 1.0 / 3),
        .init(name: "line\nbreak.png", isAbnormal: true, score: -1e-17),
        .init(name: "Röntgen.png", isAbnormal: false, score: 12345.678),
      ])
    #expect(try table.labelledScores().labels == [false, true, true, false])
  }

  @Test("Writes CR LF, quotes where needed, and reads back the same")
  func roundTrip() throws {
    let table = ScoreTable(rows: [
      .init(name: "a,\"b\"\r\nc", isAbnormal: true, score: 0.1 + 0.2), .init(name: "", isAbnormal: nil, score: -0.0),
      .init(name: "e\u{301}🫁", isAbnormal: false, score: .leastNonzeroMagnitude),
    ])
    #expect(
      table.csv
        == "name,label,score\r\n\"a,\"\"b\"\"\r\nc\",1,0.30000000000000004\r\n,,-0.0\r\ne\u{301}🫁,0,5e-324\r\n")
    #expect(try ScoreTable(csv: table.csv) == table)
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try table.write(to: folder.appending(path: "scores.csv"))
    #expect(try ScoreTable(contentsOf: folder.appending(path: "scores.csv")) == table)
  }

  @Test(
    "Line ends, byte order mark, blank lines, spaces and spellings of labels do not matter",
    arguments: ["\n", "\r\n", "\r"])
  func tolerant(_ end: String) throws {
    let text = "\u{FEFF}Name, Label ,SCORE\(end)\(end)a,Normal, 1e3 \(end)b,TRUE,-2\(end)\"c\",,0"
    #expect(
      try ScoreTable(csv: text).rows == [
        .init(name: "a", isAbnormal: false, score: 1000), .init(name: "b", isAbnormal: true, score: -2),
        .init(name: "c", isAbnormal: nil, score: 0),
      ])
  }

  @Test("Other headings can be named, and names or labels left out")
  func columns() throws {
    let table = try ScoreTable(csv: "probability\n0.5\n", columns: .init(name: nil, label: nil, score: "probability"))
    #expect(table.rows == [.init(name: "line 2", isAbnormal: nil, score: 0.5)])
  }

  @Test(
    "Says what is wrong and where",
    arguments: [
      ("", "The table is empty; its first line must name the columns, for example “name,label,score”."),
      ("name,score\n", "There is no column “label” among “name”, “score”; name the column to use."),
      ("name,label,score,Score\n", "The column “score” is there more than once; rename all but one."),
      ("name,label,score\na,b,1,2\n", "Line 2 has 4 fields and the header 3; quote fields that contain commas."),
      ("name,label,score\na,2,0.5\n", "Line 2: the label “2” is not known; write 0 for normal or 1 for abnormal."),
      (
        "name,label,score\n\"a\n\",1,2\nb,1,nan",
        "Line 4: the score “nan” is not a finite number; write it like 0.75 or 7.5e-1."
      ),
      ("name,label,score\na,1,\n", "Line 2: the score “” is not a finite number; write it like 0.75 or 7.5e-1."),
      (
        "name,label,score\n\"a,1,2\n",
        "Line 2: a quotation mark is opened and never closed; close it, or double it inside a quoted field."
      ),
      (
        "name,label,score\n\"a\"b,1,2\n",
        "Line 2: text follows a closing quotation mark; double quotation marks inside a quoted field."
      ),
    ])
  func messages(_ text: String, _ message: String) {
    expectMessage(message) { _ = try ScoreTable(csv: text) }
  }

  @Test("Cases without a label cannot be evaluated, nor an empty table")
  func unlabelled() {
    expectMessage("b has no label; write 0 for normal or 1 for abnormal, or leave the case out.") {
      _ = try ScoreTable(csv: "name,label,score\na,1,2\nb,,2\n").labelledScores()
    }
    expectMessage("There are no scores to evaluate; give at least one score with its label.") {
      _ = try ScoreTable(csv: "name,label,score\n").labelledScores()
    }
  }

  @Test("Files that cannot be read or written are named")
  func files() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "scores.csv")
    expectMessage("\(file.path) cannot be read; check that it exists and that you may read it.") {
      _ = try ScoreTable(contentsOf: file)
    }
    try Data([0x6E, 0xFF, 0xFE]).write(to: file)
    expectMessage("\(file.path) is not UTF-8 text; save the table as CSV in UTF-8.") {
      _ = try ScoreTable(contentsOf: file)
    }
    try Data("name,label,score\na,x,1".utf8).write(to: file)
    expectMessage("\(file.path): Line 2: the label “x” is not known; write 0 for normal or 1 for abnormal.") {
      _ = try ScoreTable(contentsOf: file)
    }
    let nowhere = folder.appending(path: "missing/scores.csv")
    expectMessage(
      "\(nowhere.path) cannot be written; check that its folder exists, that you may write there and that the disk is not full."
    ) {
      try ScoreTable(rows: []).write(to: nowhere)
    }
  }
}
