import MedicalImaging

extension BodyAnatomy {
  /// Organs of one patient. Where two overlap, the one painted later counts (`BodyAnatomy.tissue`).
  struct Organs: Sendable {
    /// The cerebrum, with the skull close around it.
    let brain: Ellipsoid
    let lungs: [Ellipsoid]
    /// The diaphragm's domes and what they hold.
    let domes: [Ellipsoid]
    let mediastinum: Ellipsoid
    let trachea: Column
    let aorta: Column
    /// The whole heart.
    let heart: Ellipsoid
    /// The left ventricle, whose wall may be bright.
    let ventricle: Ellipsoid
    /// Right and left lobe.
    let liver: [Ellipsoid]
    let spleen: Ellipsoid
    let stomach: Ellipsoid
    /// Right and left.
    let kidneys: [Ellipsoid]
    let bladder: Ellipsoid
    /// Where the loops of small bowel lie.
    let bowel: Ellipsoid
    /// Ascending, transverse and descending colon.
    let colon: [any Solid]

    /// Draws the organs.
    init(of build: Build, hasFullBladder: Bool, using generator: inout SeededGenerator) {
      func organ(
        _ centre: SIMD3<Float>, _ radii: SIMD3<Float>, wander: Float = 4, spread: Float = 0.1, turn: Float = 0
      ) -> Ellipsoid {
        build.organ(centre, radii, wander: wander, spread: spread, turn: turn, using: &generator)
      }
      brain = organ(SIMD3(0, -4, 722), SIMD3(65, 82, 64), wander: 2, spread: 0.03)
      let breath = build.jitter(12, using: &generator)
      lungs = [-1, 1].map { side in
        organ(SIMD3(side * 70, 4, 412), SIMD3(60, 82, 124), wander: 2, spread: 0.04)
      }
      domes = [
        organ(SIMD3(-68, 0, 258 + breath), SIMD3(68, 92, 90), spread: 0.03),
        organ(SIMD3(68, 0, 252 + breath), SIMD3(68, 92, 82), spread: 0.03),
      ]
      mediastinum = organ(SIMD3(0, 6, 440), SIMD3(30, 52, 95))
      trachea = build.column([(452, 2, 4, 9, 8), (520, 0, -2, 9, 8), (600, 0, -14, 9, 8)])
      aorta = build.column([
        (150, 8, 28, 8, 8), (240, 8, 28, 10, 10), (340, 12, 38, 11, 11), (440, 18, 34, 12, 12), (455, 16, 28, 11, 11),
      ])
      let heartTurn = -0.5 + build.jitter(0.25, using: &generator)
      heart = organ(SIMD3(20, -24, 372 + breath / 2), SIMD3(56, 45, 46), wander: 3, turn: heartTurn)
      ventricle = Ellipsoid(
        centre: heart.centre + SIMD3(13, -3, -7), radii: heart.radii * SIMD3(0.68, 0.8, 0.74), turn: heartTurn)
      liver = [
        organ(SIMD3(-64, -2, 280 + breath), SIMD3(64, 78, 66), spread: 0.08),
        organ(SIMD3(4, -42, 302 + breath), SIMD3(60, 36, 30), wander: 6),
      ]
      spleen = organ(SIMD3(86, 30, 286 + breath), SIMD3(25, 34, 44), wander: 5, spread: 0.15)
      stomach = organ(SIMD3(58, -26, 283 + breath), SIMD3(36, 34, 42), wander: 8, spread: 0.2)
      kidneys = [-1, 1].map { side in
        organ(
          SIMD3(side * 62, 42, 214 + 5 * side + breath / 2), SIMD3(27, 26, 51), wander: 6, spread: 0.12,
          turn: -0.15 * side)
      }
      bladder = Self.bladder(isFull: hasFullBladder, of: build, using: &generator)
      bowel = organ(SIMD3(0, -32, 166), SIMD3(92, 46, 66), wander: 6)
      colon = [
        build.column([(112, -104, 0, 17, 17), (190, -106, -4, 18, 18), (240, -96, -22, 17, 17)]),
        organ(SIMD3(0, -62, 234), SIMD3(92, 15, 17), wander: 10, turn: 0.15),
        build.column([(70, 70, 30, 12, 12), (110, 104, 8, 13, 13), (190, 112, 2, 14, 14), (268, 104, 2, 14, 14)]),
      ]
    }

    private static func bladder(
      isFull: Bool, of build: Build, using generator: inout SeededGenerator
    ) -> Ellipsoid {
      let size = 1 + build.jitter(0.22, using: &generator)
      let radii = size * (isFull ? SIMD3(45, 37, 38) : SIMD3<Float>(27, 24, 20))
      return build.organ(SIMD3(0, -16, 26 + radii.z), radii, wander: 3, spread: 0.08, using: &generator)
    }
  }

  /// Loops of small bowel: small solids and their SUV, each its own, now and then one with gas.
  func bowelLoops(using generator: inout SeededGenerator) -> [(solid: Ellipsoid, tissue: Tissue)] {
    (0..<26).map { _ in
      let place = SIMD3(generator.uniform(-0.8...0.8), generator.uniform(-0.7...0.7), generator.uniform(-0.8...0.8))
      let radii = SIMD3(generator.uniform(10...22), generator.uniform(10...16), generator.uniform(9...16))
      let turn = generator.uniform(-1.5...1.5)
      let patch = generator.uniform(0...1)
      let value = uptake.bowel.lowerBound + patch * patch * (uptake.bowel.upperBound - uptake.bowel.lowerBound)
      let density = generator.happens(0.12) ? -600 : Tissue.Density.softTissue - 10
      return (
        Ellipsoid(centre: organs.bowel.centre + place * organs.bowel.radii, radii: radii, turn: turn),
        Tissue(uptake: value, density: density)
      )
    }
  }
}
