import Foundation

/// Slices in the order in which they lie, evenly apart, and the affine that they make.
public struct SliceStack: Equatable, Sendable {
  /// The positions, in the list of places that was given, of the slices from the lowest to the highest along the normal.
  public let order: [Int]
  /// From column, row and slice to millimetres in the patient (right, front, head).
  public let affine: Affine3D
  /// Degrees between the direction in which slices follow each other and their normal; 0 unless the gantry was tilted.
  public let tilt: Double

  /// Why slices make no volume: a part of a sentence.
  public struct Disorder: Error, Equatable, Sendable, CustomStringConvertible {
    /// The part of a sentence.
    public let description: String
  }

  /// The stack of slices in any order.
  /// - Parameters:
  ///   - places: where the slices lie; nil where that is not told.
  ///   - names: what the slices are called in messages, one per place.
  ///   - thickness: millimetres to the next slice, where there is only one.
  /// - Throws: `Disorder`, when a place is missing, slices differ in orientation or spacing, several lie at one place, some are
  ///   missing in between, distances differ by more than a twentieth, or slices are shifted sideways.
  public init(_ places: [SlicePlace?], names: [String], thickness: Double? = nil) throws(Disorder) {
    precondition(places.count == names.count)
    var known: [SlicePlace] = []
    for (place, name) in zip(places, names) {
      guard let place else { throw Disorder(description: "\(name) does not tell where it lies in the patient") }
      known.append(place)
    }
    guard let first = known.first else { throw Disorder(description: "there are no slices") }
    try Self.checkAlike(known, names)
    let normal = first.normal
    let heights = known.map { $0.height(along: normal) }
    order = heights.indices.sorted { (heights[$0], $0) < (heights[$1], $1) }
    let sorted = order.map { known[$0] }
    let step = try Self.step(sorted, heights: order.map { heights[$0] }, names: order.map { names[$0] }, thickness)
    func patient(_ vector: SIMD3<Double>) -> SIMD3<Double> { vector * SIMD3(-1, -1, 1) }  // left, back to right, front
    affine = Affine3D(
      x: patient(first.alongRow * first.spacing.column), y: patient(first.alongColumn * first.spacing.row),
      z: patient(step), origin: patient(sorted[0].position))
    let along = (step * normal).sum()
    let across = step - normal * along
    tilt = atan2((across * across).sum().squareRoot(), along) * 180 / .pi
  }

  private static func checkAlike(_ places: [SlicePlace], _ names: [String]) throws(Disorder) {
    let first = places[0]
    for (place, name) in zip(places, names) {
      let turns = [place.alongRow - first.alongRow, place.alongColumn - first.alongColumn]
      guard turns.allSatisfy({ ($0 * $0).sum() < 1e-6 }) else {
        throw Disorder(description: "\(names[0]) and \(name) are turned differently")
      }
      let (mine, others) = (place.spacing, first.spacing)
      guard abs(mine.row - others.row) < 1e-3 * others.row, abs(mine.column - others.column) < 1e-3 * others.column
      else { throw Disorder(description: "\(names[0]) and \(name) have different distances between pixels") }
    }
  }

  /// The way from one slice to the next.
  private static func step(
    _ places: [SlicePlace], heights: [Double], names: [String], _ thickness: Double?
  ) throws(Disorder) -> SIMD3<Double> {
    guard places.count > 1 else {
      guard let thickness, thickness > 0 else {
        throw Disorder(description: "\(names[0]) is a single slice that does not tell its thickness")
      }
      return places[0].normal * thickness
    }
    let gaps = zip(heights, heights.dropFirst()).map { $1 - $0 }
    let pixel = min(places[0].spacing.row, places[0].spacing.column)
    if let same = gaps.firstIndex(where: { $0 < 1e-3 * pixel }) {
      throw Disorder(description: "\(names[same]) and \(names[same + 1]) lie at the same place")
    }
    let usual = gaps.sorted()[(gaps.count - 1) / 2]
    let holes = gaps.indices.filter { gaps[$0] > 1.5 * usual }
    if !holes.isEmpty {
      let missing = holes.map { Int(min((gaps[$0] / usual).rounded(), 1e6)) - 1 }
      let total = missing.reduce(0, +)
      throw Disorder(
        description: "\(total) slice\(total == 1 ? " is" : "s are") missing, the first after \(names[holes[0]])")
    }
    let way = places[places.count - 1].position - places[0].position
    let step = way / Double(places.count - 1)
    let length = (step * step).sum().squareRoot()
    for (index, place) in places.enumerated() {
      let away = place.position - (places[0].position + step * Double(index))
      guard (away * away).sum().squareRoot() <= 0.05 * max(length, pixel) else {
        throw Disorder(
          description: "its slices are not evenly apart: \(names[index]) lies "
            + String(format: "%.2f", (away * away).sum().squareRoot()) + " mm from where it should")
      }
    }
    return step
  }
}
