public import MedicalImaging

/// Why a picture or page could not be made; each case describes itself in one sentence with the remedy.
public enum ReportingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A map has another number of values than width times height.
  case mapSize(width: Int, height: Int, values: Int)
  /// A value of a map is NaN or infinite; `row` and `column` count from 0.
  case mapNotFinite(row: Int, column: Int)
  /// A mask has another number of pixels than the image it outlines.
  case maskSize(width: Int, height: Int, values: Int)
  /// There is no value to take percentiles of.
  case noMaps
  /// An image cannot be embedded; `image` says which one.
  case notEmbeddable(image: String, ImageError)
  /// A file cannot be written.
  case notWritable(file: String)

  /// One sentence that names what is wrong and what to do.
  public var description: String {
    switch self {
    case .mapSize(let width, let height, let values):
      "The anomaly map has \(values) values; \(width) x \(height) pixels need \(width * height)."
    case .mapNotFinite(let row, let column):
      "The anomaly map's value in row \(row), column \(column) is not a finite number; score the image again."
    case .maskSize(let width, let height, let values):
      "The mask has \(values) pixels; an image of \(width) x \(height) needs \(width * height)."
    case .noMaps:
      "There are no anomaly maps to take a display range from; give the maps of normal images."
    case .notEmbeddable(let image, let error):
      "\(image) cannot be shown in the report. \(error.description)"
    case .notWritable(let file):
      "\(file) cannot be written; check that its folder exists, that you may write there and that the disk is not full."
    }
  }
}
