import Foundation
import MedicalImaging

/// How one image is taken: beam, detector, film curve and what lies on the detector.
struct RadiographicAcquisition: Sendable {
  /// Scattered over primary radiation.
  let scatter: Float
  /// Quanta per pixel through air; 0 for no noise.
  let photons: Float
  /// Standard deviation of the screen's blur, in centimetres.
  let blur: Float
  /// Where the film curve's middle lies above the patient's mean line integral.
  let exposure: Float
  /// The film curve's slope.
  let contrast: Float
  /// Exponent of the grey values between 0 and 1.
  let gamma: Float
  /// The beam's loss in the corners.
  let vignetting: Float
  /// Black margins left, right, above and below, in centimetres.
  let shutters: SIMD4<Float>
  let marker: LeadMarker?

  /// Draws an acquisition. All numbers are drawn whatever the configuration, so that switching one effect off leaves the
  /// others as they were.
  init(configuration: ChestPhantom.Configuration, using generator: inout SeededGenerator) {
    let variation = Float(configuration.exposureVariation)
    let accessories: Float = configuration.showsAccessories ? 1 : 0
    scatter = Float(configuration.scatter) * (1 + variation * generator.uniform(-0.3...0.3))
    photons = Float(configuration.photonsPerPixel) * exp(variation * generator.uniform(-0.6...0.6))
    blur = generator.uniform(0.05...0.13)
    exposure = variation * generator.uniform(-0.28...0.28)
    contrast = 1.45 * exp(variation * generator.uniform(-0.25...0.25))
    gamma = exp(variation * generator.uniform(-0.22...0.22))
    vignetting = accessories * generator.uniform(0...0.35)
    let margins = SIMD4(
      generator.uniform(0.2...1.3), generator.uniform(0.2...1.3), generator.uniform(0.2...1.2),
      generator.uniform(0.2...1.8))
    shutters = generator.happens(0.35 * accessories) ? margins : SIMD4(repeating: 0)
    let drawn = LeadMarker(halfField: Float(configuration.fieldOfView) / 2, using: &generator)
    marker = generator.happens(0.5 * accessories) ? drawn : nil
  }

  /// Turns line integrals into grey values in `0 ... 255`.
  ///
  /// `I = exp(-A)` plus scatter, blurred, with Poisson-like noise of variance `I / photons`; then the film curve
  /// `1 / (1 + exp(-contrast (-ln I - middle)))` (Hurter and Driffield's S shape). The exposure control sets the middle from
  /// `reference`, the healthy patient, so that a lesion cannot move it.
  func expose(_ attenuation: [Float], reference: [Float], frame: PatientFrame, seed: UInt64) -> [Float] {
    let size = frame.size
    let detector = PatientFrame(
      size: size, fieldOfView: frame.pixelPitch * Float(size), scale: 1, rotation: 0, shift: .zero)
    var beam = attenuation
    marker?.add(to: &beam, frame: detector)
    for index in beam.indices { beam[index] = exp(-beam[index]) }
    addScatter(to: &beam, size: size, radius: max(Int(2.5 / frame.pixelPitch), 1))
    Blur.gaussian(&beam, size: size, sigma: blur / frame.pixelPitch)
    addNoise(to: &beam, seed: seed)
    let middle = Self.middle(of: reference) + exposure
    for index in beam.indices {
      beam[index] = grey(-log(beam[index]), middle: middle)
    }
    darken(&beam, frame: detector)
    return beam
  }

  /// The mean line integral behind the body.
  private static func middle(of attenuation: [Float]) -> Float {
    var sum: Float = 0
    var count: Float = 1
    for value in attenuation where value > 0.4 {
      sum += value
      count += 1
    }
    return sum / count
  }

  private func grey(_ density: Float, middle: Float) -> Float {
    255 * pow(1 / (1 + exp(-contrast * (density - middle))), gamma)
  }

  /// Adds the broadly spread part of the beam; air scatters nothing, so only what the body lets through counts.
  private func addScatter(to beam: inout [Float], size: Int, radius: Int) {
    guard scatter > 0 else { return }
    var spread = beam.map { min($0, 0.12) }
    Blur.broad(&spread, size: size, radius: radius)
    for index in beam.indices { beam[index] += scatter * spread[index] }
  }

  private func addNoise(to beam: inout [Float], seed: UInt64) {
    guard photons > 0 else { return }
    var generator = RandomStream.noise.generator(seed: seed)
    for index in beam.indices {
      let spread = (beam[index] / photons).squareRoot()
      beam[index] = max(beam[index] + spread * Float(generator.normal()), 1e-5)
    }
  }

  /// Darkens corners and shutters.
  private func darken(_ grey: inout [Float], frame: PatientFrame) {
    let half = frame.pixelPitch * Float(frame.size) / 2
    let low = SIMD2(-half + shutters.x, -half + shutters.z)
    let high = SIMD2(half - shutters.y, half - shutters.w)
    for row in 0..<frame.size {
      for column in 0..<frame.size {
        let point = frame.patientPoint(column: column, row: row)
        let index = row * frame.size + column
        let squaredDistance = (point * point).sum() / (2 * half * half)
        grey[index] *= 1 - vignetting * squaredDistance * squaredDistance
        if point.x < low.x || point.y < low.y || point.x > high.x || point.y > high.y { grey[index] = 0 }
      }
    }
  }
}
