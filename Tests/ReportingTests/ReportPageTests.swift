import Evaluation
import Foundation
import MedicalImaging
import Testing

@testable import Reporting

@Suite("Report pages")
struct ReportPageTests {
  private func sample() throws -> Report {
    let cases = try LabelledScores(scores: [0.1, 0.4, 0.35, 0.8], labels: [false, false, true, true])
    var report = Report(title: "A <script>alert(1)</script> & \"B\"", subtitle: "It's <b>bold</b>")
    report.headlines = [
      .init(
        name: "AUROC<", statistic: TrialStatistic(mean: 0.912, standardDeviation: 0.008, trials: 5),
        notes: ["5 <seeds>"])
    ]
    let methods = [
      MethodFigures(name: "M<m>", summary: try TrialSummary([ClassificationFigures(cases, fixedThreshold: 0.3)]))
    ]
    report.figures = [
      .figures(of: methods), .operatingPoints(of: methods),
      FigureTable(columns: ["F<f>", "T"], rows: [["AUROC", "0.750 (0.250 to 0.950)"]], caption: "C<c>"),
    ]
    report.confusion = .init(try OperatingPoint(fixed: 0.3, rule: "rule<", on: cases))
    let mask = GroundTruthMask(width: 2, height: 2, pixels: [false, false, true, true])
    let pixels = try PixelFigures(maps: [[0, 0.25, 0.125, 1]], masks: [mask])
    report.localisation = [
      .localisation(of: [MapFigures(name: "A<a>", summary: try LocalisationSummary([pixels]))])
    ]
    report.subgroups = [FigureTable(columns: ["scanner<", "AUROC"], rows: [["\"GE\" & <b>", "0.5"]])]
    report.comparisons = [FigureTable(columns: ["a<", "p"], rows: [["b<", "0.040"]])]
    report.plots = [
      .lines(.roc([("R<r>", try ROCCurve(cases))])),
      .lines(.precisionRecall([("P<p>", try PrecisionRecallCurve(cases))])),
      .histogram(Histogram(title: "H<h>", label: "L<l>", cases: cases)),
    ]
    report.learningCurves = [
      LinePlot(
        title: "Loss<", x: .init(label: "Epoch"), y: .init(label: "y<"),
        series: [.init(name: "s<", points: [.init(x: 1, y: 2)])])
    ]
    let image = Image2D(width: 2, height: 2, samples: [0, 50, 100, 255], range: 0...255)
    report.caseGroups = [
      .init(
        title: "Worst<", note: "Lowest<",
        cases: [
          .init(
            name: "DOE^JANE.png", score: 1.25, isAbnormal: true, caption: "See <here>",
            pictures: [.init(caption: "Input<", image: image)])
        ]),
      .init(
        title: "Others", cases: [.init(name: "ROE^RICHARD.png", score: 0.5, isAbnormal: nil, pictures: [])]),
    ]
    report.mapLegend = .init(range: 0...1, note: "shared<")
    report.record = .init(
      version: "1.2<", date: "2026<", seeds: [1, 2], dataFingerprint: "f<", hardware: "h<", duration: .seconds(90),
      checkpointRule: "lowest<", more: [("Command<", "norma <x>")])
    report.configuration = "a: <1>\nb: '2'"
    return report
  }

  @Test("All text is escaped: the only tags are the page's own")
  func escaping() throws {
    let page = try ReportPage(sample()).html()
    #expect(page.contains("<h1>A &lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;B&quot;</h1>"))
    #expect(
      page.contains("It&#39;s &lt;b&gt;bold&lt;/b&gt;") && page.contains("<pre>a: &lt;1&gt;\nb: &#39;2&#39;</pre>"))
    let known = Set(
      """
      html head meta title style body main header h1 h2 h3 p dl div dt dd small span section table thead tbody tr th td \
      figure figcaption svg g text line rect circle path article img details summary pre footer h4 nav a button b caption script
      """.split(separator: " ").map(String.init))
    let body = page.replacing(ReportTemplates.script, with: "")
    let tags = body.matches(of: /<\/?([a-zA-Z][a-zA-Z0-9]*)/).map { String($0.output.1) }
    #expect(Set(tags).subtracting(known).isEmpty)
    #expect(body.matches(of: /<(?![a-zA-Z\/!])/).isEmpty)
    #expect(body.components(separatedBy: "<script>").count == 2 && !body.contains("{{"))
  }

  @Test("Every opened element is closed")
  func balanced() throws {
    var open: [String] = []
    let page = try ReportPage(sample()).html().replacing(ReportTemplates.script, with: "")
    for match in page.matches(of: /<(\/?)([a-zA-Z][a-zA-Z0-9]*)[^>]*?(\/?)>/) {
      let name = String(match.output.2)
      if ["meta", "img"].contains(name) || !match.output.3.isEmpty { continue }
      if match.output.1.isEmpty { open.append(name) } else { #expect(open.popLast() == name) }
    }
    #expect(open.isEmpty)
  }

  @Test("The page needs nothing from outside")
  func selfContained() throws {
    let page = try ReportPage(sample()).html()
    #expect(
      !page.contains("http:") && !page.contains("https:") && !page.contains("<link") && !page.contains("@import"))
    #expect(!page.contains("url(") && page.contains("default-src 'none'"))
    for source in page.matches(of: /\ssrc="([^"]*)"/) {
      #expect(source.output.1.hasPrefix("data:image/png;base64,"))
    }
    let anchors = page.matches(of: /\sid="([^"]*)"/).map { "#\($0.output.1)" }
    let targets = page.matches(of: /\shref="([^"]*)"/).map { String($0.output.1) }
    #expect(targets.count == 9 && Set(targets).isSubset(of: anchors) && Set(anchors).count == anchors.count)
  }

  @Test("Names of cases are hidden unless they are asked for")
  func names() throws {
    var report = try sample()
    let hidden = try ReportPage(report).html()
    #expect(!hidden.contains("DOE") && !hidden.contains("ROE"))
    #expect(
      hidden.contains("<h4>Case 1 ") && hidden.contains("<h4>Case 2 ") && hidden.contains("alt=\"Input&lt; of Case 1\"")
    )
    report.showsNames = true
    let shown = try ReportPage(report).html()
    #expect(shown.contains("<h4>DOE^JANE.png ") && shown.contains("<h4>ROE^RICHARD.png ") && !shown.contains("Case 1"))
  }

  @Test("The page holds the figures, the record and the research note")
  func content() throws {
    let page = try ReportPage(sample()).html()
    #expect(page.contains("<dd>0.912 <small>± 0.008</small><span class=\"quiet\">5 &lt;seeds&gt;</span></dd>"))
    #expect(page.contains("<caption>C&lt;c&gt;</caption>"))
    #expect(page.contains("<td>0.750 <small>(0.250 to 0.950)</small></td>"))
    #expect(page.contains("colspan=\"9\">M&lt;m&gt;</th>") && page.components(separatedBy: "M&lt;m&gt;").count == 3)
    // At 0.3: of two normal cases one is called abnormal, of two abnormal ones none is missed.
    #expect(page.contains("<caption>rule&lt;: abnormal from a score of 0.3000</caption>"))
    #expect(page.contains("style=\"--share: 0.5\"><b>1</b><span>specificity, 50.0&nbsp;%</span>"))
    #expect(page.contains("style=\"--share: 0\"><b>0</b><span>missed, 0.0&nbsp;%</span>"))
    #expect(page.contains("style=\"--share: 1\"><b>2</b><span>sensitivity, 100.0&nbsp;%</span>"))
    #expect(page.contains("&quot;GE&quot; &amp; &lt;b&gt;</th><td>0.5</td>"))
    #expect(page.contains("<h3 class=\"group\">Worst&lt;</h3>\n<p class=\"quiet\">Lowest&lt;</p>"))
    #expect(page.contains("<h2>Localisation</h2>") && page.contains("A&lt;a&gt;</th><td>0.750</td><td>0.833</td>"))
    #expect(page.contains("R&lt;r&gt;, AUROC 0.750") && page.contains("P&lt;p&gt;, AP 0.833"))
    #expect(page.contains("<span class=\"chip abnormal\">abnormal</span>") && page.contains("score 1.250"))
    #expect(page.contains("<span class=\"chip unlabelled\">unlabelled</span>"))
    #expect(page.contains("<dt>Seeds</dt><dd>1, 2</dd>") && page.contains("<dt>Duration</dt><dd>1 min 30 s</dd>"))
    #expect(page.contains("Research software, not a medical device."))
  }

  @Test("Parts without content are left out")
  func empty() throws {
    let page = try ReportPage(Report(title: "Nothing")).html()
    #expect(
      !page.contains("<section") && !page.contains("<dl") && !page.contains("<nav")
        && page.contains("Research software"))
  }

  @Test("Large pictures are reduced by averaging blocks, and keep their channels")
  func reduced() {
    let image = Image2D(width: 3, height: 2, channels: 1, samples: [0, 2, 10, 4, 6, 20], range: 0...255)
    let small = image.reduced(toExtent: 2)
    #expect(small.width == 2 && small.height == 1 && small.samples == [3, 15])
    #expect(image.reduced(toExtent: 3) == image)
    let colour = Image2D(width: 2, height: 1, channels: 3, samples: [0, 2, 4, 6, 8, 10], range: 0...255)
    #expect(colour.reduced(toExtent: 1).samples == [1, 5, 9])
  }

  @Test("Pages are written whole, and pictures or folders that do not work are named")
  func writing() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let page = ReportPage(try sample())
    try page.write(to: folder.appending(path: "report.html"))
    #expect(try String(contentsOf: folder.appending(path: "report.html"), encoding: .utf8) == page.html())
    let nowhere = folder.appending(path: "missing/report.html")
    expectMessage(
      "\(nowhere.path) cannot be written; check that its folder exists, that you may write there and that the disk is not full."
    ) {
      try page.write(to: nowhere)
    }
    var report = Report(title: "T")
    let image = Image2D(width: 1, height: 1, channels: 2, samples: [0, 1])
    let secret = Report.Case(
      name: "SECRET", score: 1, isAbnormal: nil, pictures: [.init(caption: "Input", image: image)])
    report.caseGroups = [.init(title: "G", cases: [secret])]
    do {
      _ = try ReportPage(report).html()
      Issue.record("No error was thrown")
    } catch {
      #expect("\(error)".hasPrefix("Case 1, Input cannot be shown in the report. "))
    }
  }

  @Test("Letters that hide a quotation mark under an accent cannot leave an attribute")
  func combiningMarks() throws {
    var report = Report(title: "T")
    let image = Image2D(width: 1, height: 1, samples: [0], range: 0...1)
    let caption = "x\"\u{301} onerror=y <\u{301}b>"
    report.caseGroups = [
      .init(
        title: "G",
        cases: [.init(name: "N", score: 1, isAbnormal: nil, pictures: [.init(caption: caption, image: image)])])
    ]
    let page = try ReportPage(report).html()
    #expect(page.contains("alt=\"x&quot;\u{301} onerror=y &lt;\u{301}b&gt; of Case 1\""))
    #expect(ReportTemplates.texts.values.allSatisfy { $0.hasPrefix("{{% CONTENT_TYPE:PAGE}}\n") })
  }

  @Test("A browser runs the page's script and no other: its hash is the one that the page allows")
  func scriptHash() throws {
    let page = try ReportPage(Report(title: "T")).html()
    let script = try #require(page.firstMatch(of: /<script>([\s\S]*)<\/script>/)).output.1
    #expect(script == ReportTemplates.script[...] && page.contains("script-src '\(ReportTemplates.scriptHash)'\">"))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "python3", "-c",
      "import base64, hashlib, sys; print(base64.b64encode(hashlib.sha256(sys.stdin.buffer.read()).digest()).decode())",
    ]
    let (input, output) = (Pipe(), Pipe())
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(script.utf8))
    try input.fileHandleForWriting.close()
    let hash = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect("sha256-" + hash.trimmingCharacters(in: .whitespacesAndNewlines) == ReportTemplates.scriptHash)
  }

  @Test("A contact sheet places its pictures in rows and escapes its captions")
  func contactSheet() throws {
    let image = Image2D(width: 2, height: 2, samples: [0, 50, 100, 255], range: 0...255)
    let sheet = ContactSheet(
      columns: ["Input", "Map <"],
      rows: [.init(caption: "Case 1", pictures: [image, image]), .init(caption: "&", pictures: [image])],
      cellExtent: 100)
    let svg = try sheet.svg()
    #expect(svg.contains("viewBox=\"0 0 236 310\"") && svg.contains("Map &lt;") && svg.contains(">&amp;</text>"))
    let places = svg.matches(of: /<image x="(\d+)" y="(\d+)" width="100" height="100" href="data:image\/png;base64,/)
    #expect(places.map { [$0.output.1, $0.output.2].joined(separator: " ") } == ["12 60", "124 60", "12 198"])
  }

  @Test("Escaping leaves other text alone and drops what XML forbids")
  func markup() {
    #expect(escaped("Größe 𝛼 ± 1\n\t") == "Größe 𝛼 ± 1\n\t")
    #expect(escaped("<a href='x'>\"&\u{0}\u{1B}") == "&lt;a href=&#39;x&#39;&gt;&quot;&amp;")
  }
}
