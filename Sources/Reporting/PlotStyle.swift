/// How plots look: colours follow the reader's light or dark setting.
public enum PlotStyle {
  /// Style rules for a page that holds plots. Colours are CSS variables, so a page can set its own; an attribute
  /// `data-theme` of the page's root, `light` or `dark`, takes the place of the reader's setting.
  public static let css = """
    :root { \(light) }
    @media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) { \(dark) } }
    :root[data-theme="dark"] { \(dark) }
    @media print { :root:root { \(light) } }
    .plot { display: block; width: 100%; height: auto; font: 13px system-ui, sans-serif; }
    .plot text { fill: var(--plot-muted); }
    .plot .plot-title { fill: var(--plot-ink); font-size: 15px; font-weight: 600; }
    .plot .legend, .plot .label { fill: var(--plot-ink); }
    .plot .tick { font-size: 12px; font-variant-numeric: tabular-nums; }
    .plot .grid { stroke: var(--plot-grid); }
    .plot .axis { stroke: var(--plot-muted); }
    .plot .line { fill: none; stroke: var(--plot-colour); stroke-width: 2; stroke-linejoin: round; }
    .plot .dashed { stroke-dasharray: 7 3; }
    .plot .band { fill: var(--plot-colour); fill-opacity: 0.14; }
    .plot .whisker { stroke: var(--plot-colour); stroke-width: 1.5; stroke-opacity: 0.6; }
    .plot .dot { fill: var(--plot-colour); }
    .plot .reference { stroke: var(--plot-muted); stroke-width: 1.25; stroke-dasharray: 3 4; }
    .plot .threshold { stroke: var(--plot-ink); stroke-width: 1.5; stroke-dasharray: 6 4; }
    .plot .threshold.kind-2 { stroke: var(--plot-muted); stroke-dasharray: 2 3; }
    .plot .threshold.kind-3 { stroke: var(--plot-muted); stroke-dasharray: 8 3 2 3; }
    .plot .bar { fill: var(--plot-colour); fill-opacity: 0.4; stroke: var(--plot-colour); stroke-width: 1; }
    .plot .bar:hover { fill-opacity: 0.7; }
    .plot .hover { fill: var(--plot-ink); fill-opacity: 0; }
    .plot .hover:hover { fill-opacity: 0.5; }
    \((1...colourCount).map { ".plot .series-\($0) { --plot-colour: var(--series-\($0)); }" }.joined(separator: "\n"))

    """

  /// A plot as a file of its own, to be written as `.svg`.
  /// - Parameter plot: the `svg` of a `LinePlot`, of several, or of a `Histogram`.
  public static func standalone(_ plot: String) -> String {
    let opening = "<svg "
    guard plot.hasPrefix(opening), let end = plot.firstIndex(of: ">") else { return plot }
    let attributes = "xmlns=\"http://www.w3.org/2000/svg\" \(plot.dropFirst(opening.count)[..<end])"
    return "<svg \(attributes)>\n<style>\n\(css)</style>\(plot[plot.index(after: end)...])"
  }

  /// As many colours as are told apart; further lines repeat them dashed.
  static let colourCount = 8

  /// The class of the n-th line or bar, from 1.
  static func seriesClass(_ kind: String, _ number: Int) -> String {
    "\(kind) series-\((number - 1) % colourCount + 1)" + (number > colourCount ? " dashed" : "")
  }

  private static let light = variables(
    ink: "#1b2128", muted: "#5d6875", grid: "#e4e8ec",
    colours: ["#1f63c4", "#cf5a06", "#17835a", "#a2318d", "#806000", "#0b7f9b", "#bf2d3b", "#5a5cc0"])
  private static let dark = variables(
    ink: "#e7ebf0", muted: "#9aa6b4", grid: "#2b333d",
    colours: ["#74abff", "#ff9e57", "#52cf9b", "#ea8cda", "#d9bb53", "#58c9e2", "#ff858d", "#aaadff"])

  private static func variables(ink: String, muted: String, grid: String, colours: [String]) -> String {
    let series = colours.enumerated().map { "--series-\($0 + 1): \($1);" }.joined(separator: " ")
    return "--plot-ink: \(ink); --plot-muted: \(muted); --plot-grid: \(grid); \(series)"
  }
}
