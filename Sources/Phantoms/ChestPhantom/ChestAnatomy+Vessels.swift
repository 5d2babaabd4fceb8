import Foundation
import MedicalImaging

extension ChestAnatomy {
  /// The hilum of a lung: where its vessels enter.
  func hilum(_ side: Side) -> SIMD2<Float> {
    side == .right ? SIMD2(-3.9, -1.6) : SIMD2(4, -2.6)
  }

  /// The vessels of both lungs, branching and tapering from the hila.
  func vessels(using generator: inout SeededGenerator) -> [Tube] {
    var tubes: [Tube] = []
    for side in Side.allCases {
      tubes.append(
        Tube(nodes: [
          Tube.Node(position: hilum(side) - SIMD2(0, 1.4), radius: 0.8),
          Tube.Node(position: hilum(side) + SIMD2(side.sign * 0.3, 0.4), radius: generator.uniform(1...1.4)),
          Tube.Node(position: hilum(side) + SIMD2(side.sign * 0.5, 2.4), radius: 0.7),
        ]))
      let trunks = 7
      for trunk in 0..<trunks {
        // From steeply up through sideways to steeply down.
        let direction = -1.35 + 2.6 * Float(trunk) / Float(trunks - 1) + generator.uniform(-0.15...0.15)
        let start = hilum(side) + SIMD2(0, 1.6 * direction / 1.3)
        let radius = generator.uniform(0.4...0.6) * (direction > 0.6 ? 1.35 : 1)
        grow(
          from: start, direction: direction, length: generator.uniform(2.4...3.4), radius: radius, generation: 0,
          side: side, into: &tubes, using: &generator)
      }
    }
    return tubes
  }

  private func grow(
    from start: SIMD2<Float>, direction: Float, length: Float, radius: Float, generation: Int, side: Side,
    into tubes: inout [Tube], using generator: inout SeededGenerator
  ) {
    let bend = direction + generator.uniform(-0.25...0.25)
    let middle = start + length / 2 * SIMD2(side.sign * cos(direction), sin(direction))
    let end = middle + length / 2 * SIMD2(side.sign * cos(bend), sin(bend))
    tubes.append(
      Tube(nodes: [
        Tube.Node(position: start, radius: radius), Tube.Node(position: middle, radius: 0.9 * radius),
        Tube.Node(position: end, radius: 0.78 * radius),
      ]))
    guard generation < 4 else { return }
    let spread = generator.uniform(0.3...0.55)
    for turn in [-spread, spread] {
      grow(
        from: end, direction: bend + turn + generator.uniform(-0.15...0.15),
        length: length * generator.uniform(0.7...0.9), radius: radius * 0.73, generation: generation + 1, side: side,
        into: &tubes, using: &generator)
    }
  }
}
