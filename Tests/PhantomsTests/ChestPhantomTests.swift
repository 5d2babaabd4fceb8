import MedicalImaging
import Testing

@testable import Phantoms

@Suite("Chest phantom")
struct ChestPhantomTests {
  typealias Lesion = ChestPhantom.Lesion

  /// A small source of images, changed by `adjust`.
  private func phantom(
    size: Int = 64, _ adjust: (inout ChestPhantom.Configuration) -> Void = { _ in }
  ) throws -> ChestPhantom {
    var configuration = ChestPhantom.Configuration()
    configuration.size = size
    adjust(&configuration)
    return try ChestPhantom(configuration: configuration)
  }

  @Test("The same seed gives the same image, another seed another one")
  func seeded() throws {
    let phantom = try phantom()
    #expect(phantom.image(seed: 3) == phantom.image(seed: 3))
    #expect(phantom.image(seed: 3).image.samples != phantom.image(seed: 4).image.samples)
    #expect(phantom.image(seed: 3, lesion: .nodule) == phantom.image(seed: 3, lesion: .nodule))
  }

  @Test("An image is grey, in 0 ... 255, with the detector's spacing", arguments: [nil] + Lesion.allCases)
  func format(_ lesion: Lesion?) throws {
    let made = try phantom().image(seed: 11, lesion: lesion)
    #expect(made.image.width == 64)
    #expect(made.image.height == 64)
    #expect(made.image.channels == 1)
    #expect(made.image.range == 0...255)
    #expect(made.image.spacing == PixelSpacing(row: 350.0 / 64, column: 350.0 / 64))
    #expect(made.image.samples.allSatisfy { (0...255).contains($0) })
    #expect(made.seed == 11)
    #expect(made.lesion == lesion)
    #expect(made.maskImage.samples == made.mask.map { $0 ? 255 : 0 })
  }

  @Test("The image's size does not change the patient")
  func sizeIndependence() throws {
    for seed in UInt64(0)..<4 {
      let coarse = try phantom(size: 32).attenuation(seed: seed)
      let fine = try phantom(size: 96).attenuation(seed: seed)
      let coarseMean = coarse.reduce(0, +) / Float(coarse.count)
      let fineMean = fine.reduce(0, +) / Float(fine.count)
      #expect(abs(coarseMean - fineMean) < 0.02 * fineMean)
    }
  }

  @Test("Lungs are darker than heart, spine and abdomen; the air around the body is darkest", arguments: 0..<6)
  func anatomy(_ seed: Int) throws {
    let phantom = try phantom {
      $0.photonsPerPixel = 0
      $0.showsAccessories = false
    }
    let seed = UInt64(seed)
    let image = phantom.image(seed: seed).image.samples
    let anatomy = phantom.anatomy(seed: seed)
    let frame = phantom.acquisition(seed: seed).frame
    func meanGrey(_ belongs: (SIMD2<Float>) -> Bool) -> Float {
      let inside = zip(frame.map { belongs($0) ? 1 : 0 }, image).filter { $0.0 == 1 }.map(\.1)
      return inside.reduce(0, +) / Float(max(inside.count, 1))
    }
    let lungs = meanGrey { anatomy.lungDepth(at: $0) > 0.6 * anatomy.largestLungDepth }
    let heart = meanGrey { abs($0.x - 3) < 2 && abs($0.y - anatomy.leftDomeLevel + 3.5) < 1.5 }
    let spine = meanGrey { anatomy.spineDepth(at: $0) > 0.3 }
    let abdomen = meanGrey { abs($0.x) < 8 && $0.y > anatomy.leftDomeLevel + 6 }
    let air = meanGrey { anatomy.bodyDepth(at: $0) == 0 }
    #expect(air + 10 < lungs)
    #expect(lungs + 25 < heart)
    #expect(lungs + 40 < spine)
    #expect(lungs + 40 < abdomen)
  }

  @Test("Every wrong value is refused with its key and range")
  func wrongConfiguration() {
    let cases: [(WritableKeyPath<ChestPhantom.Configuration, Double>, Double, String)] = [
      (\.fieldOfView, 12.5, "fieldOfView is 12.5, but must be from 20 to 80."),
      (\.photonsPerPixel, -1, "photonsPerPixel is -1, but must be from 0 to 1000000000."),
      (\.scatter, .nan, "scatter is nan, but must be from 0 to 2."),
      (\.exposureVariation, 3, "exposureVariation is 3, but must be from 0 to 2."),
      (\.positionVariation, .infinity, "positionVariation is inf, but must be from 0 to 2."),
      (\.lesionContrast, 0, "lesionContrast is 0, but must be from 0.01 to 10."),
    ]
    for (key, value, message) in cases {
      let error = #expect(throws: PhantomError.self) { try phantom { $0[keyPath: key] = value } }
      #expect(error?.description == message)
    }
    let error = #expect(throws: PhantomError.self) { try phantom(size: 16) }
    #expect(error?.description == "size is 16, but must be from 32 to 2048.")
  }
}
