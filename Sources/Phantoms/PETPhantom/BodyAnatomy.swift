import MedicalImaging

/// One patient: solids in the millimetres of `VoxelGrid`, with z = 0 at the perineum, x = 0 in the midline and y = 0 amid the
/// trunk, drawn at random around an adult whose crown lies at z = 800.
struct BodyAnatomy: Sendable {
  /// A part of the body's outline and the thickness of the fat under its skin.
  struct Outline: Sendable {
    let solid: any Solid
    let fat: Float
  }

  /// What differs between patients in the large.
  struct Build: Sendable {
    /// Factors of all measures along x, y and z.
    let scale: SIMD3<Float>
    /// Fat under the skin of the trunk, in millimetres.
    let fat: Float
    /// Strength of the differences, 0 to 1.
    let variation: Float

    /// Draws a build.
    init(variation: Float, using generator: inout SeededGenerator) {
      let girth = variation * generator.uniform(-1...1)
      let height = variation * generator.uniform(-1...1)
      let scaleX = 1 + 0.045 * girth + 0.02 * height
      let scaleY = 1 + 0.1 * girth + variation * generator.uniform(-0.02...0.02)
      scale = SIMD3(scaleX, scaleY, 0.97 + 0.065 * height)
      fat = 16 + 8 * girth + variation * generator.uniform(-5...5)
      self.variation = variation
    }

    /// Number drawn up to `range` either way, scaled by the variation.
    func jitter(_ range: Float, using generator: inout SeededGenerator) -> Float {
      variation * generator.uniform(-range...range)
    }

    /// An organ of this patient.
    /// - Parameters:
    ///   - centre: the average adult's.
    ///   - radii: the average adult's semi-axes.
    ///   - wander: how far the centre may move along each axis.
    ///   - spread: by which share each semi-axis may differ.
    ///   - turn: how far it is turned in the coronal plane.
    func organ(
      _ centre: SIMD3<Float>, _ radii: SIMD3<Float>, wander: Float = 4, spread: Float = 0.1, turn: Float = 0,
      using generator: inout SeededGenerator
    ) -> Ellipsoid {
      var centre = centre
      var radii = radii
      for axis in 0..<3 {
        centre[axis] += jitter(wander, using: &generator)
        radii[axis] *= 1 + jitter(spread, using: &generator)
      }
      return Ellipsoid(centre: centre * scale, radii: radii * scale, turn: turn)
    }

    /// A column of this patient through the average adult's knots: level, x, y, semi-axes, the latter grown by `margin`.
    func column(_ knots: [(Float, Float, Float, Float, Float)], margin: Float = 0) -> Column {
      Column(
        knots: knots.map { level, x, y, across, deep in
          Column.Knot(
            level: level * scale.z, centre: SIMD2(x * scale.x, y * scale.y),
            radii: SIMD2(across * scale.x + margin, deep * scale.y + margin))
        })
    }
  }

  let build: Build
  let uptake: FDGUptake
  let hasFullBladder: Bool
  let hasActiveHeart: Bool
  /// z of the top of the head.
  let crown: Float
  let outlines: [Outline]
  let skeleton: Skeleton
  let organs: Organs

  /// Draws a patient.
  init(configuration: PETPhantom.Configuration, using generator: inout SeededGenerator) {
    build = Build(variation: Float(configuration.variation), using: &generator)
    hasFullBladder = generator.happens(Float(configuration.fullBladderShare))
    hasActiveHeart = generator.happens(Float(configuration.activeHeartShare))
    uptake = FDGUptake(hasFullBladder: hasFullBladder, hasActiveHeart: hasActiveHeart, using: &generator)
    let skull = Ellipsoid(centre: SIMD3(0, -6, 695) * build.scale, radii: SIMD3(78, 97, 105) * build.scale)
    crown = skull.levels.upperBound
    outlines = Self.outlines(skull: skull, of: build, using: &generator)
    skeleton = Skeleton(of: build, using: &generator)
    organs = Organs(of: build, hasFullBladder: hasFullBladder, using: &generator)
  }

  /// How far inside the skin a point lies, in millimetres; negative outside.
  func skinDepth(at point: SIMD3<Float>) -> Float {
    outlines.lazy.map { $0.solid.depth(at: point) }.max() ?? -.infinity
  }

  /// Where uptake is high in health, so that a lesion there would not be told from it: brain, heart, kidneys, bladder.
  var hotOrgans: [Ellipsoid] {
    [organs.brain, organs.heart, organs.bladder] + organs.kidneys
  }

  private static func outlines(skull: Ellipsoid, of build: Build, using generator: inout SeededGenerator) -> [Outline] {
    let face = build.organ(SIMD3(0, -40, 622), SIMD3(58, 62, 60), wander: 3, spread: 0.05, using: &generator)
    // Neck, chest, waist, hips: muscle's outline, grown by the fat.
    let trunk = build.column(
      [
        (-25, 0, 0, 120, 72), (30, 0, 4, 157, 96), (90, 0, 4, 161, 100), (150, 0, 2, 150, 95), (215, 0, -2, 137, 90),
        (300, 0, -2, 139, 96), (390, 0, 0, 149, 102), (450, 0, 5, 152, 96), (490, 0, 8, 144, 80), (525, 0, 10, 108, 60),
        (552, 0, 10, 66, 50), (580, 0, 8, 50, 47), (650, 0, 5, 46, 48),
      ], margin: build.fat)
    var outlines = [
      Outline(solid: skull, fat: 4), Outline(solid: face, fat: 5), Outline(solid: trunk, fat: build.fat),
    ]
    let limbFat = 0.6 * build.fat
    let reach = build.jitter(5, using: &generator)
    for side: Float in [-1, 1] {
      let shoulder = build.column(
        [
          (455, side * 128, 8, 20, 30), (480, side * 136, 8, 36, 38), (505, side * 138, 8, 38, 38),
          (530, side * 140, 8, 30, 32),
        ],
        margin: 0.5 * limbFat)
      // Arms are raised beside the head, as in the scanner.
      let arm = build.column(
        [
          (500, side * 140, 8, 32, 36), (540, side * (143 + reach / 2), 8, 34, 36),
          (600, side * (142 + reach), 4, 31, 33),
          (690, side * (142 + reach), -2, 27, 29), (780, side * (130 + reach), -14, 25, 26),
          (920, side * (98 + reach), -30, 22, 22), (1000, side * (84 + reach), -38, 20, 18),
        ], margin: limbFat / 2)
      let thigh = build.column(
        [
          (-1300, side * 72, 6, 40, 42), (-500, side * 78, 2, 50, 54), (-200, side * 82, 0, 62, 70),
          (-60, side * 86, 0, 72, 80), (40, side * 88, 0, 66, 86),
        ], margin: limbFat)
      outlines += [
        Outline(solid: shoulder, fat: 0.5 * limbFat), Outline(solid: arm, fat: 0.5 * limbFat),
        Outline(solid: thigh, fat: limbFat),
      ]
    }
    return outlines
  }
}
