import MedicalImaging

extension BodyAnatomy {
  /// Bones of one patient.
  struct Skeleton: Sendable {
    /// Vertebral bodies, sacrum included.
    let spine: Column
    /// Spinous processes.
    let processes: Column
    /// The chest's wall: the ribs' surface.
    let cage: Column
    let sternum: Ellipsoid
    /// Wings and sockets of the hip bones, pubis.
    let pelvis: [Ellipsoid]
    let jaw: Ellipsoid
    /// Heads and shafts of the thigh bones.
    let femora: [any Solid]
    let humeri: [Column]
    /// Mineral content relative to the average adult.
    let mineral: Float
    /// Height of one vertebra with its disc, in millimetres.
    let segment: Float

    /// Draws a skeleton.
    init(of build: Build, using generator: inout SeededGenerator) {
      let bend = build.jitter(5, using: &generator)
      spine = build.column([
        (40, 0, 78, 20, 11), (85, 0, 80, 38, 17), (130, bend / 2, 70, 32, 21), (165, bend, 56, 24, 20),
        (225, bend, 49, 23, 19), (300, 0, 54, 21, 18), (400, -bend, 64, 18, 16), (480, -bend / 2, 58, 16, 14),
        (540, 0, 38, 13, 12), (600, 0, 26, 12, 11), (645, 0, 20, 14, 12),
      ])
      processes = Column(
        knots: spine.knots.dropFirst().map { knot in
          Column.Knot(
            level: knot.level, centre: knot.centre + SIMD2(0, knot.radii.y + 11), radii: SIMD2(4.5, 12))
        })
      cage = build.column([
        (285, 0, -2, 128, 84), (330, 0, -1, 134, 90), (390, 0, 0, 137, 92), (450, 0, 4, 128, 85), (495, 0, 8, 98, 66),
        (530, 0, 12, 56, 40),
      ])
      sternum = build.organ(SIMD3(0, -86, 432), SIMD3(17, 7, 70), wander: 2, using: &generator)
      jaw = build.organ(SIMD3(0, -62, 592), SIMD3(40, 15, 11), wander: 2, using: &generator)
      var pelvis = [build.organ(SIMD3(0, -62, 24), SIMD3(46, 11, 14), wander: 2, using: &generator)]
      var femora: [any Solid] = []
      var humeri: [Column] = []
      for side: Float in [-1, 1] {
        pelvis += [
          build.organ(SIMD3(side * 82, 30, 138), SIMD3(13, 48, 50), wander: 2, turn: -side * 0.4, using: &generator),
          build.organ(SIMD3(side * 78, 8, 66), SIMD3(24, 27, 30), wander: 2, using: &generator),
        ]
        femora += [
          build.organ(SIMD3(side * 90, 4, 50), SIMD3(23, 22, 22), wander: 1, spread: 0.05, using: &generator),
          build.column([
            (-1300, side * 72, 6, 13, 13), (-300, side * 82, 4, 14, 14), (-60, side * 96, 4, 15, 15),
            (20, side * 106, 4, 19, 18), (50, side * 100, 4, 16, 16),
          ]),
        ]
        humeri.append(
          build.column([
            (490, side * 134, 8, 20, 20), (530, side * 142, 8, 16, 16), (600, side * 142, 4, 11, 11),
            (690, side * 142, -2, 13, 11), (780, side * 130, -14, 12, 9), (920, side * 98, -30, 10, 8),
          ]))
      }
      self.pelvis = pelvis
      self.femora = femora
      self.humeri = humeri
      mineral = 1 + build.jitter(0.2, using: &generator)
      segment = 33 * build.scale.z
    }
  }
}

extension TissueMap {
  /// Paints the bones: marrow takes up a little more than muscle, the shafts of the limbs no more than it.
  mutating func fill(_ skeleton: BodyAnatomy.Skeleton, uptake: FDGUptake) {
    let spongy = Tissue(uptake: uptake.marrow, density: Tissue.Density.spongyBone * skeleton.mineral)
    let cortical = Tissue(uptake: uptake.muscle, density: Tissue.Density.corticalBone * skeleton.mineral)
    fillRibs(skeleton, with: Tissue(uptake: 0.8 * uptake.marrow, density: spongy.density))
    fill(skeleton.sternum, with: spongy)
    fill(skeleton.processes, with: spongy)
    fill(skeleton.spine, with: spongy)
    fillDiscs(skeleton, with: Tissue(uptake: uptake.marrow, density: 90))
    for bone in skeleton.pelvis { fill(bone, with: spongy) }
    fill(skeleton.jaw, with: cortical)
    for bone in skeleton.femora { fill(bone, with: cortical) }
    for bone in skeleton.humeri { fill(bone, with: cortical) }
  }

  /// Ribs fall from back to front: bands of the cage's wall, one to each vertebra.
  private mutating func fillRibs(_ skeleton: BodyAnatomy.Skeleton, with tissue: Tissue) {
    let segment = skeleton.segment
    fill(skeleton.cage, with: tissue, wall: 10) { y, z in
      let phase = (z - 0.45 * y) / segment
      return abs(phase - phase.rounded()) < 0.27
    }
  }

  private mutating func fillDiscs(_ skeleton: BodyAnatomy.Skeleton, with tissue: Tissue) {
    let segment = skeleton.segment
    let sacrum = skeleton.spine.knots[2].level
    fill(skeleton.spine, with: tissue) { _, z in
      let phase = z / segment
      return z > sacrum && abs(phase - phase.rounded()) < 0.13
    }
  }
}
