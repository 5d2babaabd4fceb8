import Evaluation
public import Foundation
import MedicalImaging

/// A report as one HTML file that needs nothing else: no script, no font, no network; light, dark, narrow and on paper.
public struct ReportPage: Sendable {
  /// What stands on every page.
  public static let researchNote =
    "Research software, not a medical device. Scores and maps are not a diagnosis and must not guide the care of a patient."

  /// What the page shows.
  public var report: Report
  /// The longest side of an embedded picture in pixels; larger ones are reduced by averaging.
  public var maximumPictureExtent: Int

  /// Creates a page.
  public init(_ report: Report, maximumPictureExtent: Int = 512) {
    self.report = report
    self.maximumPictureExtent = maximumPictureExtent
  }

  /// The page as HTML text, in UTF-8.
  /// - Throws: `ReportingError.notEmbeddable` when a picture cannot be written as PNG.
  public func html() throws(ReportingError) -> String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="referrer" content="no-referrer">
    <meta http-equiv="Content-Security-Policy" \
    content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
    <title>\(escaped(report.title))</title>
    <style>
    \(PlotStyle.css)\(Self.css)</style>
    </head>
    <body>
    <main>
    \(header)\(headlines)\(figures)\(localisation)\(plots)\(try cases())\(record)</main>
    <footer><p>\(escaped(Self.researchNote))</p></footer>
    </body>
    </html>

    """
  }

  /// Writes the page to a temporary name and renames it to `file`.
  /// - Throws: `ReportingError.notEmbeddable` or `.notWritable`.
  public func write(to file: URL) throws(ReportingError) {
    let page = Data(try html().utf8)
    do { try page.write(to: file, options: .atomic) } catch { throw .notWritable(file: file.path) }
  }
}

extension ReportPage {
  private var header: String {
    let subtitle = report.subtitle.isEmpty ? "" : "<p class=\"subtitle\">\(escaped(report.subtitle))</p>\n"
    return """
      <header>
      <h1>\(escaped(report.title))</h1>
      \(subtitle)<p class="note">\(escaped(Self.researchNote))</p>
      </header>

      """
  }

  private var headlines: String {
    if report.headlines.isEmpty { return "" }
    let cards = report.headlines.map { headline in
      let deviation = headline.statistic.standardDeviation.map { " <small>± \(FigureFormat.rate($0))</small>" } ?? ""
      let note = headline.note.map { "<span class=\"quiet\">\(escaped($0))</span>" } ?? ""
      return """
        <div><dt>\(escaped(headline.name))</dt>\
        <dd>\(FigureFormat.rate(headline.statistic.mean))\(deviation)\(note)</dd></div>

        """
    }
    return "<dl class=\"headlines\">\n\(cards.joined())</dl>\n"
  }

  private var figures: String {
    if report.methods.isEmpty { return "" }
    let points = FigureTable.operatingPoints(of: report.methods)
    let tables = FigureTable.figures(of: report.methods).html + (points.rows.isEmpty ? "" : points.html)
    return section(
      "Figures",
      tables
        + """
        <p class="quiet">Mean ± sample standard deviation over the trials. Thresholds of best accuracy and best F1 are \
        picked with the labels of the same cases: their figures are upper bounds, not what a new hospital would see.</p>

        """)
  }

  private var localisation: String {
    if report.maps.isEmpty { return "" }
    return section(
      "Localisation",
      FigureTable.localisation(of: report.maps).html
        + """
        <p class="quiet">Anomaly maps against the masks, over the pixels of all test images at their own size. AUPRO is \
        the mean share of a marked region that is found, as an area over false positive rates up to \
        \(PixelFigures.integrationLimit). The threshold of best Dice is picked with the masks: an upper bound.</p>

        """)
  }

  private var plots: String {
    var plots: [String] = []
    if !report.rocCurves.isEmpty { plots.append(LinePlot.roc(report.rocCurves).svg) }
    if !report.precisionRecallCurves.isEmpty {
      plots.append(LinePlot.precisionRecall(report.precisionRecallCurves).svg)
    }
    plots += report.histograms.map(\.svg) + report.linePlots.map(\.svg)
    if plots.isEmpty { return "" }
    return section("Curves", "<div class=\"plots\">\n\(plots.map { "<figure>\n\($0)</figure>\n" }.joined())</div>\n")
  }

  private var record: String {
    let fields = report.record.fields.map { "<div><dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd></div>\n" }
    let list = fields.isEmpty ? "" : "<dl class=\"record\">\n\(fields.joined())</dl>\n"
    let configuration =
      report.configuration.map {
        "<details>\n<summary>Configuration</summary>\n<pre>\(escaped($0))</pre>\n</details>\n"
      } ?? ""
    return list.isEmpty && configuration.isEmpty ? "" : section("How it was made", list + configuration)
  }

  func section(_ title: String, _ content: String) -> String {
    "<section>\n<h2>\(escaped(title))</h2>\n\(content)</section>\n"
  }
}
