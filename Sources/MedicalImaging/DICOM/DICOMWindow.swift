import Foundation

/// How a modality's values become grey levels: a value-of-interest transformation (DICOM PS3.3, C.11.2).
public struct DICOMWindow: Equatable, Sendable {
  /// The kinds of windows.
  public enum Function: Equatable, Sendable {
    /// The standard's default, made for whole numbers (C.11.2.1.2.1): black up to c − ½ − (w − 1)/2, white above
    /// c − ½ + (w − 1)/2.
    case linear(center: Double, width: Double)
    /// Black up to c − w/2, white above c + w/2 (C.11.2.1.3.2).
    case linearExact(center: Double, width: Double)
    /// 1 / (1 + exp(−4 (v − c) / w)) (C.11.2.1.3.1).
    case sigmoid(center: Double, width: Double)
    /// A table of grey levels.
    case table(LookupTable)
  }

  /// What the window is for, for example `LUNG`; nil where the file does not tell.
  public let name: String?
  /// From values to grey levels.
  public let function: Function

  /// Creates a window.
  public init(_ function: Function, name: String? = nil) {
    (self.function, self.name) = (function, name)
  }

  /// The grey level of a value, 0 black to 1 white.
  public func callAsFunction(_ value: Float) -> Float {
    let value = Double(value)
    switch function {
    case .linear(let center, let width):
      let (low, high) = (center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2)
      return value <= low ? 0 : value > high ? 1 : Float((value - (center - 0.5)) / (width - 1) + 0.5)
    case .linearExact(let center, let width):
      return value <= center - width / 2 ? 0 : value > center + width / 2 ? 1 : Float((value - center) / width + 0.5)
    case .sigmoid(let center, let width):
      return Float(1 / (1 + exp(-4 * (value - center) / width)))
    case .table(let table):
      let number = min(max(value.rounded(), -1e9), 1e9)
      return number.isNaN ? 0 : Float(table[Int(number)]) / table.maximum
    }
  }

  /// The values that become black and white; nil for windows that are no straight line.
  public var range: ClosedRange<Float>? {
    switch function {
    case .linear(let center, let width): Self.range(center - 0.5, (width - 1) / 2)
    case .linearExact(let center, let width): Self.range(center, width / 2)
    case .sigmoid, .table: nil
    }
  }

  private static func range(_ center: Double, _ half: Double) -> ClosedRange<Float> {
    let low = Float(center - half)
    return low...max(Float(center + half), low.nextUp)
  }

  /// The windows that an item tells, in its order, those of tables last. Windows without a positive width are left out.
  static func windows(_ item: DICOMItem, isSigned: Bool) throws(ImageError) -> [DICOMWindow] {
    let (centers, widths) = (item.numbers(.windowCenter), item.numbers(.windowWidth))
    let names = item.texts(.windowExplanation)
    var windows: [DICOMWindow] = []
    for (index, (center, width)) in zip(centers, widths).enumerated() where abs(center) < 1e30 && width < 1e30 {
      let name = index < names.count && !names[index].isEmpty ? names[index] : nil
      switch item.text(.windowFunction) ?? "LINEAR" {
      case "LINEAR" where width >= 1: windows.append(DICOMWindow(.linear(center: center, width: width), name: name))
      case "LINEAR_EXACT" where width > 0:
        windows.append(DICOMWindow(.linearExact(center: center, width: width), name: name))
      case "SIGMOID" where width > 0: windows.append(DICOMWindow(.sigmoid(center: center, width: width), name: name))
      default: break
      }
    }
    return windows
      + (try item.tables(.windowTables, isSigned: isSigned)).map { DICOMWindow(.table($0.table), name: $0.name) }
  }
}
