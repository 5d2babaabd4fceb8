import Foundation
public import MedicalImaging

/// Rows of pictures under shared headings, such as input, reconstruction and map overlay, as one SVG file.
public struct ContactSheet: Equatable, Sendable {
  /// One row: a case and its pictures.
  public struct Row: Equatable, Sendable {
    /// What stands above the row; leave names of patients out.
    public var caption: String
    /// The pictures in the order of the sheet's columns; grey or RGB, their range is black to white.
    public var pictures: [Image2D]

    /// Creates a row.
    public init(caption: String, pictures: [Image2D]) {
      self.caption = caption
      self.pictures = pictures
    }
  }

  /// The headings of the columns.
  public var columns: [String]
  /// The rows from top to bottom.
  public var rows: [Row]
  /// The side of the square each picture is fitted into, in picture units (pixels at natural size).
  public var cellExtent: Int
  /// The height of that place where it is no square, for pictures that are all wider than high; nil: `cellExtent`.
  public var cellHeight: Int?

  /// Creates a sheet.
  public init(columns: [String], rows: [Row], cellExtent: Int = 256) {
    self.columns = columns
    self.rows = rows
    self.cellExtent = cellExtent
  }

  /// The sheet as an SVG file with its pictures embedded as PNG.
  /// - Throws: `ReportingError.notEmbeddable` when a picture cannot be written as PNG.
  public func svg() throws(ReportingError) -> String {
    let (gap, heading, caption) = (12, 34, 26)
    let widest = max(columns.count, rows.map(\.pictures.count).max() ?? 0, 1)
    let width = gap + widest * (cellExtent + gap)
    let cellHeight = cellHeight ?? cellExtent
    let height = heading + rows.count * (caption + cellHeight + gap)
    var content = ""
    for (index, column) in columns.enumerated() {
      let centre = gap + index * (cellExtent + gap) + cellExtent / 2
      content += """
        <text class="plot-title" text-anchor="middle" x="\(centre)" y="22">\(escaped(column))</text>

        """
    }
    for (index, row) in rows.enumerated() {
      let top = heading + index * (caption + cellHeight + gap)
      content += """
        <text class="legend" x="\(gap)" y="\(top + 16)">\(escaped(row.caption))</text>

        """
      for (column, picture) in row.pictures.enumerated() {
        let source = try picture.dataURI(maximumExtent: 2 * cellExtent, named: "The picture “\(row.caption)”")
        content += """
          <image x="\(gap + column * (cellExtent + gap))" y="\(top + caption)" width="\(cellExtent)" \
          height="\(cellHeight)" href="\(source)"/>

          """
      }
    }
    return PlotStyle.standalone(
      """
      <svg class="plot" viewBox="0 0 \(width) \(height)" role="img" aria-label="Contact sheet">
      \(content)</svg>

      """)
  }
}
