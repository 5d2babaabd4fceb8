public import Foundation

/// An array as it lies in a file: a name, an element type, a shape and its bytes.
public struct StoredArray: Equatable, Sendable {
  /// The array's key in its file, for example `encoder.0.weight`.
  public var name: String
  /// The type of every element.
  public var dtype: ArrayDType
  /// Extents, outermost first; empty for a single number.
  public var shape: [Int]
  /// The elements, row-major, contiguous and little-endian: `dtype.byteCount(of: shape)` bytes.
  ///
  /// Arrays read from a file are slices of its memory map: indices do not start at 0 and the bytes need not be aligned
  /// to the element type, so read them through `withUnsafeBytes` and `loadUnaligned` or by copying.
  public var data: Data

  /// Creates an array from its parts; writing checks that they agree.
  public init(name: String, dtype: ArrayDType, shape: [Int], data: Data) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.data = data
  }
}
