import MedicalImaging

extension ChestAnatomy {
  /// A coin, a central venous catheter or a pacemaker with its lead.
  func foreignObject(in frame: PatientFrame, using generator: inout SeededGenerator) -> [Float] {
    switch generator.index(below: 3) {
    case 0: coin(in: frame, using: &generator)
    case 1: catheter(in: frame, using: &generator)
    default: pacemaker(in: frame, using: &generator)
    }
  }

  /// A swallowed coin, flat on, in the oesophagus.
  private func coin(in frame: PatientFrame, using generator: inout SeededGenerator) -> [Float] {
    let level = generator.uniform(-12...3)
    let centre = SIMD2(midline(at: level) + generator.uniform(-0.6...0.6), level)
    let radius = generator.uniform(0.95...1.35)
    let attenuation = generator.uniform(1.6...2.6)
    let edge = 0.5 * frame.pixelPitch
    return frame.map { point in
      let offset = point - centre
      let distance = (offset * offset).sum().squareRoot()
      return attenuation * Profile.step(radius - distance, from: -edge, to: edge)
    }
  }

  /// A line from the neck or below a collar bone to the right atrium.
  private func catheter(in frame: PatientFrame, using generator: inout SeededGenerator) -> [Float] {
    let tip = SIMD2(-1.6, generator.uniform(-1.5...3))
    let vein = SIMD2(-2 + generator.uniform(-0.3...0.3), -6)
    let entry: [SIMD2<Float>]
    switch generator.index(below: 3) {
    case 0: entry = [SIMD2(-4.4, -20), SIMD2(-3.6, -15), SIMD2(-2.6, -10.5)]
    case 1: entry = [SIMD2(-11.5, -9), SIMD2(-8.5, -11), SIMD2(-5, -11.3), SIMD2(-2.9, -9.8)]
    default: entry = [SIMD2(11.5, -9), SIMD2(8.5, -11.2), SIMD2(4.5, -11.2), SIMD2(0.5, -9.2), SIMD2(-1.3, -8)]
    }
    let line = Tube(nodes: (entry + [vein, tip]).map { Tube.Node(position: $0, radius: 0.15) })
    return painted([line.smoothed()], attenuationPerCentimetre: generator.uniform(1.6...2.6), in: frame)
  }

  /// A generator can under a collar bone and a lead to the right ventricle.
  private func pacemaker(in frame: PatientFrame, using generator: inout SeededGenerator) -> [Float] {
    let side = generator.side()
    let centre = SIMD2(side.sign * generator.uniform(8...10), generator.uniform(-9.5 ... -7.5))
    let axes = SIMD2(generator.uniform(2...2.6), generator.uniform(1.7...2.2))
    let casing = generator.uniform(0.7...1.1)
    let edge = frame.pixelPitch / axes.x
    let can = frame.map { point in
      let offset = (point - centre) / axes
      let squared = offset * offset
      // A rounded square of the fourth power; the battery fills its lower half.
      let distance = (squared * squared).sum().squareRoot().squareRoot()
      let battery: Float = offset.y > 0.05 && distance < 0.85 ? 0.7 : 0
      return (casing + battery) * Profile.step(1 - distance, from: 0, to: edge)
    }
    let path = [
      centre + SIMD2(-side.sign * 1, -axes.y), SIMD2(side.sign * 6, -11.4), SIMD2(side.sign * 2.6, -10.6),
      SIMD2(-1.6, -7), SIMD2(-1.9, -2), SIMD2(-0.8, 2.6), SIMD2(2, leftDomeLevel - 1.2), SIMD2(4.6, leftDomeLevel - 1),
    ]
    let lead = Tube(nodes: path.map { Tube.Node(position: $0, radius: 0.12) })
    let wire = painted([lead.smoothed()], attenuationPerCentimetre: 2.6, in: frame)
    return zip(can, wire).map { $0 + $1 }
  }

  private func painted(_ tubes: [Tube], attenuationPerCentimetre: Float, in frame: PatientFrame) -> [Float] {
    var change = [Float](repeating: 0, count: frame.size * frame.size)
    Tube.add(tubes, to: &change, frame: frame, scale: attenuationPerCentimetre)
    return change
  }
}

extension Tube {
  /// The tube with its corners cut twice (Chaikin 1974), as a soft line lies.
  fileprivate func smoothed() -> Tube {
    var tube = self
    for _ in 0..<2 {
      guard let first = tube.nodes.first, let last = tube.nodes.last else { return tube }
      let cut = zip(tube.nodes, tube.nodes.dropFirst()).flatMap { start, end in
        [Float(0.25), 0.75].map { fraction in
          Node(position: start.position + fraction * (end.position - start.position), radius: start.radius)
        }
      }
      tube.nodes = [first] + cut + [last]
    }
    return tube
  }
}
