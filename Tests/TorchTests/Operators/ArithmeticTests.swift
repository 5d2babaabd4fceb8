import Foundation
import Testing

@testable import Torch

/// An operator of one tensor and Foundation's function for each element.
struct ElementCase: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let operation: @Sendable (Tensor) throws -> Tensor
  let reference: @Sendable (Double) -> Double

  init(
    _ name: String, _ operation: @escaping @Sendable (Tensor) throws -> Tensor,
    _ reference: @escaping @Sendable (Double) -> Double
  ) {
    testDescription = name
    self.operation = operation
    self.reference = reference
  }
}

@Suite("Arithmetic")
struct ArithmeticTests {
  private static let functions: [ElementCase] = [
    ElementCase("abs", { try $0.abs() }, { abs($0) }), ElementCase("exp", { try $0.exp() }, { exp($0) }),
    ElementCase("squared", { try $0.squared() }, { $0 * $0 }), ElementCase("sin", { try $0.sin() }, { sin($0) }),
    ElementCase("cos", { try $0.cos() }, { cos($0) }), ElementCase("floor", { try $0.floor() }, { floor($0) }),
    ElementCase("rounded", { try $0.rounded() }, { $0.rounded(.toNearestOrEven) }),
    ElementCase("sign", { try $0.sign() }, { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }),
    ElementCase("erf", { try $0.erf() }, { erf($0) }), ElementCase("tanh", { try $0.tanh() }, { tanh($0) }),
    ElementCase("negation", { try -$0 }, { -$0 }), ElementCase("power", { try $0.power(3) }, { $0 * $0 * $0 }),
    ElementCase("x + 2", { try $0 + 2 }, { $0 + 2 }), ElementCase("2 + x", { try 2 + $0 }, { 2 + $0 }),
    ElementCase("x - 2", { try $0 - 2 }, { $0 - 2 }), ElementCase("2 - x", { try 2 - $0 }, { 2 - $0 }),
    ElementCase("x * 3", { try $0 * 3 }, { $0 * 3 }), ElementCase("3 * x", { try 3 * $0 }, { 3 * $0 }),
    ElementCase("x / 3", { try $0 / 3 }, { $0 / 3 }),
    ElementCase("clamped", { try $0.clamped(-1, 0.5) }, { min(max($0, -1), 0.5) }),
    ElementCase("relu", { try $0.relu() }, { max($0, 0) }),
    ElementCase("leakyReLU", { try $0.leakyReLU() }, { $0 > 0 ? $0 : 0.01 * $0 }),
    ElementCase("gelu", { try $0.gelu() }, { $0 * (1 + erf($0 / 2.0.squareRoot())) / 2 }),
    ElementCase("elu", { try $0.elu(alpha: 2) }, { $0 > 0 ? $0 : 2 * (exp($0) - 1) }),
    ElementCase("silu", { try $0.silu() }, { $0 / (1 + exp(-$0)) }),
    ElementCase("sigmoid", { try $0.sigmoid() }, { 1 / (1 + exp(-$0)) }),
    ElementCase("logSigmoid", { try $0.logSigmoid() }, { -log(1 + exp(-$0)) }),
    ElementCase("softplus", { try $0.softplus() }, { log(1 + exp($0)) }),
    ElementCase("isFinite", { try $0.isFinite().to(.float64) }, { $0.isFinite ? 1 : 0 }),
    ElementCase("not", { try $0.not().to(.float64) }, { $0 == 0 ? 1 : 0 }),
    ElementCase("equal to a number", { try $0.equal(0.5).to(.float64) }, { $0 == 0.5 ? 1 : 0 }),
    ElementCase("greater than a number", { try $0.greater(0.5).to(.float64) }, { $0 > 0.5 ? 1 : 0 }),
    ElementCase("less than a number", { try $0.less(0.5).to(.float64) }, { $0 < 0.5 ? 1 : 0 }),
  ]

  private static let functionsOfPositives: [ElementCase] = [
    ElementCase("log", { try $0.log() }, { log($0) }), ElementCase("log1p", { try $0.log1p() }, { log1p($0) }),
    ElementCase("squareRoot", { try $0.squareRoot() }, { $0.squareRoot() }),
    ElementCase("reciprocalSquareRoot", { try $0.reciprocalSquareRoot() }, { 1 / $0.squareRoot() }),
    ElementCase("reciprocal", { try $0.reciprocal() }, { 1 / $0 }),
    ElementCase("3 / x", { try 3 / $0 }, { 3 / $0 }),
  ]

  @Test("Functions of one tensor are Foundation's, element by element", arguments: functions)
  func everywhere(_ function: ElementCase) throws {
    let points = [-3, -1.5, -1, -0.5, 0, 1e-3, 0.5, 1, 1.5, 2.5, 3]
    try expectClose(function.operation(Tensor(points)), points.map(function.reference))
  }

  @Test("Functions of positive numbers are Foundation's, element by element", arguments: functionsOfPositives)
  func positives(_ function: ElementCase) throws {
    let points = [1e-6, 0.25, 1, 2, 100]
    try expectClose(function.operation(Tensor(points)), points.map(function.reference))
  }

  @Test("Operators of two tensors broadcast")
  func broadcasting() throws {
    let column = try Tensor([1.0, 2], shape: [2, 1])
    let row = try Tensor([2.0, 1, 4])
    try expectClose(column + row, Tensor([3.0, 2, 5, 4, 3, 6], shape: [2, 3]))
    try expectClose(column - row, [-1, 0, -3, 0, 1, -2])
    try expectClose(column * row, [2, 1, 4, 4, 2, 8])
    try expectClose(column / row, [0.5, 1, 0.25, 1, 2, 0.5])
    try expectClose(column.maximum(row), [2, 1, 4, 2, 2, 4])
    try expectClose(column.minimum(row), [1, 1, 1, 2, 1, 2])
    #expect(try column.equal(row).values(as: Bool.self) == [false, true, false, true, false, false])
    #expect(try column.greater(row).values(as: Bool.self) == [false, false, false, false, true, false])
    #expect(try column.greaterOrEqual(row).values(as: Bool.self) == [false, true, false, true, true, false])
    #expect(try column.less(row).values(as: Bool.self) == [true, false, true, false, false, true])
  }

  @Test("Logic, linear interpolation and added products follow their formulas")
  func combinations() throws {
    let (a, b) = (try Tensor([true, true, false, false]), try Tensor([true, false, true, false]))
    #expect(try a.and(b).values(as: Bool.self) == [true, false, false, false])
    #expect(try a.or(b).values(as: Bool.self) == [true, true, true, false])
    let (x, y) = (try Tensor([1.0, 2]), try Tensor([3.0, 10]))
    try expectClose(x.lerp(toward: y, weight: 0.25), [1.5, 4])
    try expectClose(x.addingProduct(y, y, scale: 0.5), [5.5, 52])
  }

  @Test("A number minus integers or truth values is what it says")
  func numberMinusIntegers() throws {
    try expectClose(1 - Tensor([UInt8(5), 0]), [-4, 1])
    try expectClose(1 - Tensor([true, false]), [0, 1])
  }

  @Test("Matrix products sum over the inner axis, batched over the others")
  func products() throws {
    let a = try Tensor.arange(0, 12, dtype: .float64).reshaped([2, 2, 3])
    let b = try Tensor([1.0, 0, 2, 1, 0, 1], shape: [3, 2])
    #expect(try a.matmul(b).shape == [2, 2, 2])
    let products = [2.0, 3, 11, 9, 20, 15, 29, 21]
    try expectClose(a.matmul(b), products)
    let batch = try b.expanded([2, 3, 2])
    try expectClose(a.batchedProduct(batch, addedTo: .ones([2, 2, 2], dtype: .float64)), products.map { $0 + 1 })
    try expectClose(Tensor.einsum("bij,jk->bki", a, b), a.matmul(b).transposed(1, 2))
    try expectClose(a.linear(b.transposed(0, 1), bias: Tensor([1.0, -1])), a.matmul(b) + Tensor([1.0, -1]))
  }
}
