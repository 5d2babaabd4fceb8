import MedicalImaging
import Testing

@testable import Phantoms

@Suite("Radiography")
struct RadiographyTests {
  private let frame = PatientFrame(size: 64, fieldOfView: 32, scale: 1, rotation: 0, shift: .zero)

  @Test("A frame's two directions undo each other")
  func frameRoundTrip() {
    let frame = PatientFrame(size: 50, fieldOfView: 35, scale: 1.1, rotation: 0.3, shift: SIMD2(1.5, -2))
    let position = frame.pixelPosition(of: frame.patientPoint(column: 7, row: 31))
    #expect(abs(position.x - 7) < 1e-4)
    #expect(abs(position.y - 31) < 1e-4)
    #expect(abs(frame.pixelPitch - 35 / 50 / 1.1) < 1e-6)
  }

  @Test("A solid tube's path is the chord of its circle")
  func tubeChord() {
    let tube = Tube(nodes: [.init(position: SIMD2(-30, 0.1), radius: 3), .init(position: SIMD2(30, 0.1), radius: 3)])
    var map = [Float](repeating: 0, count: 64 * 64)
    Tube.add([tube], to: &map, frame: frame, scale: 2)
    for row in 0..<64 {
      let distance = frame.patientPoint(column: 20, row: row).y - 0.1
      let chord = 2 * max(9 - distance * distance, 0).squareRoot()
      #expect(abs(map[row * 64 + 20] - 2 * chord) < 1e-3)
    }
  }

  @Test("A hollow tube's wall is thinnest in front of its core")
  func hollowTube() {
    let tube = Tube(
      nodes: [.init(position: SIMD2(-30, 0), radius: 3), .init(position: SIMD2(30, 0), radius: 3)], hollowness: 1,
      coreRadius: 0.5)
    var map = [Float](repeating: 0, count: 64 * 64)
    Tube.add([tube], to: &map, frame: frame, scale: 1)
    let distance = frame.patientPoint(column: 32, row: 32).y
    let expected = 2 * ((9 - distance * distance).squareRoot() - (2.25 - distance * distance).squareRoot())
    #expect(abs(map[32 * 64 + 32] - expected) < 1e-3)
  }

  @Test("A tube thinner than a pixel keeps its area wherever it lies", arguments: [Float(0), 0.1, 0.25, 0.4])
  func thinTube(_ y: Float) {
    let tube = Tube(nodes: [.init(position: SIMD2(-30, y), radius: 0.1), .init(position: SIMD2(30, y), radius: 0.1)])
    var map = [Float](repeating: 0, count: 64 * 64)
    Tube.add([tube], to: &map, frame: frame, scale: 1)
    let area = (0..<64).reduce(Float(0)) { $0 + map[$1 * 64 + 20] } * frame.pixelPitch
    #expect(abs(area - .pi * 0.01) < 1e-4)
  }

  @Test("Crossing tubes of one body count once, tubes outside the image not at all")
  func crossingTubes() {
    let tube = Tube(nodes: [.init(position: SIMD2(-5, 0), radius: 2), .init(position: SIMD2(5, 0), radius: 2)])
    var once = [Float](repeating: 0, count: 64 * 64)
    var twice = once
    Tube.add([tube], to: &once, frame: frame, scale: 1)
    Tube.add([tube, tube], to: &twice, frame: frame, scale: 1)
    #expect(once == twice)
    let away = Tube(nodes: [.init(position: SIMD2(100, 100), radius: 2), .init(position: SIMD2(110, 100), radius: 2)])
    Tube.add([away], to: &twice, frame: frame, scale: 1)
    #expect(once == twice)
  }

  /// Sum and vertical variance, in squared pixels, of an image 41 pixels wide.
  private func moments(_ image: [Float]) -> (sum: Float, variance: Float) {
    var sum: Float = 0
    var variance: Float = 0
    for row in 0..<41 {
      for column in 0..<41 {
        sum += image[row * 41 + column]
        variance += image[row * 41 + column] * Float((row - 20) * (row - 20))
      }
    }
    return (sum, variance / sum)
  }

  private var impulse: [Float] {
    var image = [Float](repeating: 0, count: 41 * 41)
    image[20 * 41 + 20] = 1
    return image
  }

  @Test("The Gaussian blur has its variance and keeps the sum", arguments: [Float(0.3), 0.7, 1.5])
  func gaussianBlur(_ sigma: Float) {
    var image = impulse
    Blur.gaussian(&image, size: 41, sigma: sigma)
    #expect(abs(moments(image).sum - 1) < 1e-4)
    #expect(abs(moments(image).variance - sigma * sigma) < 1e-3)
  }

  @Test("Three running means have three times the variance of one")
  func broadBlur() {
    var image = impulse
    Blur.broad(&image, size: 41, radius: 3)
    #expect(abs(moments(image).sum - 1) < 1e-4)
    #expect(abs(moments(image).variance - 3 * (49 - 1) / 12) < 1e-2)
  }

  @Test("Noise texture stays in -1 ... 1, follows its seed and is smooth")
  func bandLimitedNoise() {
    var generator = SeededGenerator(seed: 1)
    var same = SeededGenerator(seed: 1)
    let noise = BandLimitedNoise(cellSize: 2, using: &generator)
    let again = BandLimitedNoise(cellSize: 2, using: &same)
    for step in -300..<300 {
      let point = SIMD2(Float(step) * 0.1, Float(step) * -0.07)
      let value = noise.value(at: point)
      #expect((-1...1).contains(value))
      #expect(value == again.value(at: point))
      #expect(abs(value - noise.value(at: point + SIMD2(0.01, 0))) < 0.02)
    }
  }

  @Test("The streams of one seed differ, and so do a stream's variants")
  func randomStreams() {
    var texture = RandomStream.texture.generator(seed: 1)
    var noise = RandomStream.noise.generator(seed: 1)
    var other = RandomStream.noise.generator(seed: 1, variant: 1)
    var next = RandomStream.noise.generator(seed: 2)
    #expect(Set([texture.next(), noise.next(), other.next(), next.next()]).count == 4)
  }
}
