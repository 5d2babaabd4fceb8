import MedicalImaging
import Testing

@testable import Phantoms

@Suite("PET phantom")
struct PETPhantomTests {
  /// A source of small volumes, changed by `adjust`.
  private func phantom(_ adjust: (inout PETPhantom.Configuration) -> Void = { _ in }) throws -> PETPhantom {
    var configuration = PETPhantom.Configuration()
    adjust(&configuration)
    return try PETPhantom(configuration: configuration)
  }

  private func noiseless(_ configuration: inout PETPhantom.Configuration) {
    configuration.uptakeNoise = 0
    configuration.densityNoise = 0
  }

  @Test("The same seed gives the same bits, another seed another patient")
  func seeded() throws {
    let phantom = try phantom()
    #expect(phantom.makeCase(seed: 3) == phantom.makeCase(seed: 3))
    #expect(phantom.makeCase(seed: 3).uptake != phantom.makeCase(seed: 4).uptake)
    #expect(phantom.makeCase(seed: 3, hasLesions: true) == phantom.makeCase(seed: 3, hasLesions: true))
  }

  @Test("Volumes have the grid's size and spacing, uptake from 0, densities from -1024, all finite", arguments: 0..<4)
  func format(_ seed: Int) throws {
    let made = try phantom().makeCase(seed: UInt64(seed), hasLesions: seed % 2 == 1)
    #expect([made.depth, made.height, made.width] == [48, 32, 32])
    #expect(made.spacing == PETPhantomCase.Axes(depth: 18, height: 12, width: 14))
    #expect(made.uptake.count == 48 * 32 * 32)
    #expect(made.density.count == made.uptake.count)
    #expect(made.lesions.count == made.uptake.count)
    #expect(made.uptake.allSatisfy { $0 >= 0 && $0 < 40 })
    #expect(made.density.allSatisfy { (-1024...1300).contains($0) })
    #expect(made.seed == UInt64(seed))
    #expect(made.findings.isEmpty == (seed % 2 == 0))
    #expect(made.lesions.contains(true) == (seed % 2 == 1))
  }

  @Test("Only head, arms and thighs may touch the grid's ends; nothing touches its sides")
  func inside() throws {
    for seed in UInt64(0)..<6 {
      let made = try phantom {
        noiseless(&$0)
        $0.fieldDepth = 860
        $0.fieldHeight = 340
        $0.fieldWidth = 440
      }.makeCase(seed: seed)
      for index in made.uptake.indices {
        let (row, x) = index.quotientAndRemainder(dividingBy: 32)
        let y = row % 32
        guard x == 0 || x == 31 || y == 0 || y == 31 else { continue }
        #expect(made.uptake[index] == 0 && made.density[index] == -1000, "seed \(seed), sample \(index)")
      }
    }
  }

  @Test("Every patient's outline fits the smallest field and holds the organs")
  func outline() throws {
    let phantom = try phantom()
    for seed in UInt64(0)..<200 {
      let anatomy = phantom.anatomy(seed: seed)
      // Half the smallest field less the largest shift and one voxel of the default grid.
      let limit = SIMD2<Float>(220 - 5 - 14, 170 - 5 - 12)
      for outline in anatomy.outlines {
        for (centre, radii) in Self.sections(of: outline.solid) {
          #expect(abs(centre.x) + radii.x < limit.x, "seed \(seed)")
          #expect(abs(centre.y) + radii.y < limit.y, "seed \(seed)")
        }
      }
      #expect(anatomy.crown < 860 - 22)
      for organ in anatomy.hotOrgans + anatomy.organs.liver + anatomy.organs.lungs + [anatomy.organs.spleen] {
        for axis in 0..<3 {
          for sign: Float in [-1, 1] {
            var point = organ.centre
            point[axis] += sign * organ.radii[axis]
            #expect(anatomy.skinDepth(at: point) > 0, "seed \(seed), point \(point), organ \(organ.centre)")
          }
        }
      }
    }
  }

  /// Middle and reach of the cross-sections that bound a solid.
  private static func sections(of solid: any Solid) -> [(SIMD2<Float>, SIMD2<Float>)] {
    if let column = solid as? Column { return column.knots.map { ($0.centre, $0.radii) } }
    guard let ball = solid as? Ellipsoid else { return [] }
    return [(SIMD2(ball.centre.x, ball.centre.y), SIMD2(ball.radii.x, ball.radii.y))]
  }

  @Test("The mean uptake of each organ lies in its documented range, its density is its tissue's", arguments: 0..<4)
  func organs(_ seed: Int) throws {
    let phantom = try phantom {
      noiseless(&$0)
      ($0.depth, $0.height, $0.width) = (96, 64, 64)
    }
    let anatomy = phantom.anatomy(seed: UInt64(seed))
    let grid = phantom.acquisition(seed: UInt64(seed), anatomy: anatomy).grid
    let made = phantom.makeCase(seed: UInt64(seed))
    func means(_ organ: Ellipsoid) -> (uptake: Float, density: Float) {
      // A core that neither voxel nor blur mixes with the neighbours.
      let core = Ellipsoid(centre: organ.centre, radii: 0.4 * organ.radii)
      var sums = SIMD3<Float>.zero
      grid.forEachVoxel(of: core) { sums += $1 * SIMD3(made.uptake[$0], made.density[$0], 1) }
      return (sums.x / sums.z, sums.y / sums.z)
    }
    func expect(_ organ: Ellipsoid, _ uptake: ClosedRange<Float>, _ density: Float, tolerance: Float = 0.06) {
      let found = means(organ)
      let slack = tolerance * uptake.upperBound
      #expect((uptake.lowerBound - slack...uptake.upperBound + slack).contains(found.uptake))
      #expect(abs(found.density - density) < 60)
    }
    typealias Range = FDGUptake.Range
    expect(anatomy.organs.brain, Range.brain, 35)
    for kidney in anatomy.organs.kidneys { expect(kidney, Range.kidneys, 40) }
    expect(anatomy.organs.spleen, Range.spleen, 50)
    expect(anatomy.organs.liver[0], Range.liver, 60)
    let right = anatomy.organs.lungs[0]
    expect(
      Ellipsoid(centre: right.centre + SIMD3(-12, 0, 25), radii: 0.6 * right.radii), Range.lung, -800)
    let bladder = anatomy.hasFullBladder ? Range.fullBladder : Range.emptyBladder
    expect(anatomy.organs.bladder, bladder, 10, tolerance: 0.12)
    #expect(made.hasFullBladder == anatomy.hasFullBladder)
  }

  @Test("Liver right, spleen left, brain on top, sternum in front")
  func directions() throws {
    let anatomy = try phantom().anatomy(seed: 1)
    #expect(anatomy.organs.liver[0].centre.x < -40)
    #expect(anatomy.organs.spleen.centre.x > 40)
    #expect(anatomy.organs.brain.centre.z > 600)
    #expect(anatomy.skeleton.sternum.centre.y < anatomy.organs.heart.centre.y)
    let grid = try phantom().acquisition(seed: 1, anatomy: anatomy).grid
    #expect(grid.voxelPosition(of: anatomy.organs.brain.centre).z > 38)
    #expect(grid.voxelPosition(of: anatomy.organs.liver[0].centre).x < 14)
  }

  @Test("Bladders are full or empty and hearts active or not, with nothing between and in the configured shares")
  func bimodality() throws {
    let phantom = try phantom()
    let patients = (0..<400).map { phantom.anatomy(seed: $0) }
    let bladders = patients.map(\.uptake.bladder)
    let hearts = patients.map(\.uptake.heartMuscle)
    #expect(bladders.allSatisfy { (1...3).contains($0) || (10...25).contains($0) })
    #expect(hearts.allSatisfy { (1.2...2).contains($0) || (5...8).contains($0) })
    // Three standard deviations of a share of 400 are 0.075.
    #expect(abs(Double(bladders.count { $0 >= 10 }) / 400 - 0.5) < 0.075)
    #expect(abs(Double(hearts.count { $0 >= 5 }) / 400 - 0.4) < 0.075)
    let both = patients.count { $0.hasFullBladder && $0.hasActiveHeart }
    #expect(abs(Double(both) / 400 - 0.2) < 0.06)
    let volumes = patients.map { $0.organs.bladder.radii }.map { $0.x * $0.y * $0.z }
    #expect(try #require(volumes.max()) > 6 * #require(volumes.min()))
  }

  @Test("The images show both modes: bright and faint bladders and hearts", arguments: 0..<10)
  func visibleModes(_ seed: Int) throws {
    let phantom = try phantom()
    let made = phantom.makeCase(seed: UInt64(seed))
    let anatomy = phantom.anatomy(seed: UInt64(seed))
    let grid = phantom.acquisition(seed: UInt64(seed), anatomy: anatomy).grid
    func peak(_ organ: Ellipsoid) -> Float {
      var peak: Float = 0
      grid.forEachVoxel(of: organ, inset: 6) { index, _ in peak = max(peak, made.uptake[index]) }
      return peak
    }
    #expect(made.hasFullBladder ? peak(anatomy.organs.bladder) > 8.5 : peak(anatomy.organs.bladder) < 4.5)
    #expect(made.hasActiveHeart ? peak(anatomy.organs.ventricle) > 3 : peak(anatomy.organs.ventricle) < 2.8)
  }

  @Test("A share of 0 or 1 leaves one mode")
  func oneMode() throws {
    let never = try phantom {
      $0.fullBladderShare = 0
      $0.activeHeartShare = 0
    }
    let always = try phantom {
      $0.fullBladderShare = 1
      $0.activeHeartShare = 1
    }
    for seed in UInt64(0)..<50 {
      #expect(!never.anatomy(seed: seed).hasFullBladder && !never.anatomy(seed: seed).hasActiveHeart)
      #expect(always.anatomy(seed: seed).hasFullBladder && always.anatomy(seed: seed).hasActiveHeart)
    }
  }

  @Test("The grid does not change the patient")
  func gridIndependence() throws {
    for seed in UInt64(0)..<2 {
      let coarse = try phantom(noiseless).makeCase(seed: seed)
      let fine = try phantom {
        noiseless(&$0)
        ($0.depth, $0.height, $0.width) = (72, 48, 56)
      }.makeCase(seed: seed)
      func mean(_ values: [Float]) -> Float { values.reduce(0, +) / Float(values.count) }
      #expect(abs(mean(coarse.uptake) / mean(fine.uptake) - 1) < 0.02)
      #expect(abs(mean(coarse.density) - mean(fine.density)) < 5)
    }
  }

  @Test("Noise grows with the uptake: its variance over the uptake is the same in brain and trunk")
  func noise() throws {
    let clean = try phantom(noiseless).makeCase(seed: 2).uptake
    let noisy = try phantom().makeCase(seed: 2).uptake
    func ratio(_ range: ClosedRange<Float>) -> Float {
      let voxels = clean.indices.filter { range.contains(clean[$0]) }
      return voxels.reduce(0) { $0 + (noisy[$1] - clean[$1]) * (noisy[$1] - clean[$1]) / clean[$1] }
        / Float(voxels.count)
    }
    let low = ratio(0.4...1)
    #expect((0.06 * 0.06..<0.1 * 0.1).contains(low))
    #expect(abs(ratio(4...12) / low - 1) < 0.25)
    #expect(clean.indices.allSatisfy { clean[$0] > 0 || noisy[$0] == 0 })
  }

  @Test("A coarser resolution blurs the PET and leaves its sum and the CT as they were")
  func resolution() throws {
    func made(_ resolution: Double) throws -> PETPhantomCase {
      try phantom {
        noiseless(&$0)
        $0.resolution = resolution
      }.makeCase(seed: 5)
    }
    let (sharp, blurred) = (try made(0), try made(20))
    func square(_ values: [Float]) -> Float { values.reduce(0) { $0 + $1 * $1 } }
    func sum(_ values: [Float]) -> Float { values.reduce(0, +) }
    #expect(square(blurred.uptake) < 0.95 * square(sharp.uptake))
    #expect(abs(sum(blurred.uptake) / sum(sharp.uptake) - 1) < 0.01)
    #expect(blurred.density == sharp.density)
  }

  @Test("Every wrong value is refused with its key and range")
  func wrongConfiguration() {
    let cases: [(WritableKeyPath<PETPhantom.Configuration, Double>, Double, String)] = [
      (\.fieldDepth, 800, "fieldDepth is 800, but must be from 860 to 2000."),
      (\.fieldHeight, 10, "fieldHeight is 10, but must be from 340 to 1000."),
      (\.fieldWidth, .nan, "fieldWidth is nan, but must be from 440 to 1000."),
      (\.resolution, -1, "resolution is -1, but must be from 0 to 20."),
      (\.uptakeNoise, 1.5, "uptakeNoise is 1.5, but must be from 0 to 1."),
      (\.densityNoise, .infinity, "densityNoise is inf, but must be from 0 to 200."),
      (\.variation, 2, "variation is 2, but must be from 0 to 1."),
      (\.fullBladderShare, -0.5, "fullBladderShare is -0.5, but must be from 0 to 1."),
      (\.activeHeartShare, 1.1, "activeHeartShare is 1.1, but must be from 0 to 1."),
      (\.lesionSize, 0, "lesionSize is 0, but must be from 0.2 to 2."),
      (\.lesionContrast, 0, "lesionContrast is 0, but must be from 0.01 to 10."),
    ]
    for (key, value, message) in cases {
      let error = #expect(throws: PhantomError.self) { try phantom { $0[keyPath: key] = value } }
      #expect(error?.description == message)
    }
    for (key, name) in [(\PETPhantom.Configuration.depth, "depth"), (\.height, "height"), (\.width, "width")] {
      let error = #expect(throws: PhantomError.self) { try phantom { $0[keyPath: key] = 8 } }
      #expect(error?.description == "\(name) is 8, but must be from 16 to 320.")
    }
    let error = #expect(throws: PhantomError.self) { try phantom { $0.lesions = [] } }
    #expect(error?.description == "lesions is empty, but must be at least one of lymphNode, liver, bone, lung.")
  }
}
