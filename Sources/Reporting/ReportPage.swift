public import Foundation

/// A report as one HTML file that needs nothing else: no font, no network; light, dark, narrow and on paper. Its few lines of
/// script tell values under the pointer and switch between light and dark; it is whole without them.
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
    ReportTemplates.page(try context())
  }

  /// Writes the page to a temporary name and renames it to `file`.
  /// - Throws: `ReportingError.notEmbeddable` or `.notWritable`.
  public func write(to file: URL) throws(ReportingError) {
    let page = Data(try html().utf8)
    do { try page.write(to: file, options: .atomic) } catch { throw .notWritable(file: file.path) }
  }
}
