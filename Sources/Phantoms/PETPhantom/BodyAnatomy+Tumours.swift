import MedicalImaging

extension BodyAnatomy {
  /// One to four tumours of the given kinds, apart from each other and from the hot organs.
  func tumours(
    of lesions: [PETPhantom.Lesion], size: Float, using generator: inout SeededGenerator
  ) -> [Tumour] {
    let count = 1 + generator.index(below: 4)
    var tumours: [Tumour] = []
    for _ in 0..<count {
      let lesion = lesions[generator.index(below: lesions.count)]
      if let tumour = tumour(of: lesion, size: size, apartFrom: tumours, using: &generator) { tumours.append(tumour) }
    }
    return tumours
  }

  /// Draws places until one is free. What does not fit shrinks a little with every attempt, so that the first tumour always
  /// finds room; nil where the others leave too little of it.
  private func tumour(
    of lesion: PETPhantom.Lesion, size: Float, apartFrom others: [Tumour], using generator: inout SeededGenerator
  ) -> Tumour? {
    let full = size * generator.uniform(lesion.radii)
    var radius = full
    let uptake = generator.uniform(4...12)
    while others.isEmpty || radius > 0.7 * full {
      let centre = place(of: lesion, using: &generator)
      if isFree(centre, radius: radius, apartFrom: others) {
        let lobes = Self.lobes(around: centre, radius: radius, using: &generator)
        return Tumour(lesion: lesion, centre: centre, radius: radius, uptake: uptake, lobes: lobes)
      }
      radius *= 0.985
    }
    return nil
  }

  /// Whether a tumour lies far enough from hot organs and other tumours, and, all but a quarter of it, under the skin.
  private func isFree(_ centre: SIMD3<Float>, radius: Float, apartFrom others: [Tumour]) -> Bool {
    let reach = Tumour.extent * radius
    let margin: Float = 6
    return skinDepth(at: centre) > 0.5 * radius
      && hotOrgans.allSatisfy { $0.depth(at: centre) < -(reach + margin) }
      && others.allSatisfy { other in
        let away = other.centre - centre
        return (away * away).sum().squareRoot() > reach + other.reach + margin
      }
  }

  /// A place where tumours of this kind grow.
  private func place(of lesion: PETPhantom.Lesion, using generator: inout SeededGenerator) -> SIMD3<Float> {
    let side: Float = generator.happens(0.5) ? -1 : 1
    switch lesion {
    case .lymphNode: return nodePlace(side: side, using: &generator)
    case .liver: return point(in: organs.liver[generator.happens(0.8) ? 0 : 1], within: 0.6, using: &generator)
    case .bone: return bonePlace(side: side, using: &generator)
    case .lung: return point(in: organs.lungs[side < 0 ? 0 : 1], within: 0.62, using: &generator)
    }
  }

  private func nodePlace(side: Float, using generator: inout SeededGenerator) -> SIMD3<Float> {
    // Neck, armpit, mediastinum, before the lumbar spine, groin; in the average adult.
    let places: [(centre: SIMD3<Float>, spread: SIMD3<Float>)] = [
      (SIMD3(side * 36, 8, 562), SIMD3(6, 8, 22)), (SIMD3(side * 122, 2, 470), SIMD3(6, 8, 12)),
      (SIMD3(side * 14, -2, 470), SIMD3(12, 14, 16)), (SIMD3(side * 16, 18, 142), SIMD3(8, 8, 16)),
      (SIMD3(side * 76, -58, 22), SIMD3(8, 6, 14)),
    ]
    let place = places[generator.index(below: places.count)]
    let offset = SIMD3(generator.uniform(-1...1), generator.uniform(-1...1), generator.uniform(-1...1))
    return (place.centre + offset * place.spread) * build.scale
  }

  private func bonePlace(side: Float, using generator: inout SeededGenerator) -> SIMD3<Float> {
    if generator.happens(0.6) {
      let level = generator.uniform(95...520) * build.scale.z
      if let (middle, _) = skeleton.spine.section(at: level) { return SIMD3(middle.x, middle.y, level) }
    }
    // The pubis comes first in the list, then wing and socket of each side; pubis is close to the bladder and left out.
    let wing = skeleton.pelvis[side < 0 ? 1 : 3]
    return point(in: wing, within: 0.5, using: &generator)
  }

  /// A point of an ellipsoid, none of its coordinates further from the centre than `share` of the semi-axis.
  private func point(
    in solid: Ellipsoid, within share: Float, using generator: inout SeededGenerator
  ) -> SIMD3<Float> {
    let offset = SIMD3(generator.uniform(-1...1), generator.uniform(-1...1), generator.uniform(-1...1))
    return solid.centre + share * offset * solid.radii
  }

  /// A body and two bulges in any direction.
  private static func lobes(
    around centre: SIMD3<Float>, radius: Float, using generator: inout SeededGenerator
  ) -> [Ellipsoid] {
    (0..<3).map { lobe in
      let stretch = SIMD3(generator.uniform(0.85...1.2), generator.uniform(0.85...1.2), generator.uniform(0.85...1.2))
      let offset = SIMD3(generator.uniform(-0.3...0.3), generator.uniform(-0.3...0.3), generator.uniform(-0.3...0.3))
      let turn = generator.uniform(-1.5...1.5)
      let twist = generator.uniform(-1.5...1.5)
      return Ellipsoid(
        centre: centre + (lobe == 0 ? 0 : radius) * offset, radii: (lobe == 0 ? 1 : 0.62) * radius * stretch,
        turn: turn,
        twist: twist)
    }
  }
}
