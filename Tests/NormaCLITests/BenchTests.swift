import Foundation
import Norma
import Reporting
import Testing
import Torch

@testable import NormaCLI

@Suite("Rows of the bench")
struct BenchRowTests {
  static let setting = BenchRow.Setting(
    method: "simsid", size: 64, batch: 4, precision: "float32", hardware: "a machine")
  static let ceilings = MachineCeilings(
    threads: 1, device: "cpu",
    float32: [.init(route: "linear", perSecond: 5e9), .init(route: "convolution 3×3", perSecond: 8e9)],
    bfloat16: [.init(route: "a", perSecond: 16e9)], memory: [.init(route: "copy", perSecond: 4e9)])

  /// Ours took 1, 2 and 4 seconds for 8 images, the peer 3, 4 and 16.
  static func row(count: OperationCount? = nil) -> BenchRow {
    func sample(_ seconds: Double, _ bytes: Int?) -> BenchSample {
      BenchSample(seconds: seconds, images: 8, peakBytes: bytes)
    }
    return BenchRow(
      setting, work: "train", peer: "train-lean",
      samples: [
        (sample(1, 3 << 20), sample(3, 5 << 20)), (sample(2, 4 << 20), sample(4, nil)),
        (sample(4, 2 << 20), sample(16, 6 << 20)),
      ], count: count, countedImages: 2, ceilings: ceilings)
  }

  @Test("Medians are over rounds, and the ratio is the median of the rounds' own")
  func ratios() {
    let row = Self.row()
    #expect(row.rounds == 3)
    #expect(row.imagesPerSecond == 4 && row.peerImagesPerSecond == 2)
    #expect(row.ratios == [3, 2, 4])
    #expect(row.ratio == 3)
    #expect(row.peakBytes == 4 << 20 && row.peerPeakBytes == 6 << 20)
    #expect(row.multiplyAddsPerImage == nil && row.ceilingShare == nil)
    let even = BenchRow(
      Self.setting, work: "w", peer: nil,
      samples: [1, 2, 4, 8].map { (BenchSample(seconds: 1, images: $0, peakBytes: nil), nil) })
    #expect(even.imagesPerSecond == 3)
    #expect(even.ratio == nil && even.ratios.isEmpty && even.peerImagesPerSecond == nil)
  }

  @Test("The share of the ceiling is the floor over the time, whatever the formats")
  func share() throws {
    // Two images: 2 G multiply-adds take 4 G operations in float32, half a second; another 4 G half a second in bfloat16.
    let row = Self.row(
      count: OperationCount(
        multiplyAdds: 2_000_000_000, reducedMultiplyAdds: 4_000_000_000, bytesRead: 6_000_000_000,
        bytesWritten: 2_000_000_000))
    #expect(row.multiplyAddsPerImage == 3e9)
    #expect(row.operationsPerSecond == 24e9)
    #expect(row.floorSecondsPerImage == 0.5)
    #expect(row.ceilingShare == 2)
    let matrixShare = try #require(row.matrixShare)
    #expect(abs(matrixShare - (0.4 + 0.25) * 4) < 1e-12)
    #expect(row.bytesPerImage == 4e9 && row.memorySecondsPerImage == 1)
  }

  @Test("A row is one object of JSON, and comes back from its file as it was")
  func json() throws {
    let row = Self.row(count: OperationCount(multiplyAdds: 1_000_000_000))
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let line = String(decoding: try encoder.encode(row), as: UTF8.self)
    let folder = try TemporaryFolder()
    let file = try folder.write("rows.jsonl", "{\"threads\": 1}\n\(line)\nno JSON\n\(line)\n")
    #expect(try BenchTable(contentsOf: file).rows == [row, row])
    let keys = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]).keys.sorted()
    #expect(
      keys == [
        "bytesPerImage", "ceilingShare", "floorSecondsPerImage", "imagesPerSecond", "matrixShare",
        "memorySecondsPerImage",
        "multiplyAddsPerImage", "operationsPerSecond", "peakBytes", "peer", "peerImagesPerSecond", "peerPeakBytes",
        "ratio",
        "ratios", "rounds", "setting", "work",
      ])
    let error = #expect(throws: BenchFileError.self) { try BenchTable(contentsOf: folder.path("none")) }
    #expect(error?.description.contains("cannot be read") == true)
    let empty = try folder.write("empty.jsonl", "{}\n")
    #expect(throws: BenchFileError.self) { try BenchTable(contentsOf: empty) }
  }

  @Test("Text and Markdown have a row's figures with three digits, and text no column that no row fills")
  func tables() throws {
    let row = Self.row(count: OperationCount(multiplyAdds: 1_000_000_000))
    let lines = BenchTable([row]).text().split(separator: "\n").map(String.init)
    #expect(lines.count == 2)
    #expect(lines[0].hasPrefix("Work   Peer work"))
    let cells = lines[1].replacingOccurrences(of: " +", with: " ", options: .regularExpression)
    #expect(cells == "train train-lean 4.00 2.00 3.00 2.00 to 4.00 0.500 G 4.00 50 % 80 % 125 ms 250 ms 4 6")
    #expect(BenchTable([row]).markdown.contains("| simsid, side 64, batch 4 | float32 | train | train-lean | 4.00 |"))
    let alone = BenchRow(
      Self.setting, work: "load", peer: nil, samples: [(BenchSample(seconds: 1, images: 5, peakBytes: nil), nil)])
    #expect(BenchTable([alone]).text().hasPrefix("Work  Images/s    Took\n"))
  }

  @Test(
    "Three digits that count",
    arguments: [(1234.5, "1234"), (99.96, "100.0"), (12.345, "12.3"), (0.012345, "0.0123"), (0, "0"), (.nan, "–")])
  func digits(value: Double, text: String) {
    #expect(BenchTable.number(value) == text)
  }

  @Test("Ceilings are those of as many threads; a file without them is refused")
  func ceilingsFile() throws {
    let folder = try TemporaryFolder()
    let own = MachineCeilings(
      threads: Runtime.threads, device: "cpu", float32: Self.ceilings.float32, bfloat16: [], memory: [])
    let encoder = JSONEncoder()
    let lines = try [own, Self.ceilings].map { String(decoding: try encoder.encode($0), as: UTF8.self) }
    let file = try folder.write("ceilings.jsonl", lines[0] + "\n")
    #expect(try BenchCeilings.read(from: file, on: .cpu) == own)
    let other = try folder.write(
      "other.jsonl", lines[1].replacingOccurrences(of: "\"threads\":1", with: "\"threads\":999"))
    let error = #expect(throws: BenchFileError.self) { try BenchCeilings.read(from: other, on: .cpu) }
    #expect(error?.description.contains("has no ceilings of \(Runtime.threads) threads on cpu") == true)
  }
}

@Suite("Works of the bench")
struct BenchWorkTests {
  @Test("A network is built uncounted and warmed up as often as it is timed, its operations counted meanwhile")
  func warmUp() async throws {
    var asked: [Int] = []
    let work = BenchWork("w", peers: ["a", "b"], warning: { "w" }) { count in
      asked.append(count)
      for _ in 0..<max(1, count) { _ = try Tensor.ones([2, 3]).matmul(.ones([3, 4])) }
      return (1, 5 * count)
    }
    let found = try await work.warmUp(3)
    #expect(asked == [0, 3])
    #expect(found.images == 15 && found.count?.multiplyAdds == 3 * 2 * 3 * 4)
    let one = work.against(["b"])
    #expect(one.peers == ["b"] && one.warning() == "w" && work.against([]).peers == ["a", "b"])
    #expect(try await one.warmUp(1).count?.multiplyAdds == 24 && asked == [0, 3, 0, 1])
  }

  @Test("Other work is done as often, and counts nothing")
  func other() async throws {
    var asked: [Int] = []
    let work = BenchWork(
      "w",
      run: { count in
        asked.append(count)
        return (1, count)
      })
    let found = try await work.warmUp(2)
    #expect(found.images == 2 && found.count == nil && asked == [2] && work.warning() == nil)
  }
}

@Suite("Scaling of the bench")
struct BenchScalingTests {
  static let curve = BenchScaling.Curve(
    method: "simsid", work: "train", unit: "images",
    points: [(4, [1.1, 1, 1.2]), (8, [2.1, 2, 2.2]), (16, [4.1, 4, 4.2])])

  @Test("The line goes through medians, and the table has both")
  func line() throws {
    let fit = try #require(Self.curve.fit)
    #expect(abs(fit.slope - 0.25) < 1e-12 && abs(fit.intercept - 0.1) < 1e-12 && abs(fit.r2 - 1) < 1e-12)
    #expect(
      BenchScaling.line(Self.curve) == "train, 4 to 16 images: 250 ms for each, 100 ms beside, R² 1.00000")
    let rows = BenchScaling.csv([Self.curve]).split(separator: "\n")
    #expect(rows[0] == "method,work,unit,amount,seconds,least,most,fitted")
    #expect(rows[1].hasPrefix("simsid,train,images,4,1.1,1.0,1.2,1."))
    #expect(rows.count == 4)
  }

  @Test("The plot has measured points with their extremes, and the line from nothing on")
  func plot() {
    let plot = BenchScaling.plot(Self.curve)
    #expect(plot.series.map(\.name) == ["median of 3 rounds", "line, R² 1.0000"])
    #expect(plot.series[0].whiskers.first == 1...1.2)
    #expect(plot.series[1].points.map(\.x) == [0, 16])
  }
}

/// The program against a peer that answers the protocol from a shell.
@Suite("Bench runs")
struct BenchRunTests {
  static let tiny = [
    "--preset", "simsid-demo", "--size", "32", "--batch", "2", "--set", "detector.width=2", "--set", "detector.slots=6",
    "--rounds", "2", "--repeats", "1", "--threads", "1",
  ]
  static let ceilings = #"""
    {"threads":1,"device":"cpu","float32":[{"route":"a","perSecond":5e10}],"bfloat16":[{"route":"a","perSecond":1e11}],"memory":[{"route":"copy","perSecond":1e10}]}

    """#

  /// Notes its arguments and answers every work with 100 seconds for 50 images.
  private func peer(in folder: TemporaryFolder, answer: String? = nil) throws -> String {
    let reply = answer ?? #"{"work": "x", "seconds": 100.0, "images": 50, "peakBytes": 1048576}"#
    let file = try folder.write(
      "peer.sh",
      """
      echo "$@" > \(folder.path("arguments"))
      while read -r work count; do
        [ "$work" = quit ] && exit 0
        echo "$work $count" >> \(folder.path("works"))
        echo '\(reply)'
      done
      """)
    return "sh \(file)"
  }

  @Test("Every work stands beside each of the peer's, with counted operations and the share of given ceilings")
  func wholeRun() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("ceilings.jsonl", Self.ceilings)
    let run = try Program.run(
      [
        "bench", "--json", "--ceilings-from", file, "--peer", peer(in: folder), "--task", "train", "--task",
        "score-one",
      ]
        + Self.tiny)
    #expect(run.status == 0, "\(run.errors)")
    let rows = try run.objects()
    #expect(rows.map { $0["work"] as? String } == ["train", "train", "score-one", "score-one"])
    #expect(
      rows.map { $0["peer"] as? String } == ["train", "train-lean", "score-one", "score-one-lean"])
    for row in rows {
      #expect(row["rounds"] as? Int == 2)
      #expect(row["peerImagesPerSecond"] as? Double == 0.5)
      let (own, ratio) = (try #require(row["imagesPerSecond"] as? Double), try #require(row["ratio"] as? Double))
      #expect(abs(ratio - 2 * own) < 1e-9 * ratio)
      #expect(row["peerPeakBytes"] as? Int == 1 << 20)
      let count = try #require(row["multiplyAddsPerImage"] as? Double)
      #expect(count > 1e5)
      let floor = try #require(row["floorSecondsPerImage"] as? Double)
      #expect(abs(floor - 2 * count / 5e10) < 1e-9 * floor)
      let share = try #require(row["ceilingShare"] as? Double)
      #expect(abs(share - floor * own) < 1e-6)
      let setting = try #require(row["setting"] as? [String: Any])
      #expect(setting["method"] as? String == "simsid" && setting["size"] as? Int == 32)
      #expect(setting["batch"] as? Int == 2 && setting["precision"] as? String == "float32")
    }
    let told = try String(contentsOfFile: folder.path("arguments"), encoding: .utf8)
    #expect(
      told == "--size 32 --width 2 --grid 2 --slots 6 --batch 2 --threads 1 --tasks train train-lean score-one "
        + "score-one-lean\n")
    let works = try String(contentsOfFile: folder.path("works"), encoding: .utf8).split(separator: "\n")
    #expect(works == Self.alternating)
    let markdown = try Program.run(
      ["bench", "--summary", folder.write("rows.jsonl", run.output)])
    #expect(markdown.status == 0)
    #expect(markdown.lines.count == 6)
    #expect(markdown.lines[2].hasPrefix("| simsid, side 32, batch 2 | float32 | train | train |"))
  }

  /// One round to warm up and two that count, for each work of ours.
  private static let alternating: [Substring] = [["train 1", "train-lean 1"], ["score-one 1", "score-one-lean 1"]]
    .flatMap { round in (0..<3).flatMap { _ in round } }

  @Test("--peer-task leaves the peer's other works out")
  func peerTask() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("ceilings.jsonl", Self.ceilings)
    let options = ["bench", "--json", "--ceilings-from", file, "--task", "score-one"] + Self.tiny
    let run = try Program.run(options + ["--peer", peer(in: folder), "--peer-task", "score-one-lean"])
    #expect(try run.objects().map { $0["peer"] as? String } == ["score-one-lean"])
    let alone = try Program.run(options)
    #expect(try alone.objects().map { $0["peer"] as? String } == [nil])
    let unknown = try Program.run(options + ["--peer", peer(in: folder), "--peer-task", "train"])
    #expect(unknown.status == 64)
    #expect(
      unknown.errorLines.first == "Error: --peer-task 'train' is none of score-one, score-one-lean.")
  }

  @Test("A peer that does not do the work is named with what it answered")
  func brokenPeer() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("ceilings.jsonl", Self.ceilings)
    let options = ["bench", "--ceilings-from", file, "--task", "score-one"] + Self.tiny
    let wrong = try Program.run(options + ["--peer", peer(in: folder, answer: #"{"error": "no such task"}"#)])
    #expect(wrong.status == 1)
    #expect(wrong.errors.contains(#"it answered '{"error": "no such task"}'"#))
    let ended = try Program.run(options + ["--peer", "true"])
    #expect(ended.status == 1)
    #expect(ended.errors.contains("the peer 'true' failed: it ended without an answer"))
  }

  @Test("Scaling writes a table, plots and a line for each work")
  func scaling() throws {
    let folder = try TemporaryFolder()
    let run = try Program.run(
      ["bench", "--scaling", "--json", "--task", "score", "--output", folder.path("scaling")] + Self.tiny)
    #expect(run.status == 0, "\(run.errors)")
    let object = try #require(try run.objects().first)
    #expect(object["amounts"] as? [Int] == [2, 4, 8, 16])
    #expect(object["work"] as? String == "score" && object["unit"] as? String == "images")
    #expect(try #require(object["r2"] as? Double) <= 1)
    let table = try String(contentsOfFile: folder.path("scaling/scaling.csv"), encoding: .utf8)
    #expect(table.split(separator: "\n").count == 5)
    #expect(try String(contentsOfFile: folder.path("scaling/scaling-score.svg"), encoding: .utf8).contains("<svg"))
  }
}
