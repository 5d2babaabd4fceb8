extension ChestAnatomy {
  /// The front-to-back depth of aerated lung over a patient point, in centimetres, heart and mediastinum taken out.
  @inline(__always)
  func lungDepth(at point: SIMD2<Float>) -> Float {
    guard point.y > apexLevel else { return 0 }
    let across = point.x - midline(at: point.y)
    let side: Side = across < 0 ? .right : .left
    let lateral = side.sign * across
    let wall = lungHalfWidth(at: point.y, side: side) - lateral
    guard wall > 0 else { return 0 }
    let dome = diaphragmLevel(lateral: lateral, side: side)
    let deepest = domeLevel(side) + lateralFall
    guard point.y < deepest else { return 0 }

    let medial = max(5 - lateral, 0)
    let belowApex = point.y - apexLevel - 0.14 * medial * medial
    // Behind the dome the lung goes on as a thin recess.
    let recess = 0.09 * Profile.step(deepest - point.y, from: 0, to: 4)
    let overDiaphragm = recess + (1 - recess) * Profile.rim(dome - point.y, width: 3.2)
    let depth =
      largestLungDepth * Profile.rim(wall, width: 7) * Profile.rim(belowApex, width: 8) * overDiaphragm
    return max(depth - mediastinumDepth(at: SIMD2(across, point.y)), 0)
  }

  /// From the midline to the outer border of a lung at a level.
  @inline(__always)
  func lungHalfWidth(at level: Float, side: Side) -> Float {
    let height = domeLevel(side) + lateralFall - apexLevel
    let above = max(1 - (level - apexLevel) / (0.72 * height), 0)
    let shape = max(1 - above * above * above.squareRoot(), 0).squareRoot()
    return 4.4 + (chestHalfWidth - 4.4) * shape
  }

  /// The diaphragm's level at a distance from the midline.
  @inline(__always)
  func diaphragmLevel(lateral: Float, side: Side) -> Float {
    let summit = 0.46 * chestHalfWidth
    let outward = lateral - summit
    let relative = outward > 0 ? outward / (chestHalfWidth - summit) : outward / summit
    return domeLevel(side) + relative * relative * (outward > 0 ? lateralFall : medialFall)
  }

  /// The depth of heart, great vessels and mediastinal tissue that takes lung's place; `point.x` counts from the midline.
  @inline(__always)
  func mediastinumDepth(at point: SIMD2<Float>) -> Float {
    let width = cardiothoracicRatio * 2 * chestHalfWidth
    let sine = SIMD2(heartTilt * (1 - heartTilt * heartTilt / 6), 1 - heartTilt * heartTilt / 2)
    let base = leftDomeLevel - 0.27 * width
    let fromHeart = point - SIMD2(0.14 * width, base)
    let turned = SIMD2(
      sine.y * fromHeart.x + sine.x * fromHeart.y, sine.y * fromHeart.y - sine.x * fromHeart.x)
    let ventricles = heartDepth * Profile.ellipsoid(turned / SIMD2(0.56 * width, 0.37 * width))
    let fromAtrium = point - SIMD2(-0.1 * width, base)
    let atrium = 0.9 * heartDepth * Profile.ellipsoid(fromAtrium / SIMD2(0.24 * width, 0.36 * width))
    let fromKnob = point - SIMD2(1.8, -6.6)
    let knob = 6 * Profile.ellipsoid(fromKnob / SIMD2(aorticKnobRadius, aorticKnobRadius * 1.25))
    let fromTrunk = point - SIMD2(2, -3.6)
    let trunk = 5 * Profile.ellipsoid(fromTrunk / SIMD2(1.8, 2.6))
    // Narrow at the neck, widest where the great vessels arch.
    let fromArch = (point.y + 6) / 4.5
    let breadth = mediastinumHalfWidth * (0.62 + 0.38 / (1 + fromArch * fromArch))
    let border = breadth + (point.x < 0 ? 0.1 : -0.2) - abs(point.x)
    let strip = 0.75 * largestLungDepth * Profile.rim(border, width: 2.2)
    return max(max(ventricles, atrium), max(max(knob, trunk), strip))
  }
}
