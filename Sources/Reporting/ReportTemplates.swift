import Mustache

/// The page's parts as Mustache templates, built into the program.
enum ReportTemplates {
  /// What the templates are called, `page` first; each begins with the line that makes `escaped(_:)` their way of escaping.
  static let texts: [String: String] = [
    "page": text(PackageResources.page_mustache), "table": text(PackageResources.table_mustache),
    "confusion": text(PackageResources.confusion_mustache), "legend": text(PackageResources.legend_mustache),
    "cases": text(PackageResources.cases_mustache), "record": text(PackageResources.record_mustache),
  ]
  /// The page's own style rules; plots bring theirs.
  static let style = text(PackageResources.style_css)
  /// The page's script.
  static let script = text(PackageResources.script_js)
  /// The only script that a browser may run on the page: the SHA-256 of `script` as it stands there. A test holds it.
  static let scriptHash = "sha256-lTMkuaRfGxa9TDWVvWGMLWO53uaDe2Hq1KyX3CfRxMo="

  /// Fills the page.
  static func page(_ context: [String: Any]) -> String {
    guard let page = library.render(context, withTemplate: "page") else {
      fatalError("The template of the page is missing.")
    }
    return String(page.drop(while: \.isWhitespace))
  }

  private static let library: MustacheLibrary = {
    MustacheContentTypes.register(PageContent(), named: "PAGE")
    do {
      return MustacheLibrary(templates: try texts.mapValues(MustacheTemplate.init(string:)))
    } catch {
      fatalError("A template of the report is broken: \(error)")
    }
  }()

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  /// Mustache's own escaping goes by letters, so that a quotation mark with a combining accent would stay one.
  private struct PageContent: MustacheContentType {
    func escapeText(_ text: String) -> String { escaped(text) }
  }
}
