import MedicalImaging

/// One patient's measures, in centimetres of `PatientFrame`, drawn at random within the ranges of adults.
struct ChestAnatomy: Sendable {
  /// One half of the chest; `sign` is its direction in the image of a frontal radiograph.
  enum Side: Float, CaseIterable, Sendable {
    case right = -1
    case left = 1
    var sign: Float { rawValue }
  }

  /// From the midline to the inner face of the ribs at the chest's widest.
  let chestHalfWidth: Float
  /// Soft tissue between the ribs and the skin at the side.
  let chestWall: Float
  /// Front to back through the middle of the body.
  let bodyDepth: Float
  /// Front to back through the deepest part of a lung.
  let largestLungDepth: Float
  /// Top of the lungs.
  let apexLevel: Float
  /// Tops of the diaphragm's domes.
  let rightDomeLevel: Float
  let leftDomeLevel: Float
  /// How far the diaphragm falls from the dome to the costophrenic angle, and to the midline.
  let lateralFall: Float
  let medialFall: Float
  /// Bend of the spine and of what hangs on it.
  let scoliosis: Float

  /// Width of the heart over the inner width of the chest.
  let cardiothoracicRatio: Float
  /// Angle by which the heart's long axis points down, in radians.
  let heartTilt: Float
  /// Front to back through the heart.
  let heartDepth: Float
  let mediastinumHalfWidth: Float
  let aorticKnobRadius: Float

  let ribSpacing: Float
  let ribFall: Float
  let ribRadius: Float
  /// Mineral content relative to the average adult.
  let boneDensity: Float
  let vertebraHeight: Float
  let clavicleRise: Float
  /// Soft-tissue depth of a breast; 0 for none visible.
  let breastDepth: Float
  /// The stomach's air: centre and horizontal semi-axis; nil where none is seen.
  let gastricBubble: (centre: SIMD2<Float>, radius: Float)?

  /// Draws a patient.
  init(using generator: inout SeededGenerator) {
    chestHalfWidth = generator.uniform(11.6...13.9)
    chestWall = generator.uniform(1.6...3.4)
    bodyDepth = generator.uniform(17.5...23)
    largestLungDepth = bodyDepth * generator.uniform(0.66...0.76)
    apexLevel = generator.uniform(-14.8 ... -13.2)
    rightDomeLevel = generator.uniform(4.6...7.6)
    leftDomeLevel = rightDomeLevel + generator.uniform(0.4...1.9)
    lateralFall = generator.uniform(3.4...5)
    medialFall = generator.uniform(1...2.4)
    scoliosis = generator.uniform(-0.4...0.4)
    cardiothoracicRatio = generator.uniform(0.40...0.52)
    heartTilt = generator.uniform(0.45...0.85)
    heartDepth = generator.uniform(8.5...11)
    mediastinumHalfWidth = generator.uniform(2.3...3.3)
    aorticKnobRadius = generator.uniform(1.4...2.1)
    ribSpacing = generator.uniform(2.05...2.4)
    ribFall = generator.uniform(6.5...10)
    ribRadius = generator.uniform(0.55...0.75)
    boneDensity = generator.uniform(0.75...1.2)
    vertebraHeight = generator.uniform(2.1...2.5)
    clavicleRise = generator.uniform(0.4...2.4)
    breastDepth = generator.happens(0.45) ? generator.uniform(1.5...4) : 0
    let bubble = (
      centre: SIMD2(generator.uniform(4.5...7.5), leftDomeLevel + generator.uniform(2.2...3)),
      radius: generator.uniform(1.4...2.8)
    )
    gastricBubble = generator.happens(0.6) ? bubble : nil
  }

  /// Top of the diaphragm's dome.
  func domeLevel(_ side: Side) -> Float {
    side == .right ? rightDomeLevel : leftDomeLevel
  }

  /// Where the middle of the spine lies at a level.
  @inline(__always)
  func midline(at level: Float) -> Float {
    scoliosis * (1 - level * level / 150)
  }
}
