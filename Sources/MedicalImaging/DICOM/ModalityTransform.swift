import Foundation

/// From stored integers to the modality's values, for example Hounsfield units (DICOM PS3.3, C.11.1).
public enum ModalityTransform: Equatable, Sendable {
  /// stored · slope + intercept.
  case linear(slope: Double, intercept: Double)
  /// A table of values.
  case table(LookupTable)

  /// Stored values as they are.
  public static let identity = Self.linear(slope: 1, intercept: 0)

  /// The value of a stored integer.
  public func callAsFunction(_ stored: Int) -> Float {
    switch self {
    case .linear(let slope, let intercept): Float(Double(stored) * slope + intercept)
    case .table(let table): Float(table[stored])
    }
  }

  /// The transformation that an item tells; the identity where it tells none.
  init(_ item: DICOMItem, isSigned: Bool) throws(ImageError) {
    if let table = try item.tables(.modalityTables, isSigned: isSigned).first {
      self = .table(table.table)
      return
    }
    let (slope, intercept) = (item.number(.rescaleSlope) ?? 1, item.number(.rescaleIntercept) ?? 0)
    guard slope != 0, abs(slope) < 1e20, abs(intercept) < 1e30 else {
      throw item.file.damaged("its rescale slope is \(slope) and its intercept \(intercept)")
    }
    self = .linear(slope: slope, intercept: intercept)
  }
}
