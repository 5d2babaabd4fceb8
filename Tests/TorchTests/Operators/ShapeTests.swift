import Testing

@testable import Torch

@Suite("Shapes and selections")
struct ShapeTests {
  /// `[[0, 1, 2], [3, 4, 5]]`.
  private let grid: Tensor

  init() throws { grid = try Tensor.arange(0, 6, dtype: .float64).reshaped([2, 3]) }

  @Test("Axes are reordered, added, removed and repeated")
  func axes() throws {
    try expectClose(grid.permuted([1, 0]), Tensor([0.0, 3, 1, 4, 2, 5], shape: [3, 2]))
    try expectClose(grid.transposed(0, -1), grid.permuted([1, 0]))
    #expect(try grid.reshaped([-1, 2]).shape == [3, 2])
    #expect(try grid.unsqueezed(1).shape == [2, 1, 3])
    #expect(try grid.unsqueezed(1).squeezed(1).shape == [2, 3])
    #expect(try grid.squeezed(0).shape == [2, 3])
    try expectClose(grid.unsqueezed(0).expanded([2, 2, 3]), Tensor.stacked([grid, grid]))
    try expectClose(Tensor([1.0, 2]).tiled([2]), [1, 2, 1, 2])
    try expectClose(Tensor([1.0, 2]).repeatingEach(2, axis: 0), [1, 1, 2, 2])
    try expectClose(grid.flipped([1]), [2, 1, 0, 5, 4, 3])
    try expectClose(grid.rolled(by: 1, axis: 1), [2, 0, 1, 5, 3, 4])
    #expect(grid.extent(-1) == 3)
  }

  @Test("Slices, single slices and lists of slices are taken along an axis")
  func slices() throws {
    try expectClose(grid.sliced(1..<3, axis: 1), Tensor([1.0, 2, 4, 5], shape: [2, 2]))
    try expectClose(grid.sliced(0..<3, axis: 1, step: 2), [0, 2, 3, 5])
    try expectClose(grid.selected(1, axis: 0), Tensor([3.0, 4, 5]))
    try expectClose(grid.selected(-1, axis: 1), [2, 5])
    try expectClose(grid.selecting(Tensor([2, 0, 2]), axis: 1), [2, 0, 2, 5, 3, 5])
  }

  @Test("Gathering and scattering follow their formulas")
  func gathering() throws {
    let indices = try Tensor([2, 0, 1, 1], shape: [2, 2])
    try expectClose(grid.gathering(indices, axis: 1), [2, 0, 4, 4])
    let source = try Tensor([10.0, 20, 30, 40], shape: [2, 2])
    let distinct = try Tensor([2, 0, 1, 0], shape: [2, 2])
    try expectClose(grid.scattering(source, at: distinct, axis: 1), [20, 1, 10, 40, 30, 5])
    try expectClose(grid.scatterAdding(source, at: indices, axis: 1), [20, 1, 12, 3, 74, 5])
    try expectClose(grid, [0, 1, 2, 3, 4, 5])
  }

  @Test("Masks fill, select and choose, and broadcast")
  func masks() throws {
    let mask = try Tensor([true, false, true])
    try expectClose(grid.masked(mask, by: -1), [-1, 1, -1, -1, 4, -1])
    try expectClose(grid.selecting(where: mask), Tensor([0.0, 2, 3, 5]))
    try expectClose(grid.replacing(with: grid * 10, where: mask), [0, 1, 20, 30, 4, 50])
  }

  @Test("Tensors are joined along an old and along a new axis")
  func joining() throws {
    try expectClose(
      Tensor.concatenated([grid, grid + 6], axis: 0), Tensor.arange(0, 12, dtype: .float64).reshaped([4, 3]))
    #expect(try Tensor.concatenated([grid, grid], axis: 1).shape == [2, 6])
    try expectClose(Tensor.stacked([grid, -grid], axis: 2).selected(1, axis: 2), -grid)
  }

  @Test("Windows slide along one axis; unfolded columns hold each window")
  func windows() throws {
    let windows = try Tensor.arange(0, 5, dtype: .float64).windows(size: 3, step: 2, axis: 0)
    try expectClose(windows, Tensor([0.0, 1, 2, 2, 3, 4], shape: [2, 3]))
    let image = try grid.reshaped([1, 1, 2, 3])
    try expectClose(image.unfolded(kernel: [2, 2]), Tensor([0.0, 1, 1, 2, 3, 4, 4, 5], shape: [1, 4, 2]))
    try expectClose(
      image.unfolded(kernel: [1, 1], stride: [1, 2], padding: [0, 1]), Tensor([0.0, 1, 0, 0, 4, 0], shape: [1, 1, 6]))
  }

  @Test("Borders are filled by a value, by reflection, by the edge and by the opposite side")
  func padding() throws {
    let row = try Tensor([1.0, 2, 3], shape: [1, 1, 3])
    try expectClose(row.padded([1, 2], with: .constant(9)), [9, 1, 2, 3, 9, 9])
    try expectClose(row.padded([1, 2]), [0, 1, 2, 3, 0, 0])
    try expectClose(row.padded([2, 1], with: .reflect), [3, 2, 1, 2, 3, 2])
    try expectClose(row.padded([2, 1], with: .replicate), [1, 1, 1, 2, 3, 3])
    try expectClose(row.padded([2, 1], with: .circular), [2, 3, 1, 2, 3, 1])
    #expect(try grid.padded([1, 0, 0, 2]).shape == [4, 4])
  }

  @Test("Memory layout changes nothing that can be seen")
  func memoryLayout() throws {
    for shape in [[2, 3, 4, 5], [2, 3, 4, 5, 2]] {
      let image = try normal(shape)
      try expectClose(image.channelsLast(), image)
      try expectClose(image.channelsLast().contiguous(), image)
      #expect(try image.channelsLast().bytes() == image.bytes())
    }
    let turned = try grid.transposed(0, 1)
    #expect(try turned.copy().values() == turned.contiguous().values())
  }
}
