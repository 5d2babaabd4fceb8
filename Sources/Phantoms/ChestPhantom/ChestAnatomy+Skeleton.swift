import Foundation

extension ChestAnatomy {
  /// Pairs of ribs drawn.
  static let ribPairs = 11

  /// One rib, from the spine along the back, around the side and down along the front to its cartilage.
  ///
  /// The projection of a tilted half ellipse: at angle t, `x = a sin t` and `y = y0 + fall (1 - cos t) / 2`.
  func rib(_ index: Int, _ side: Side) -> Tube {
    let level = apexLevel + 0.3 + Float(index) * ribSpacing
    let fall = ribFall * min(0.45 + 0.16 * Float(index), 1)
    let lateralLevel = min(max(level + fall / 2, apexLevel + 1.6), domeLevel(side) + lateralFall)
    let reach = lungHalfWidth(at: lateralLevel, side: side) + 0.35
    let start = asin(min(1.6 / reach, 1))
    let end: Float = index < 8 ? 2.45 : 2.2 - 0.3 * Float(index - 8)
    let steps = 22
    let nodes = (0...steps).map { step in
      let angle = start + (end - start) * Float(step) / Float(steps)
      let x = side.sign * reach * sin(angle)
      let hump = 0.9 * sin(min(2 * angle, .pi))
      let y = level + fall * (1 - cos(angle)) / 2 - hump
      let edgeOn = pow(sin(angle), 10)
      let front = Profile.step(angle, from: 1.5, to: 2.4)
      let cartilage = Profile.step(angle, from: end - 0.25, to: end)
      return Tube.Node(
        position: SIMD2(x + midline(at: y), y), radius: ribRadius * (1 + 0.15 * front - 0.2 * edgeOn),
        density: boneDensity * (1 + 0.5 * edgeOn) * (1 - 0.3 * front) * (1 - 0.95 * cartilage))
    }
    return Tube(nodes: nodes, hollowness: 0.65, coreRadius: 0.78)
  }

  /// Collar bones and the inner borders and spines of the shoulder blades.
  func shoulderGirdle() -> [Tube] {
    Side.allCases.flatMap { side in
      func bone(_ points: [SIMD3<Float>], density: Float) -> Tube {
        let nodes = points.map {
          Tube.Node(position: SIMD2(side.sign * $0.x, $0.y), radius: $0.z, density: density * boneDensity)
        }
        return Tube(nodes: nodes, hollowness: 0.6)
      }
      let level = apexLevel + 2.6
      let rise = clavicleRise
      let reach = chestHalfWidth
      return [
        bone(
          [
            [1.6, level + 0.6, 0.85], [3, level + 0.2, 0.7], [5.5, level - 0.5 - 0.3 * rise, 0.55],
            [8.5, level - 0.6 - 0.7 * rise, 0.55], [11, level - 0.9 - rise, 0.65], [14, level - 0.6 - rise, 0.75],
          ], density: 1),
        bone(
          [
            [reach + 0.4, level + 1.5, 0.5], [reach - 0.6, level + 5, 0.4], [reach + 0.2, level + 10, 0.45],
            [reach + 2.2, level + 4.5, 0.6], [reach + 3.2, level + 1, 0.8],
          ], density: 0.55),
        bone([[reach + 5.2, level + 0.8, 2.1], [reach + 6.5, level + 6, 1.2]], density: 0.6),
      ]
    }
  }

  /// The depth of bone in the spine over a patient point, in centimetres: bodies parted by discs, pedicles, spinous
  /// processes.
  @inline(__always)
  func spineDepth(at point: SIMD2<Float>) -> Float {
    let across = abs(point.x - midline(at: point.y))
    let halfWidth = 1.5 + 0.02 * (point.y + 15)
    guard across < halfWidth + 0.2 else { return 0 }
    let within = point.y / vertebraHeight - (point.y / vertebraHeight).rounded(.down) - 0.5
    let endPlate = Profile.step(abs(within), from: 0.44, to: 0.36)
    let body = (0.25 + 0.6 * endPlate) * Profile.rim(halfWidth - across, width: 0.8)
    let pedicle = 0.5 * Profile.ellipsoid(SIMD2((across - 0.95) / 0.35, (within + 0.18) * vertebraHeight / 0.5))
    let process = 0.7 * Profile.ellipsoid(SIMD2(across / 0.4, (within - 0.1) * vertebraHeight / 0.7))
    return boneDensity * (body + pedicle + process)
  }
}
