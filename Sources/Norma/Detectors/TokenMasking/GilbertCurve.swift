/// The generalised Hilbert curve: a walk through every cell of a rectangle or box of any size in which neighbours in the
/// sequence are neighbours in the grid, but for few steps where sides are odd.
///
/// A region is a corner and one vector along each of its sides; it is split into smaller ones until a side is one cell wide.
enum GilbertCurve {
  private typealias Vector = SIMD3<Int>

  /// Flat indices (last axis fastest) of the cells in the order of the walk.
  static func cells(_ extents: [Int]) -> [Int] {
    var walk: [Vector] = []
    let units = [Vector(1, 0, 0), Vector(0, 1, 0), Vector(0, 0, 1)]
    // The longest side is walked along, the first of them where several are; the others follow in their order.
    let longest = extents.indices.max { extents[$0] < extents[$1] || (extents[$0] == extents[$1] && $0 > $1) } ?? 0
    let axes = [longest] + extents.indices.filter { $0 != longest }
    let sides = axes.map { units[$0] &* extents[$0] }
    if extents.count == 2 {
      walkRectangle(Vector(), sides[0], sides[1], &walk)
      return walk.map { $0.x * extents[1] + $0.y }
    }
    walkBox(Vector(), sides[0], sides[1], sides[2], &walk)
    return walk.map { ($0.x * extents[1] + $0.y) * extents[2] + $0.z }
  }

  private static func length(_ vector: Vector) -> Int { abs(vector.x) + abs(vector.y) + abs(vector.z) }

  private static func unit(_ vector: Vector) -> Vector {
    Vector(vector.x.signum(), vector.y.signum(), vector.z.signum())
  }

  /// Half of a vector, rounded down, also where it points backwards.
  private static func half(_ vector: Vector) -> Vector { Vector(vector.x >> 1, vector.y >> 1, vector.z >> 1) }

  /// Half of a vector, one step longer where that makes it even.
  private static func evenHalf(_ vector: Vector) -> Vector {
    let half = half(vector)
    return length(half) % 2 == 1 && length(vector) > 2 ? half &+ unit(vector) : half
  }

  private static func walkLine(_ start: Vector, _ a: Vector, _ walk: inout [Vector]) {
    for step in 0..<length(a) { walk.append(start &+ unit(a) &* step) }
  }

  /// A rectangle with major side `a` and minor side `b`.
  private static func walkRectangle(_ corner: Vector, _ a: Vector, _ b: Vector, _ walk: inout [Vector]) {
    guard length(b) > 1 else { return walkLine(corner, a, &walk) }
    guard length(a) > 1 else { return walkLine(corner, b, &walk) }
    if 2 * length(a) > 3 * length(b) {
      let first = evenHalf(a)
      walkRectangle(corner, first, b, &walk)
      walkRectangle(corner &+ first, a &- first, b, &walk)
    } else {
      let (first, second) = (half(a), evenHalf(b))
      walkRectangle(corner, second, first, &walk)
      walkRectangle(corner &+ second, a, b &- second, &walk)
      let end = corner &+ a &- unit(a) &+ second &- unit(b)
      walkRectangle(end, Vector() &- second, first &- a, &walk)
    }
  }

  /// A box with sides `a`, `b` and `c`.
  private static func walkBox(
    _ corner: Vector, _ a: Vector, _ b: Vector, _ c: Vector, _ walk: inout [Vector]
  ) {
    let (width, height, depth) = (length(a), length(b), length(c))
    guard width > 0 && height > 0 && depth > 0 else { return }
    guard height > 1 || depth > 1 else { return walkLine(corner, a, &walk) }
    guard width > 1 || depth > 1 else { return walkLine(corner, b, &walk) }
    guard width > 1 || height > 1 else { return walkLine(corner, c, &walk) }
    let (a2, b2, c2) = (evenHalf(a), evenHalf(b), evenHalf(c))
    let (toA, toB, toC) = (a &- unit(a), b2 &- unit(b), c &- unit(c))
    let back = Vector()
    if 2 * width > 3 * height && 2 * width > 3 * depth {  // wide: split along `a` only
      walkBox(corner, a2, b, c, &walk)
      walkBox(corner &+ a2, a &- a2, b, c, &walk)
    } else if 3 * height > 4 * depth {  // flat: leave `c` whole
      walkBox(corner, b2, c, a2, &walk)
      walkBox(corner &+ b2, a, b &- b2, c, &walk)
      walkBox(corner &+ toA &+ toB, back &- b2, c, a2 &- a, &walk)
    } else if 3 * depth > 4 * height {  // tall: leave `b` whole
      walkBox(corner, c2, a2, b, &walk)
      walkBox(corner &+ c2, a, b, c &- c2, &walk)
      walkBox(corner &+ toA &+ (c2 &- unit(c)), back &- c2, a2 &- a, b, &walk)
    } else {  // split all three
      walkBox(corner, b2, c2, a2, &walk)
      walkBox(corner &+ b2, c, a2, b &- b2, &walk)
      walkBox(corner &+ toB &+ toC, a, back &- b2, c2 &- c, &walk)
      walkBox(corner &+ toA &+ b2 &+ toC, back &- c, a2 &- a, b &- b2, &walk)
      walkBox(corner &+ toA &+ toB, back &- b2, c2, a2 &- a, &walk)
    }
  }
}
