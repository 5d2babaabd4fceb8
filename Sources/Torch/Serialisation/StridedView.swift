import Foundation

/// A tensor as PyTorch stores it: a window of a storage with one stride per axis, which may be transposed, sliced or
/// expanded (stride 0).
///
/// Element (i₀, i₁, ...) is number `offset + i₀·strides[0] + i₁·strides[1] + ...` of the storage.
struct StridedView {
  let shape: [Int]
  /// One per axis; 0 for axes of extent 1, whose stride means nothing and may be any number in a file.
  let strides: [Int]
  let offset: Int
  /// Bytes of one element.
  let width: Int

  init(shape: [Int], strides: [Int], offset: Int, width: Int) {
    self.shape = shape
    self.strides = strides.enumerated().map { $0 < shape.count && shape[$0] == 1 ? 0 : $1 }
    self.offset = offset
    self.width = width
  }

  /// Number of elements; nil when it does not fit an `Int` or an extent is negative.
  var count: Int? { ArrayDType.uint8.byteCount(of: shape) }

  /// Whether the elements lie one after another in row-major order.
  var isContiguous: Bool {
    guard count != 0 else { return true }
    var expected = 1
    for (extent, stride) in zip(shape, strides).reversed() where extent != 1 {
      guard stride == expected else { return false }
      expected *= extent
    }
    return true
  }

  /// Whether every element lies among the first `storageCount` of a storage.
  func fits(_ storageCount: Int) -> Bool {
    guard let count, shape.count == strides.count, offset >= 0, strides.allSatisfy({ $0 >= 0 }) else { return false }
    guard count > 0 else { return offset <= storageCount }
    var last = offset
    for (extent, stride) in zip(shape, strides) {
      let (reach, tooLarge) = (extent - 1).multipliedReportingOverflow(by: stride)
      let (sum, overflow) = last.addingReportingOverflow(reach)
      guard !tooLarge, !overflow else { return false }
      last = sum
    }
    return last < storageCount
  }

  /// The elements in row-major order, copied from a storage in which the view fits.
  func gathered(from storage: Data) -> Data {
    guard let count, count > 0 else { return Data() }
    // The last axis is walked in the inner loop, the others by counting up `index` like an odometer.
    let run = shape.last ?? 1
    let runStride = (strides.last ?? 0) * width
    var index = [Int](repeating: 0, count: max(shape.count - 1, 0))
    var start = offset * width
    var result = Data(count: count * width)
    result.withUnsafeMutableBytes { target in
      storage.withUnsafeBytes { source in
        var written = 0
        while written < target.count {
          for step in 0..<run {
            let from = start + step * runStride
            target[written..<written + width].copyBytes(from: source[from..<from + width])
            written += width
          }
          for axis in index.indices.reversed() {
            index[axis] += 1
            start += strides[axis] * width
            guard index[axis] == shape[axis] else { break }
            start -= index[axis] * strides[axis] * width
            index[axis] = 0
          }
        }
      }
    }
    return result
  }
}
