import Testing

@testable import Reporting

@Suite("Plots of benchmarks and tables in LaTeX")
struct DotPlotTests {
  @Test("Dots, means, intervals and the reference lie where their values are")
  func dots() {
    let plot = DotPlot(
      title: "a < b", label: "AUROC",
      rows: [.init(name: "x&y", values: [0.2, 0.4], interval: 0...0.6), .init(name: "z", values: [1])],
      reference: (0.5, "chance"))
    let svg = plot.svg
    // Names of three letters leave the least margin of 90; the axis from 0 to 1 ends at 620.
    func column(_ value: Double) -> String { coordinate(90 + value * 530) }
    #expect(svg.contains("<circle class=\"dot series-1\" cx=\"\(column(0.2))\" cy=\"46\" r=\"3.5\"/>"))
    #expect(svg.contains("<circle class=\"dot series-1\" cx=\"\(column(1))\" cy=\"70\" r=\"3.5\"/>"))
    #expect(
      svg.contains("<line class=\"line series-1\" x1=\"\(column(0))\" x2=\"\(column(0.6))\" y1=\"46\" y2=\"46\"/>"))
    #expect(svg.contains("<path class=\"line series-2\" d=\"M\(column(0.3)) 46m0 -8v16\"/>"))
    #expect(svg.components(separatedBy: "class=\"line series-2\"").count == 2)
    #expect(svg.contains("<line class=\"reference\" x1=\"\(column(0.5))\""))
    #expect(svg.contains("x&amp;y: AUROC 0.2000") && svg.contains(">a &lt; b</text>") && !svg.contains("x&y"))
  }

  @Test("Labels of points that lie together do not cover each other")
  func labels() {
    let points = [(0.0, 0.5), (1, 0.5), (1.02, 0.505), (1.01, 0.5)].enumerated().map {
      LabelledPoints.Point(name: "method-\($0)", x: $1.0, y: $1.1)
    }
    let svg = LabelledPoints(
      title: "t", x: .init(label: "time", range: 0...2), y: .init(label: "AUROC", range: 0...1), points: points
    ).svg
    var boxes: [(x: Double, y: Double)] = []
    for match in svg.matches(of: /<text class="tick" x="([0-9.]+)" y="([0-9.]+)">method/) {
      boxes.append((Double(match.1) ?? 0, Double(match.2) ?? 0))
    }
    #expect(boxes.count == 4)
    for (index, a) in boxes.enumerated() {
      for b in boxes[..<index] { #expect(abs(a.x - b.x) > 50 || abs(a.y - b.y) >= 12) }
    }
  }

  @Test("LaTeX tables have their rules, their alignment and escaped text")
  func latex() {
    let table = FigureTable(
      columns: ["Method_1", "A & B", "±"], rows: [["50 %", "0.9 ± 0.1", ""], ["a\\b~{c}^$#", "−1 – <2>", "x"]],
      emphasised: [.init(row: 0, column: 1), .init(row: 0, column: 2), .init(row: 1, column: 2)])
    #expect(
      table.latex == """
        \\begin{tabular}{lrr}
        \\toprule
        Method\\_1 & A \\& B & $\\pm$ \\\\
        \\midrule
        50 \\% & \\textbf{0.9 $\\pm$ 0.1} &  \\\\
        a\\textbackslash{}b\\textasciitilde{}\\{c\\}\\textasciicircum{}\\$\\# & $-$1 -- \\textless{}2\\textgreater{} & \\textbf{x} \\\\
        \\bottomrule
        \\end{tabular}

        """)
  }

  @Test("Emphasised cells stand out in Markdown and on pages, empty ones do not")
  func emphasis() throws {
    let table = FigureTable(
      columns: ["a", "b"], rows: [["x", "1 ± 2"], ["y", ""]],
      emphasised: [.init(row: 0, column: 1), .init(row: 1, column: 1)])
    #expect(table.markdown.hasSuffix("| x | **1 ± 2** |\n| y |  |\n"))
    var report = Report(title: "Emphasis")
    report.comparisons = [table]
    #expect(try ReportPage(report).html().contains("<td><strong>1 <small>± 2</small></strong></td>"))
  }
}
