import CTorch

/// The element types of tensors.
public enum DType: String, CaseIterable, Sendable {
  /// IEEE 754 single precision.
  case float32
  /// IEEE 754 double precision.
  case float64
  /// IEEE 754 half precision.
  case float16
  /// The upper half of a single-precision number.
  case bfloat16
  /// Signed, 64 bit: the type of indices.
  case int64
  /// Signed, 32 bit.
  case int32
  /// Signed, 16 bit.
  case int16
  /// Signed, 8 bit.
  case int8
  /// Unsigned, 8 bit.
  case uint8
  /// True or false, one byte.
  case bool

  /// Bytes of one element.
  public var width: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .float16, .bfloat16, .int16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  /// Whether the type is one of the four floating-point types.
  public var isFloatingPoint: Bool {
    switch self {
    case .float32, .float64, .float16, .bfloat16: true
    default: false
    }
  }

  var raw: ct_dtype {
    switch self {
    case .float32: CT_FLOAT32
    case .float64: CT_FLOAT64
    case .float16: CT_FLOAT16
    case .bfloat16: CT_BFLOAT16
    case .int64: CT_INT64
    case .int32: CT_INT32
    case .int16: CT_INT16
    case .int8: CT_INT8
    case .uint8: CT_UINT8
    case .bool: CT_BOOL
    }
  }

  init(_ raw: ct_dtype) {
    self = DType.allCases.first { $0.raw == raw } ?? .float32
  }
}

/// A Swift type whose values can be put into tensors and read from them.
public protocol TensorElement: Sendable {
  /// The element type that has this layout.
  static var dtype: DType { get }
}

extension Float: TensorElement {
  /// `float32`.
  public static var dtype: DType { .float32 }
}
extension Double: TensorElement {
  /// `float64`.
  public static var dtype: DType { .float64 }
}
extension Int: TensorElement {
  /// `int64`.
  public static var dtype: DType { .int64 }
}
extension UInt8: TensorElement {
  /// `uint8`.
  public static var dtype: DType { .uint8 }
}
extension Bool: TensorElement {
  /// `bool`.
  public static var dtype: DType { .bool }
}
