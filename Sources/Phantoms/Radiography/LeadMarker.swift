import MedicalImaging

/// The lead letter beside a shoulder that tells the patient's left from right.
struct LeadMarker: Sendable {
  /// True for L on the image's right, false for R on its left.
  let marksLeft: Bool
  /// Height of the letter in centimetres.
  let height: Float
  /// Centre from the detector's middle, in centimetres.
  let centre: SIMD2<Float>

  /// Draws a marker for a detector whose middle lies `halfField` centimetres from its edges.
  init(halfField: Float, using generator: inout SeededGenerator) {
    marksLeft = generator.happens(0.5)
    height = generator.uniform(1.3...2)
    centre = halfField * SIMD2((marksLeft ? 1 : -1) * generator.uniform(0.8...0.85), generator.uniform(-0.85 ... -0.75))
  }

  /// Adds the letter's attenuation. `frame` is the detector's.
  func add(to attenuation: inout [Float], frame: PatientFrame) {
    let left: [[SIMD2<Float>]] = [[[-0.3, -0.5], [-0.3, 0.5], [0.3, 0.5]]]
    let right: [[SIMD2<Float>]] = [
      [[-0.3, 0.5], [-0.3, -0.5], [0.1, -0.5], [0.3, -0.38], [0.3, -0.12], [0.1, 0], [-0.3, 0]],
      [[0, 0], [0.32, 0.5]],
    ]
    let strokes = (marksLeft ? left : right).map { points in
      Tube(nodes: points.map { Tube.Node(position: centre + height * $0, radius: 0.18) })
    }
    Tube.add(strokes, to: &attenuation, frame: frame, scale: 9)
  }
}
