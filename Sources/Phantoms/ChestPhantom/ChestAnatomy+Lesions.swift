import Foundation
import MedicalImaging

extension ChestAnatomy {
  /// What a lesion adds to the line integral of attenuation behind each pixel (negative where it takes bone away).
  func attenuationChange(
    of lesion: ChestPhantom.Lesion, in frame: PatientFrame, using generator: inout SeededGenerator
  ) -> [Float] {
    switch lesion {
    case .consolidation: consolidation(in: frame, using: &generator)
    case .nodule: nodules(in: frame, using: &generator)
    case .effusion: effusion(in: frame, using: &generator)
    case .missingRib: missingRib(in: frame, using: &generator)
    case .foreignObject: foreignObject(in: frame, using: &generator)
    }
  }

  /// Fluid in part of a lobe: a blob with a ragged border, its air-filled bronchi left dark.
  private func consolidation(in frame: PatientFrame, using generator: inout SeededGenerator) -> [Float] {
    let side = generator.side()
    let centre = lungPoint(side, filling: 0.65, using: &generator)
    let axes = SIMD2(generator.uniform(2.6...4.6), generator.uniform(2.4...4.2))
    let share = generator.uniform(0.28...0.5)
    let lumps = BandLimitedNoise(cellSize: 2.2, using: &generator)
    let grain = BandLimitedNoise(cellSize: 0.7, using: &generator)
    var bronchi = [Float](repeating: 0, count: frame.size * frame.size)
    Tube.add(bronchogram(towards: centre, side: side, using: &generator), to: &bronchi, frame: frame, scale: 1)
    var pixel = 0
    return frame.map { point in
      defer { pixel += 1 }
      let offset = (point - centre) / axes
      let inside = 1 - (offset * offset).sum() + 0.55 * lumps.value(at: point)
      guard inside > 0, (point.x - midline(at: point.y)) * side.sign > 0 else { return 0 }
      let filled = Profile.step(inside, from: 0, to: 0.9) * (0.85 + 0.25 * grain.value(at: point))
      let fluid = share * filled * lungDepth(at: point) * (1 - 0.45 * min(bronchi[pixel] / 0.3, 1))
      return Material.fluidOverLung * fluid
    }
  }

  /// Bronchi that fan out through `centre` from the hilum's direction.
  private func bronchogram(
    towards centre: SIMD2<Float>, side: Side, using generator: inout SeededGenerator
  ) -> [Tube] {
    let toCentre = centre - hilum(side)
    let heading = atan2(toCentre.y, toCentre.x)
    return (0..<4).map { branch in
      let angle = heading + 0.35 * (Float(branch) - 1.5) + generator.uniform(-0.1...0.1)
      let direction = SIMD2(cos(angle), sin(angle))
      return Tube(nodes: [
        Tube.Node(position: centre - 2.5 * SIMD2(cos(heading), sin(heading)), radius: 0.24),
        Tube.Node(position: centre, radius: 0.2), Tube.Node(position: centre + 3 * direction, radius: 0.13),
      ])
    }
  }

  /// One to three solid, partly calcified balls in the lungs.
  private func nodules(in frame: PatientFrame, using generator: inout SeededGenerator) -> [Float] {
    let count = [1, 1, 1, 2, 3][generator.index(below: 5)]
    let calcification = generator.uniform(1.1...1.6)
    let lumps = BandLimitedNoise(cellSize: 0.8, using: &generator)
    var balls: [(centre: SIMD2<Float>, radius: Float)] = []
    for _ in 0..<count {
      let centre = lungPoint(generator.side(), filling: 0.6, using: &generator)
      balls.append((centre, generator.uniform(0.8...1.7)))
    }
    return frame.map { point in
      var path: Float = 0
      for ball in balls {
        let offset = (point - ball.centre) / (ball.radius * (1 + 0.12 * lumps.value(at: point)))
        path += 2 * ball.radius * Profile.ellipsoid(offset)
      }
      return calcification * Material.fluidOverLung * path
    }
  }

  /// Fluid at the bottom of the pleural space, creeping up the chest wall in a meniscus and hiding the costophrenic angle.
  private func effusion(in frame: PatientFrame, using generator: inout SeededGenerator) -> [Float] {
    let side = generator.side()
    let level = domeLevel(side) + generator.uniform(-3.2...0.8)
    let climb = generator.uniform(2.2...4.2)
    let breadth = generator.uniform(1.3...2.4)
    let share = generator.uniform(0.55...0.85)
    return frame.map { point in
      let lateral = (point.x - midline(at: point.y)) * side.sign
      guard lateral > 0, point.y > level - climb - 2 else { return 0 }
      let wall = max(lungHalfWidth(at: point.y, side: side) - lateral, 0)
      let surface = level - climb * exp(-wall / breadth)
      let fluid = share * lungDepth(at: point) * Profile.step(point.y - surface, from: -0.5, to: 1.6)
      return Material.fluidOverLung * fluid
    }
  }

  /// One rib of the middle of the chest, taken away.
  private func missingRib(in frame: PatientFrame, using generator: inout SeededGenerator) -> [Float] {
    var change = [Float](repeating: 0, count: frame.size * frame.size)
    let missing = rib(2 + generator.index(below: 5), generator.side())
    Tube.add([missing], to: &change, frame: frame, scale: -Material.boneOverSoftTissue)
    return change
  }

  /// A point where the lung of `side` has at least `filling` of its largest depth.
  private func lungPoint(_ side: Side, filling: Float, using generator: inout SeededGenerator) -> SIMD2<Float> {
    for _ in 0..<200 {
      let lateral = generator.uniform(3...chestHalfWidth)
      let level = generator.uniform(apexLevel...domeLevel(side))
      let point = SIMD2(side.sign * lateral, level)
      if lungDepth(at: point) > filling * largestLungDepth { return point }
    }
    return SIMD2(side.sign * 0.65 * chestHalfWidth, -3)
  }
}

extension SeededGenerator {
  /// One of the two sides of the chest.
  mutating func side() -> ChestAnatomy.Side {
    happens(0.5) ? .right : .left
  }
}
