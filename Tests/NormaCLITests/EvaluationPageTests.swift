import Foundation
import Testing

@Suite("The page and JSON of norma evaluate")
struct EvaluationPageTests {
  let cohort: CohortRun

  init() throws { cohort = try CohortRun.shared.get() }

  /// `0.912`, or `–` where there is none.
  private func rate(_ value: Any?) -> String {
    guard let value = value as? Double else { return "–" }
    let text = String(format: "%.3f", value)
    return text == "-0.000" ? "0.000" : text.replacing("-", with: "−")
  }

  /// A figure as the page's cells have it.
  private func cell(_ figure: [String: Any]?) -> String {
    guard let figure else { return "–" }
    let interval = (figure["interval"] as? [String: Any]).map {
      " <small>(\(rate($0["lower"])) to \(rate($0["upper"])))</small>"
    }
    return rate(figure["value"]) + (interval ?? "")
  }

  private func row(_ name: String, _ cells: [String]) -> String {
    "<tr><th scope=\"row\" class=\"words\">\(name)</th>" + cells.map { "<td>\($0)</td>" }.joined() + "</tr>"
  }

  @Test("Every figure of the page is the JSON's, rounded")
  func figures() throws {
    let (html, objects) = (try cohort.html(), try cohort.objects())
    let defaults = objects.filter { $0["isDefault"] as? Bool == true }
    #expect(defaults.map { $0["trial"] as? String } == ["simsid, seed 1", "yardstick: band energy, seed 1"])
    let figures = defaults.map { $0["figures"] as? [[String: Any]] ?? [] }
    let names = try figures.map { try $0.map { try #require($0["name"] as? String) } }
    #expect(
      names[0] == [
        "AUROC", "average precision", "sensitivity at a specificity of 0.8", "sensitivity at a specificity of 0.5",
        "specificity at a sensitivity of 0.95", "accuracy", "sensitivity", "specificity", "precision",
        "balanced accuracy", "F1", "Matthews correlation", "Brier score", "expected calibration error",
      ])
    for (index, name) in names[0].enumerated() {
      let expected = row(name.prefix(1).uppercased() + name.dropFirst(), figures.map { cell($0[index]) })
      let isThere = html.contains(expected)
      #expect(isThere, "\(expected)")
    }
    // The headline and the counts.
    let auroc = try #require(defaults[0]["aurocInterval"] as? [String: Any])
    let test = try #require(defaults[0]["test"] as? [String: Any])
    let headline =
      "<dt>AUROC</dt><dd>\(rate(test["auroc"])) <small>\(rate(auroc["lower"])) to \(rate(auroc["upper"]))</small>"
    let hasHeadline = html.contains(headline)
    #expect(hasHeadline, "\(headline)")
    let point = try #require((test["operatingPoints"] as? [[String: Any]])?.first)
    let counts = try #require(point["confusion"] as? [String: Int])
    let shown = html.matches(of: /<b>(\d+)<\/b>/).map { Int($0.output.1) }
    #expect(
      shown == ["trueNegatives", "falsePositives", "falseNegatives", "truePositives"].map { counts[$0] })
  }

  @Test("Lesions found, subgroups and tests in the page are the JSON's")
  func tables() throws {
    let (html, objects) = (try cohort.html(), try cohort.objects())
    let map = try #require(objects.first { $0["isDefaultMap"] as? Bool == true })
    let lesions = try #require(map["lesions"] as? [String: Any])
    let sensitivities = try #require(lesions["sensitivities"] as? [Double])
    let score = try #require(lesions["score"] as? Double)
    #expect(sensitivities.count == 7 && abs(sensitivities.reduce(0, +) / 7 - score) < 1e-12)
    #expect(sensitivities == sensitivities.sorted() && lesions["images"] as? Int == 12)
    let name = try #require(map["map"] as? String)
    let found = row("simsid: \(name)", ["\(lesions["count"] ?? "")"] + (sensitivities + [score]).map(rate))
    let hasLesions = html.contains(found)
    #expect(hasLesions, "\(found)")

    let groups = objects.filter { $0["subgroup"] != nil }
    #expect(
      groups.map { "\($0["subgroup"] ?? ""): \($0["group"] ?? "") \($0["normal"] ?? "") \($0["abnormal"] ?? "")" } == [
        "sex: all 6 6", "sex: F 3 3", "sex: M 3 3", "age: all 6 6", "age: < 40 2 2", "age: 40 to < 60 2 2",
        "age: ≥ 60 2 2", "scanner: all 6 6", "scanner: <b>\"A\" & 'B' 0 6", "scanner: C 3 0", "scanner: not known 3 0",
      ])
    for group in groups {
      let escaped = (group["group"] as? String ?? "").replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        .replacing(">", with: "&gt;").replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
      let figures = group["figures"] as? [[String: Any]] ?? []
      #expect(figures.map { $0["name"] as? String } == ["AUROC", "average precision", "sensitivity", "specificity"])
      let cells = ["\(group["normal"] ?? "")", "\(group["abnormal"] ?? "")"] + figures.map { cell($0) }
      let expected = row(escaped, cells).dropLast("</tr>".count)  // groups of one class have a note
      let isThere = html.contains(expected)
      #expect(isThere, "\(expected)")
    }
    #expect(html.components(separatedBy: "<td>no abnormal images</td>").count == 3)
    #expect(html.components(separatedBy: "<td>no normal images</td>").count == 2)

    let tests = objects.filter { $0["comparison"] != nil }
    #expect(tests.count == 1 && tests[0]["comparison"] as? String == "DeLong")
    #expect(tests[0]["second"] as? String == "yardstick: band energy, seed 1")
    let areas = try objects.filter { $0["isDefault"] as? Bool == true }.map { object in
      try #require((object["test"] as? [String: Any])?["auroc"] as? Double)
    }
    #expect(abs((tests[0]["difference"] as? Double ?? .nan) - (areas[0] - areas[1])) < 1e-12)
    let p = try #require(tests[0]["p"] as? Double)
    let cells = "<td>\(rate(tests[0]["difference"]))</td><td>\(rate(tests[0]["statistic"]))</td>"
    let hasTest = html.contains(cells + "<td>\(p < 0.001 ? "&lt; 0.001" : rate(p))</td>")
    #expect(hasTest && (0...1).contains(p))
  }

  @Test("The page has every part, hides names, and escapes what the manifest tells")
  func parts() throws {
    let html = try cohort.html()
    let headings = html.matches(of: /<h2>([^<]*)<\/h2>/).map { String($0.output.1) }
    #expect(
      headings == [
        "Figures", "Curves", "Calls", "Localisation", "Subgroups", "Comparisons", "Learning curves", "Cases",
        "How it was made",
      ])
    let plots = html.matches(of: /class="plot-title"[^>]*>([^<]*)</).map { String($0.output.1) }
    #expect(
      plots.prefix(5) == [
        "ROC curve", "Precision-recall curve", "Scores, simsid, seed 1", "Calibration", "Lesions found (FROC)",
      ])
    #expect(plots.count > 5 && html.components(separatedBy: "class=\"band").count == 5)
    let thresholds = html.matches(of: /class="threshold kind-[123]" x1="[^"]*" x2="[^"]*" y1="34"/)
    #expect(thresholds.count == 3)
    let captions = Set(html.matches(of: /<figcaption>([^<]*)</).map { String($0.output.1) })
    #expect(captions.isSuperset(of: ["Input", "Reconstruction", "Map", "Ground truth"]))
    let (namesCases, runsMarkup) = (html.contains("phantom-0"), html.contains("<b>\"A\""))
    #expect(!namesCases && !runsMarkup)
  }
}
