extension ChestAnatomy {
  /// The front-to-back depth of the body over a patient point, in centimetres, air of the lungs included.
  @inline(__always)
  func bodyDepth(at point: SIMD2<Float>) -> Float {
    let across = abs(point.x)
    let trunkHalfWidth = chestHalfWidth + chestWall
    // The neck widens into the trunk.
    let narrowing = Profile.step(-point.y, from: 10, to: 17)
    let halfWidth = trunkHalfWidth + narrowing * (6 - trunkHalfWidth) + 0.04 * max(point.y, 0)
    let trunk = bodyDepth * (1 - 0.4 * narrowing) * Profile.rim(halfWidth - across, width: halfWidth * 0.95)
    let shoulderTop = -17.5 + 0.28 * max(across - 5, 0) + 0.02 * max(across - 10, 0) * max(across - 10, 0)
    let armpit = -5.5 + 1.6 * max(across - trunkHalfWidth, 0)
    let insideShoulder = min(point.y - shoulderTop, armpit - point.y)
    let shoulder = 11 * Profile.rim(insideShoulder, width: 4.5)
    return max(trunk, shoulder) + breast(at: SIMD2(across, point.y))
  }

  @inline(__always)
  private func breast(at point: SIMD2<Float>) -> Float {
    guard breastDepth > 0 else { return 0 }
    let offset = (point - SIMD2(0.56 * chestHalfWidth, 3.5)) / SIMD2(0.5 * chestHalfWidth, 5)
    return breastDepth * Profile.ellipsoid(offset) * Profile.step(offset.y, from: -1, to: 0.4)
  }

  /// The windpipe and the main bronchi.
  func airways() -> [Tube] {
    let carina = SIMD2<Float>(midline(at: -5) + 0.3, -5)
    func airway(_ points: [SIMD2<Float>], radius: Float) -> Tube {
      Tube(nodes: points.map { Tube.Node(position: $0, radius: radius) })
    }
    return [
      airway([SIMD2(midline(at: -20), -22), SIMD2(midline(at: -10) + 0.1, -10), carina], radius: 0.85),
      airway([carina, carina + SIMD2(-1.5, 1.5), carina + SIMD2(-3.4, 3.6)], radius: 0.6),
      airway([carina, carina + SIMD2(2.2, 1.4), carina + SIMD2(4.2, 2.6)], radius: 0.55),
    ]
  }

  /// The depth of the stomach's air, flat below where it meets fluid.
  @inline(__always)
  func gastricAir(at point: SIMD2<Float>) -> Float {
    guard let bubble = gastricBubble, point.y < bubble.centre.y + 0.4 else { return 0 }
    return 5 * Profile.ellipsoid((point - bubble.centre) / SIMD2(bubble.radius, 1.6))
  }
}
