import Foundation
import Testing

@Suite("norma score and norma info")
struct ScoreTests {
  let folder: TemporaryFolder
  let trained: TrainedRun

  init() throws { (folder, trained) = (try TemporaryFolder(), try TrainedRun.shared.get()) }

  /// The cells of a CSV text without quotes, the header apart.
  private func table(_ text: String) throws -> (header: String, rows: [[String]]) {
    let lines = text.split(separator: "\n").map(String.init)
    return (try #require(lines.first), lines.dropFirst().map { $0.split(separator: ",").map(String.init) })
  }

  @Test("A folder gives a line per image: standardised score, probability and verdict follow from the score")
  func csv() throws {
    let file = folder.path("made/scores.csv")
    let run = try Program.run("score", trained.test, "--checkpoint", trained.checkpoint, "--csv", file)
    #expect(run.status == 0)
    #expect(run.output.isEmpty)
    #expect(run.errors.isEmpty)
    let (header, rows) = try table(String(contentsOfFile: file, encoding: .utf8))
    #expect(header == "name,score,standardised,probability,abnormal")
    #expect(rows.map(\.[0]) == (try trained.images("ABNORMAL") + trained.images("NORMAL")))

    let info = try #require(try Program.run("info", trained.checkpoint, "--json").objects().first)
    let scores = (info["calibration"] as? [String: Any])?["scores"] as? [String: [String: Double]]
    let normal = try #require(scores?["nearestNormals"])
    let (mean, deviation, threshold) = (normal["mean"], normal["standardDeviation"], normal["threshold"])
    for row in rows {
      let score = try #require(Double(row[1]))
      let standardised = try (score - #require(mean)) / #require(deviation)
      #expect(abs(try #require(Double(row[2])) - standardised) < 1e-3)
      #expect(abs(try #require(Double(row[3])) - 1 / (1 + exp(-standardised))) < 1e-3)
      #expect(row[4] == (try score > #require(threshold) ? "1" : "0"))
    }
  }

  @Test("Scores go to standard output as CSV, or as JSON lines with every score; one image alone scores the same")
  func outputs() throws {
    let image = try trained.images("NORMAL")[2]
    let text = try Program.run("score", trained.test, "--checkpoint", trained.checkpoint)
    let lines = try Program.run("score", trained.test, "--checkpoint", trained.checkpoint, "--json")
    let alone = try Program.run("score", image, "--checkpoint", trained.checkpoint)
    #expect([text.status, lines.status, alone.status] == [0, 0, 0])
    #expect(text.errors.isEmpty && lines.errors.isEmpty)
    let rows = try table(text.output).rows
    let objects = try lines.objects()
    #expect(rows.count == 12)
    #expect(objects.compactMap { $0["name"] as? String } == rows.map(\.[0]))
    for (row, object) in zip(rows, objects) {
      #expect(Set(object.keys) == ["abnormal", "name", "probability", "score", "scores", "standardised"])
      let score = try #require(object["score"] as? Double)
      #expect(abs(score - (try #require(Double(row[1])))) <= 1e-5 * max(1, abs(score)))
      #expect(object["abnormal"] as? Bool == (row[4] == "1"))
      #expect((object["scores"] as? [String: Double])?["nearestNormals"] == score)
    }
    let row = try #require(rows.first { $0[0] == image })
    let single = try #require(try table(alone.output).rows.first)
    #expect(single[0] == image)
    #expect(abs(try #require(Double(single[1])) - (try #require(Double(row[1])))) < 1e-4)
  }

  @Test("Maps lie below their folder as the images do, in the images' size; two images of one name keep their endings")
  func maps() throws {
    let image = try trained.images("ABNORMAL")[0]
    try folder.copy(image, to: "images/a/case.png")
    try folder.copy(image, to: "images/b/case.png")
    try folder.copy(image, to: "images/b/case.tif")
    let maps = folder.path("maps")
    let run = try Program.run(
      "score", folder.path("images"), "--checkpoint", trained.checkpoint, "--maps", maps)
    #expect(run.status == 0)
    for name in ["a/case.png", "b/case.png.png", "b/case.tif.png"] {
      let data = try Data(contentsOf: URL(fileURLWithPath: "\(maps)/\(name)"))
      let numbers = data[16..<24].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }  // width and height in a PNG's header
      #expect(numbers == 64 << 32 | 64)
    }
  }

  @Test("A file that cannot be read is named and the rest is scored: 65")
  func damagedImage() throws {
    let images = try trained.images("NORMAL")
    for (index, image) in images.prefix(3).enumerated() { try folder.copy(image, to: "images/\(index).png") }
    let cut = URL(fileURLWithPath: folder.path("images/1-cut.png"))
    try Data(contentsOf: URL(fileURLWithPath: images[0])).prefix(200).write(to: cut)
    let text = try folder.write("images/2-text.png", "no image")
    let file = folder.path("scores.csv")
    let run = try Program.run(
      "score", folder.path("images"), "--checkpoint", trained.checkpoint, "--csv", file, "--quiet")
    #expect(run.status == 65)
    #expect(run.output.isEmpty)
    #expect(run.errorLines.count == 2)
    #expect(run.errorLines[0].hasPrefix("norma: \(cut.path) is a damaged PNG file: "))
    #expect(run.errorLines[1].hasPrefix("norma: \(text) is not an image in a format that is read ("))
    let rows = try table(String(contentsOfFile: file, encoding: .utf8)).rows
    #expect(rows.map(\.[0]) == ["0", "1", "2"].map { folder.path("images/\($0).png") })
  }

  @Test("Information tells method, training, calibration and the whole configuration")
  func info() throws {
    let run = try Program.run("info", trained.checkpoint)
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    for line in [
      "method +simsid", "written by +Norma [0-9.]+, format 1", "trained on +20 images, fingerprint [0-9a-f]+",
      "epochs +2 in .+", "score nearestNormals +mean .+, sd .+, threshold .+", "  imageSize: 64", "  width: 2",
    ] {
      let pattern = try Regex(line)
      #expect(run.lines.contains { $0.wholeMatch(of: pattern) != nil }, "\(line)")
    }
  }

  @Test("Information as JSON is one object with format, version, configuration, calibration and origin")
  func infoJSON() throws {
    let objects = try Program.run("info", trained.checkpoint, "--json").objects()
    #expect(objects.count == 1)
    #expect(Set(objects[0].keys) == ["calibration", "configuration", "format", "origin", "version"])
    let detector = (objects[0]["configuration"] as? [String: Any])?["detector"] as? [String: Any]
    #expect(detector?["slots"] as? Int == 8)
  }
}
