import Evaluation
import Foundation
import Testing

@testable import Norma

@Suite("Locks and rows of runs")
struct RunFilesTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("A run is worked on by one at a time, and what a process left behind that is gone stops nobody")
  func lock() throws {
    let run = folder.url.appendingPathComponent("a/seed-1")
    var first = try RunLock(in: run)
    #expect(first != nil)
    #expect(try RunLock(in: run) == nil)
    #expect(RunLock.holder(of: run) == ProcessInfo.processInfo.processIdentifier)
    let other = try RunLock(in: folder.url.appendingPathComponent("a/seed-2"))
    #expect(other != nil)
    first = nil
    #expect(!FileManager.default.fileExists(atPath: run.path) && RunLock.holder(of: run) == nil)
    try folder.write("a/seed-1/run.lock", Data("123\n".utf8))
    #expect(RunLock.holder(of: run) == nil)
    let second = try RunLock(in: run)
    #expect(second != nil && RunLock.holder(of: run) == ProcessInfo.processInfo.processIdentifier)
    let busy = TrainingError.runElsewhere(path: run.path, process: ProcessInfo.processInfo.processIdentifier)
    #expect(throws: busy) { try RunLock.taken(in: run) }
    withExtendedLifetime((first, second, other)) {}
    #expect(try folder.contents(of: "a").contains("seed-1"))
  }

  @Test("A folder that cannot be made is an error that names it")
  func noFolder() throws {
    try folder.write("file", Data())
    let run = folder.url.appendingPathComponent("file/seed-1")
    let error = #expect(throws: TrainingError.self) { try RunLock(in: run) }
    #expect(error?.description.hasPrefix("\(run.path) cannot be written: ") == true)
  }

  private func record(_ seed: Int, auroc: Double) throws -> RunRecord {
    var record = RunRecord(RunKey(dataSet: "a", entry: "b", contamination: 0, seed: seed))
    record.configuration = Fixtures.tinySimSID()
    record.test = .init(
      mainScore: "s",
      figures: [
        "s": ClassificationFigures(
          auroc: auroc, averagePrecision: 1 / 3, normalCount: 2, abnormalCount: 3,
          operatingPoints: [
            .init(
              rule: "x", threshold: .infinity,
              confusion: .init(
                truePositives: 0, falsePositives: 0, trueNegatives: 2, falseNegatives: 3))
          ])
      ], intervals: ["s": .init(lower: 0.1, upper: 0.7)])
    return record
  }

  @Test("Rows come back as they were, the last of a run holds, and a torn line harms no other")
  func rows() throws {
    let file = ResultsFile(in: folder.url.appendingPathComponent("new"))
    #expect(file.records().isEmpty)
    let rows = [try record(1, auroc: 0.25), try record(2, auroc: 0.5), try record(1, auroc: 0.75)]
    try file.append(rows[0])
    let torn = try Data(contentsOf: file.url) + Data("{\"dataSet\":\"a\",\"en".utf8)
    try torn.write(to: file.url)
    for row in rows[1...] { try file.append(row) }
    let found = file.records()
    #expect(found.count == 2)
    #expect(found[rows[0].key] == rows[2] && found[rows[1].key] == rows[1])
    #expect(try String(contentsOf: file.url, encoding: .utf8).split(separator: "\n").count == 4)
    // What another process appends is seen, and so is a file that is gone.
    let new = try record(3, auroc: 1)
    try ResultsFile(in: folder.url.appendingPathComponent("new")).append(new)
    #expect(file.records().count == 3 && file.records()[new.key] == new)
    try FileManager.default.removeItem(at: file.url)
    #expect(file.records().isEmpty)
  }

  @Test("A row of a Norma that knew fewer keys has their defaults")
  func olderRows() throws {
    let file = ResultsFile(in: folder.url)
    let row = try record(1, auroc: 0.25)
    try file.append(row)
    let text = try String(contentsOf: file.url, encoding: .utf8)
    #expect(text.contains("\"pixelMaskRatio\":0,"))
    try text.replacing("\"pixelMaskRatio\":0,", with: "").write(to: file.url, atomically: true, encoding: .utf8)
    #expect(file.records()[row.key] == row)
  }

  @Test("Runs have the folders that the README says")
  func folders() {
    #expect(
      RunKey(dataSet: "zhanglab", entry: "simsid", contamination: 0, seed: 1).folder
        == "zhanglab/simsid/contamination-0.0/seed-1")
    #expect(
      RunKey(dataSet: "zhanglab", entry: "simsid", ablation: "no-skips", contamination: 0.25, seed: 12).folder
        == "zhanglab/simsid/ablations/no-skips/contamination-0.25/seed-12")
  }
}
