/// The element type of a stored array, under its name in the safetensors format.
public enum ArrayDType: String, Sendable, Codable, CaseIterable {
  /// 64-bit IEEE 754 floating point.
  case float64 = "F64"
  /// 32-bit IEEE 754 floating point.
  case float32 = "F32"
  /// 16-bit IEEE 754 floating point.
  case float16 = "F16"
  /// The upper 16 bits of a 32-bit IEEE 754 number.
  case bfloat16 = "BF16"
  /// 64-bit signed integer.
  case int64 = "I64"
  /// 32-bit signed integer.
  case int32 = "I32"
  /// 16-bit signed integer.
  case int16 = "I16"
  /// 8-bit signed integer.
  case int8 = "I8"
  /// 8-bit unsigned integer.
  case uint8 = "U8"
  /// One byte per truth value, 0 or 1.
  case bool = "BOOL"

  /// Bytes that one element takes.
  public var width: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .float16, .bfloat16, .int16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  /// Bytes that a contiguous array takes: the product of its extents times `width`.
  /// - Returns: nil when an extent is negative or the product does not fit an `Int`.
  public func byteCount(of shape: [Int]) -> Int? {
    var bytes = width
    for extent in shape {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else { return nil }
      bytes = product
    }
    return bytes
  }
}
