import Foundation

/// Bandwidth by the improved Sheather–Jones rule (Botev, Grotowski & Kroese 2010), which copes with several modes.
///
/// Values are binned on a mesh half their range wider at either end; `t` solves Botev's fixed-point equation on the mesh's
/// cosine transform, and `h = √t · (range of the mesh)`, so that scaling the values scales the bandwidth.
enum ImprovedSheatherJones {
  private static let bins = 1024
  /// Orders of derivatives that the fixed point goes through, l.
  private static let stages = 7

  /// The bandwidth in units of `values`; nil where they are all alike or the equation has no root.
  static func bandwidth(_ values: [Double]) -> Double? {
    guard let low = values.min(), let high = values.max(), high > low else { return nil }
    let range = (high - low) * 2
    let start = low - (high - low) / 2
    var histogram = [Double](repeating: 0, count: bins)
    for value in values {
      histogram[min(bins - 1, Int((value - start) / range * Double(bins)))] += 1 / Double(values.count)
    }
    // Only distinct values inform the rule.
    let count = Double(Set(values).count)
    let squares = cosineTransform(histogram).dropFirst().map { ($0 / 2) * ($0 / 2) }
    let orders = (1..<bins).map { Double($0) * Double($0) }
    func gap(_ t: Double) -> Double { t - fixedPoint(t, count, orders, squares) }
    guard let t = root(of: gap, count: count) else { return nil }
    return t.squareRoot() * range
  }

  /// γ^[l](t) of Botev's equation.
  private static func fixedPoint(_ t: Double, _ count: Double, _ orders: [Double], _ squares: [Double]) -> Double {
    func energy(_ order: Int, _ time: Double) -> Double {
      var sum = 0.0
      for (index, square) in zip(orders, squares) {
        sum += pow(index, Double(order)) * square * exp(-index * .pi * .pi * time)
      }
      return 2 * pow(.pi, Double(2 * order)) * sum
    }
    var value = energy(stages, t)
    for order in stride(from: stages - 1, through: 2, by: -1) {
      let odd = stride(from: 1, through: 2 * order - 1, by: 2).reduce(1.0) { $0 * Double($1) }
      let constant = (1 + pow(0.5, Double(order) + 0.5)) / 3
      let time = pow(2 * constant * odd / (2 * Double.pi).squareRoot() / count / value, 2 / (3 + 2 * Double(order)))
      value = energy(order, time)
    }
    return pow(2 * count * Double.pi.squareRoot() * value, -0.4)
  }

  /// The smallest root of `gap` above zero, by bisection in an interval that grows until it holds one.
  private static func root(of gap: (Double) -> Double, count: Double) -> Double? {
    var high = 1e-12 + 0.01 * (max(min(1050, count), 50) - 50) / 1000
    while high < 0.1, !(gap(high) > 0) { high = min(high * 2, 0.1) }
    guard gap(high) > 0 else { return nil }
    var low = 0.0
    for _ in 0..<100 {
      let middle = (low + high) / 2
      if gap(middle) > 0 { high = middle } else { low = middle }
    }
    return high > 0 ? high : nil
  }

  /// Type-II discrete cosine transform: `2 Σ x_n cos(π k (2n + 1) / 2N)`, its first entry halved.
  private static func cosineTransform(_ values: [Double]) -> [Double] {
    let count = values.count
    let filled = values.indices.filter { values[$0] != 0 }
    return (0..<count).map { order in
      let sum = filled.reduce(0.0) { sum, index in
        sum + values[index] * cos(.pi * Double(order) * (2 * Double(index) + 1) / (2 * Double(count)))
      }
      return order == 0 ? sum : 2 * sum
    }
  }
}
