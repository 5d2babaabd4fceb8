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
        name: "AUROC<", statistic: TrialStatistic(mean: 0.912, standardDeviation: 0.008, trials: 5), note: "5 <seeds>")
    ]
    report.methods = [
      .init(name: "M<m>", summary: try TrialSummary([ClassificationFigures(cases, fixedThreshold: 0.3)]))
    ]
    let mask = GroundTruthMask(width: 2, height: 2, pixels: [false, false, true, true])
    let pixels = try PixelFigures(maps: [[0, 0.25, 0.125, 1]], masks: [mask])
    report.maps = [.init(name: "A<a>", summary: try LocalisationSummary([pixels]))]
    report.rocCurves = [("R<r>", try ROCCurve(cases))]
    report.precisionRecallCurves = [("P<p>", try PrecisionRecallCurve(cases))]
    report.histograms = [Histogram(title: "H<h>", label: "L<l>", cases: cases)]
    report.linePlots = [
      LinePlot(
        title: "Loss<", x: .init(label: "Epoch"), y: .init(label: "y<"),
        series: [.init(name: "s<", points: [.init(x: 1, y: 2)])])
    ]
    let image = Image2D(width: 2, height: 2, samples: [0, 50, 100, 255], range: 0...255)
    report.cases = [
      .init(
        name: "DOE^JANE.png", score: 1.25, isAbnormal: true, caption: "See <here>",
        pictures: [.init(caption: "Input<", image: image)]),
      .init(name: "ROE^RICHARD.png", score: 0.5, isAbnormal: nil, pictures: []),
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
      figure figcaption svg g text line rect circle path article img details summary pre footer
      """.split(separator: " ").map(String.init))
    let tags = page.matches(of: /<\/?([a-zA-Z][a-zA-Z0-9]*)/).map { String($0.output.1) }
    #expect(Set(tags).subtracting(known).isEmpty)
    #expect(page.matches(of: /<(?![a-zA-Z\/!])/).isEmpty)
  }

  @Test("Every opened element is closed")
  func balanced() throws {
    var open: [String] = []
    for match in try ReportPage(sample()).html().matches(of: /<(\/?)([a-zA-Z][a-zA-Z0-9]*)[^>]*?(\/?)>/) {
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
      !page.contains("http:") && !page.contains("https:") && !page.contains("<script") && !page.contains("@import"))
    #expect(!page.contains("url(") && page.contains("default-src 'none'"))
    for source in page.matches(of: /(src|href)="([^"]*)"/) {
      #expect(source.output.2.hasPrefix("data:image/png;base64,"))
    }
  }

  @Test("Names of cases are hidden unless they are asked for")
  func names() throws {
    var report = try sample()
    let hidden = try ReportPage(report).html()
    #expect(!hidden.contains("DOE") && !hidden.contains("ROE"))
    #expect(
      hidden.contains("<h3>Case 1 ") && hidden.contains("<h3>Case 2 ") && hidden.contains("alt=\"Input&lt; of Case 1\"")
    )
    report.showsNames = true
    let shown = try ReportPage(report).html()
    #expect(shown.contains("<h3>DOE^JANE.png ") && shown.contains("<h3>ROE^RICHARD.png ") && !shown.contains("Case 1"))
  }

  @Test("The page holds the figures, the record and the research note")
  func content() throws {
    let page = try ReportPage(sample()).html()
    #expect(page.contains("<dd>0.912 <small>± 0.008</small>"))
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
    #expect(!page.contains("<section>") && !page.contains("<dl") && page.contains("Research software"))
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
    report.cases = [.init(name: "SECRET", score: 1, isAbnormal: nil, pictures: [.init(caption: "Input", image: image)])]
    do {
      _ = try ReportPage(report).html()
      Issue.record("No error was thrown")
    } catch {
      #expect("\(error)".hasPrefix("Case 1, Input cannot be shown in the report. "))
    }
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
