import Foundation
import Testing

@testable import Torch

@Suite("Reductions, orders and factorisations")
struct ReductionTests {
  /// `[[1, -2, 3], [4, 0, -6]]`.
  private let table: Tensor

  init() throws { table = try Tensor([1.0, -2, 3, 4, 0, -6], shape: [2, 3]) }

  @Test("No axes means all; kept axes have extent 1")
  func axes() throws {
    typealias Reduction = @Sendable (Tensor, [Int], Bool) throws -> Tensor
    let reductions: [(Reduction, whole: Double, rows: [Double], columns: [Double])] = [
      ({ try $0.sum($1, keepingAxes: $2) }, 0, [2, -2], [5, -2, -3]),
      ({ try $0.mean($1, keepingAxes: $2) }, 0, [2.0 / 3, -2.0 / 3], [2.5, -1, -1.5]),
      ({ try $0.variance($1, keepingAxes: $2) }, 11, [38.0 / 9, 152.0 / 9], [2.25, 1, 20.25]),
      ({ try $0.variance($1, correction: 1, keepingAxes: $2) }, 13.2, [19.0 / 3, 76.0 / 3], [4.5, 2, 40.5]),
      ({ try $0.maximum($1, keepingAxes: $2) }, 4, [3, 4], [4, 0, 3]),
      ({ try $0.minimum($1, keepingAxes: $2) }, -6, [-2, -6], [1, -2, -6]),
      ({ try $0.norm(1, $1, keepingAxes: $2) }, 16, [6, 10], [5, 2, 9]),
      (
        { try $0.norm(2, $1, keepingAxes: $2) }, sqrt(66), [sqrt(14), sqrt(52)],
        [sqrt(17), 2, sqrt(45)]
      ),
      (
        { try $0.logSumExp($1, keepingAxes: $2) }, log([1, -2, 3, 4, 0, -6].map(exp).reduce(0, +)),
        [log(exp(1) + exp(-2) + exp(3)), log(exp(4) + 1 + exp(-6))],
        [log(exp(1) + exp(4)), log(exp(-2) + 1), log(exp(3) + exp(-6))]
      ),
    ]
    for (reduce, whole, rows, columns) in reductions {
      try expectClose(reduce(table, [], false), [whole])
      #expect(try reduce(table, [], false).shape == [])
      try expectClose(reduce(table, [1], false), Tensor(rows))
      try expectClose(reduce(table, [-1], true), Tensor(rows, shape: [2, 1]))
      try expectClose(reduce(table, [0], true), Tensor(columns, shape: [1, 3]))
      try expectClose(reduce(table, [0, 1], true), Tensor([whole], shape: [1, 1]))
    }
  }

  @Test("Extremes are located; all and any look at every element")
  func searches() throws {
    #expect(try table.indexOfMaximum(axis: 1).values(as: Int.self) == [2, 0])
    #expect(try table.indexOfMinimum(axis: 0).values(as: Int.self) == [0, 0, 1])
    #expect(try table.anyTrue())
    #expect(try !table.allTrue())
    #expect(try Tensor.ones([3]).allTrue())
    #expect(try !Tensor.zeros([3]).anyTrue())
  }

  @Test("Sums of integers are int64, means of them an error")
  func integers() throws {
    #expect(try Tensor([UInt8(200), 100]).sum().item() == 300)
    #expect(try Tensor([true, true]).sum().dtype == .int64)
    #expect(try torchError { _ = try Tensor([1, 2]).mean() }.operation == "mean")
  }

  @Test("Running sums, softmax and its logarithm follow their formulas and do not overflow")
  func alongAnAxis() throws {
    try expectClose(table.cumulativeSum(axis: 1), [1, -1, 2, 4, 4, -2])
    let row = try Tensor([1000.0, 1000 + log(3), -1e6])
    try expectClose(row.softmax(axis: 0), [0.25, 0.75, 0])
    try expectClose(row.logSoftmax(axis: 0), [log(0.25), log(0.75), -1_001_000 - log(4)])
    #expect(try abs(row.logSumExp([0]).item() - 1000 - log(4)) < 1e-9)
  }

  @Test("The top values come in order with their places; sorting keeps the order of ties")
  func orders() throws {
    let top = try table.top(2, axis: 1)
    try expectClose(top.values, Tensor([3.0, 1, 4, 0], shape: [2, 2]))
    #expect(try top.indices.values(as: Int.self) == [2, 0, 0, 1])
    try expectClose(table.top(1, axis: 0, largest: false).values, [1, -2, -6])
    let ties = try Tensor([2.0, 1, 2, 1])
    #expect(try ties.sorted(axis: 0).indices.values(as: Int.self) == [1, 3, 0, 2])
    let descending = try ties.sorted(axis: 0, descending: true)
    #expect(try descending.indices.values(as: Int.self) == [0, 2, 1, 3])
    try expectClose(descending.values, [2, 2, 1, 1])
    try expectClose(table.kthSmallest(2, axis: 1), Tensor([1.0, 0]))
    #expect(try table.kthSmallest(1, axis: 1, keepingAxis: true).shape == [2, 1])
    try expectClose(Tensor([4.0, 1, 3, 2]).quantile(0.5), [2.5])
    try expectClose(Tensor([4.0, 1, 3, 2]).quantile(0.1), [1.3])
  }

  @Test("Pairwise distances are those of the rows")
  func distances() throws {
    let (a, b) = (try Tensor([0.0, 0, 3, 4], shape: [2, 2]), try Tensor([3.0, 4, 0, 1, 1, 1], shape: [3, 2]))
    try expectClose(
      a.pairwiseDistances(to: b),
      Tensor([5, 1, sqrt(2), 0, sqrt(18), sqrt(13)], shape: [2, 3]),
      within: 1e-7)
    try expectClose(a.pairwiseDistances(to: b, p: 1), [7, 1, 2, 0, 6, 5])
  }

  @Test("Factors multiply back to the matrix; a triangular system is solved")
  func factorisations() throws {
    let root = try normal([4, 4])
    let matrix =
      try root.matmul(root.transposed(0, 1))
      + Tensor([1.0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], shape: [4, 4])
    let lower = try matrix.cholesky()
    try expectClose(lower.matmul(lower.transposed(0, 1)), matrix)
    #expect(try lower.values()[1] == 0)
    let (values, vectors) = try matrix.symmetricEigen()
    #expect(try values.values() == values.values().sorted())
    try expectClose((vectors * values).matmul(vectors.transposed(0, 1)), matrix)
    let right = try normal([4, 2], seed: 2)
    try expectClose(lower.matmul(lower.triangularSolve(right)), right)
    let upper = try lower.transposed(0, 1)
    try expectClose(upper.matmul(upper.triangularSolve(right, upper: true)), right)
  }
}
