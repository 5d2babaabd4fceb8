import MedicalImaging

extension ReportPage {
  /// The example cases, each with its pictures in a row; a case of many pictures takes the page's width.
  func cases() throws(ReportingError) -> String {
    if report.cases.isEmpty { return "" }
    var articles = ""
    for (index, example) in report.cases.enumerated() {
      articles += try article(example, number: index + 1)
    }
    let isWide = report.cases.contains { $0.pictures.count > 3 }
    return section("Cases", legend + "<div class=\"cases\(isWide ? " wide" : "")\">\n\(articles)</div>\n")
  }

  private func article(_ example: Report.Case, number: Int) throws(ReportingError) -> String {
    let name = report.showsNames ? example.name : "Case \(number)"
    let label = example.isAbnormal.map { $0 ? "abnormal" : "normal" } ?? "unlabelled"
    var figures = ""
    for picture in example.pictures {
      let source = try picture.image.dataURI(
        maximumExtent: maximumPictureExtent, named: "\(name), \(picture.caption)")
      figures += """
        <figure><img alt="\(escaped("\(picture.caption) of \(name)"))" src="\(source)">\
        <figcaption>\(escaped(picture.caption))</figcaption></figure>

        """
    }
    let caption = example.caption.map { "<p>\(escaped($0))</p>\n" } ?? ""
    return """
      <article>
      <h3>\(escaped(name)) <span class="chip \(label)">\(label)</span> \
      <span class="score">score \(FigureFormat.number(example.score))</span></h3>
      <div class="pictures">
      \(figures)</div>
      \(caption)</article>

      """
  }

  private var legend: String {
    guard let legend = report.mapLegend else { return "" }
    let note = legend.note.map { "<span class=\"quiet\">\(escaped($0))</span>" } ?? ""
    return """
      <p class="map-legend"><span>Anomaly ≤ \(FigureFormat.number(Double(legend.range.lowerBound)))\
      <span class="scale" style="background: \(legend.colourMap.gradient)"></span>\
      ≥ \(FigureFormat.number(Double(legend.range.upperBound)))</span>\(note)</p>

      """
  }
}
