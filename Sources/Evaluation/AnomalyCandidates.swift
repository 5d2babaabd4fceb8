/// A place that an anomaly map points to.
public struct AnomalyCandidate: Equatable, Sendable {
  /// Its pixel or voxel, counted in the map's order.
  public let pixel: Int
  /// The map's value there.
  public let confidence: Float

  /// Finds the local maxima of a map.
  ///
  /// A maximum is a pixel without a higher neighbour (8 of them, 26 in volumes). Neighbours of equal value are one plateau,
  /// which stands at its pixel nearest to its centre of gravity, the first of several; so clipped maps do not win by size,
  /// and a constant map has no maximum. Complexity: O(pixels), and O(candidates²) where `separation` is not 0.
  /// - Parameters:
  ///   - map: finite values, slice by slice, row by row.
  ///   - extents: columns, rows and slices of the map.
  ///   - separation: in pixels; a maximum closer to a higher one that stays is left out (the first of equal ones stays).
  /// - Precondition: `extents` multiply to `map.count`.
  static func maxima(
    of map: [Float], extents: (width: Int, height: Int, depth: Int), separation: Double = 0
  ) -> [AnomalyCandidate] {
    let (width, height, depth) = extents
    precondition(map.count == width * height * depth)
    var candidates: [AnomalyCandidate] = []
    var isVisited = [Bool](repeating: false, count: map.count)
    var plateau: [Int] = []
    for first in map.indices where !isVisited[first] {
      let value = map[first]
      plateau.removeAll(keepingCapacity: true)
      plateau.append(first)
      isVisited[first] = true
      var (isHighest, next) = (true, 0)
      while next < plateau.count {
        let (x0, y0, z0) = position(plateau[next])
        next += 1
        for z in max(z0 - 1, 0)...min(z0 + 1, depth - 1) {
          for y in max(y0 - 1, 0)...min(y0 + 1, height - 1) {
            for x in max(x0 - 1, 0)...min(x0 + 1, width - 1) {
              let neighbour = (z * height + y) * width + x
              if map[neighbour] > value {
                isHighest = false
              } else if map[neighbour] == value, !isVisited[neighbour] {
                isVisited[neighbour] = true
                plateau.append(neighbour)
              }
            }
          }
        }
      }
      if isHighest, plateau.count < map.count {
        candidates.append(AnomalyCandidate(pixel: centre(of: plateau), confidence: value))
      }
    }
    guard separation > 0 else { return candidates }
    var kept: [AnomalyCandidate] = []
    candidates.sort { ($0.confidence, $1.pixel) > ($1.confidence, $0.pixel) }
    for candidate in candidates {
      let p = position(candidate.pixel)
      let isFree = kept.allSatisfy {
        let q = position($0.pixel)
        let squared = (p.x - q.x) * (p.x - q.x) + (p.y - q.y) * (p.y - q.y) + (p.z - q.z) * (p.z - q.z)
        return Double(squared) >= separation * separation
      }
      if isFree { kept.append(candidate) }
    }
    return kept

    func position(_ pixel: Int) -> (x: Int, y: Int, z: Int) {
      (pixel % width, pixel / width % height, pixel / (width * height))
    }

    func centre(of pixels: [Int]) -> Int {
      guard pixels.count > 1 else { return pixels[0] }
      let positions = pixels.map(position)
      let sum = positions.reduce((0, 0, 0)) { ($0.0 + $1.x, $0.1 + $1.y, $0.2 + $1.z) }
      // Distances times the count, squared, in whole numbers: equal ones are equal.
      let distances = positions.map { position in
        let (x, y, z) = (
          pixels.count * position.x - sum.0, pixels.count * position.y - sum.1, pixels.count * position.z - sum.2
        )
        return x * x + y * y + z * z
      }
      let least = distances.min()
      return zip(pixels, distances).filter { $0.1 == least }.map(\.0).min() ?? pixels[0]
    }
  }
}
