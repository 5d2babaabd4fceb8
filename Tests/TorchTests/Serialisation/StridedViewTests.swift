import Foundation
import Testing

@testable import Torch

@Suite("Strided views")
struct StridedViewTests {
  @Test("Gathering follows the index formula for random windows", arguments: 0..<40)
  func gathering(seed: UInt64) throws {
    var generator = SerialisationGenerator(state: seed)
    let width = [1, 2, 4, 8][Int(generator.next() % 4)]
    let shape = (0..<Int(generator.next() % 5)).map { _ in Int(generator.next() % 4) + 1 }
    let strides = shape.map { _ in Int(generator.next() % 7) }
    let offset = Int(generator.next() % 5)
    let last = offset + zip(shape, strides).reduce(0) { $0 + ($1.0 - 1) * $1.1 }
    // A slice, so that its indices do not start at 0.
    let storage = Data((0..<(last + 1) * width + 3).map { UInt8(truncatingIfNeeded: $0 &* 37) }).dropFirst(3)
    let view = StridedView(shape: shape, strides: strides, offset: offset, width: width)

    var indices = [offset]
    for (extent, stride) in zip(shape, strides) {
      indices = indices.flatMap { start in (0..<extent).map { start + $0 * stride } }
    }
    let expected = indices.flatMap { Array(storage.dropFirst($0 * width).prefix(width)) }
    #expect(view.fits(last + 1) && !view.fits(last))
    #expect(view.gathered(from: storage) == Data(expected))
    #expect(!view.isContiguous || indices == Array(offset..<offset + indices.count))
  }

  @Test("Extents of 1 may have any stride in a contiguous view")
  func contiguity() {
    #expect(StridedView(shape: [2, 1, 3], strides: [3, 99, 1], offset: 0, width: 4).isContiguous)
    #expect(StridedView(shape: [], strides: [], offset: 3, width: 4).isContiguous)
    #expect(!StridedView(shape: [2, 3], strides: [1, 2], offset: 0, width: 4).isContiguous)
  }
}
