import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma

@Suite("Images as network input")
struct InputSpecificationTests {
  private func specification(_ intensity: InputConfiguration.Intensity, size: Int = 2) -> InputSpecification {
    var input = InputConfiguration()
    input.intensity = intensity
    input.deviations = 2
    return InputSpecification(size: size, intensity: input)
  }

  @Test("Resizing is Pillow's antialiased bicubic filter to one grey level", arguments: 0..<4)
  func resizing(_ index: Int) throws {
    let golden = try NormaGolden.load().resizing[index]
    let image = Image2D(width: golden.width, height: golden.height, samples: golden.samples, range: 0...255)
    let values = try Fixtures.unit(golden.size).prepared(image)
    #expect(largestDifference(values.map { $0 * 255 }, golden.expected) <= 1)
    #expect(values.allSatisfy { (0...1).contains($0) })
  }

  @Test("An image of the right size keeps every value")
  func sameSize() throws {
    let image = Fixtures.image(3)
    #expect(try Fixtures.unit(32).prepared(image) == image.samples.map { $0 / 255 })
  }

  @Test("16-bit images keep their range and their steps")
  func sixteenBit() throws {
    let image = Image2D(width: 2, height: 1, samples: [257, 65535], range: 0...65535)
    let values = try Fixtures.unit(1).prepared(image)
    #expect(abs(values[0] - (257 / 65535 + 1) / 2) < 1e-6)
    let same = Image2D(width: 1, height: 1, samples: [257], range: 0...65535)
    #expect(try Fixtures.unit(1).prepared(same) == [257 / 65535])
  }

  @Test("Colour becomes its luma")
  func colour() throws {
    let image = Image2D(width: 1, height: 1, channels: 3, samples: [255, 51, 0], range: 0...255)
    let value = try Fixtures.unit(1).prepared(image)[0]
    #expect(abs(value - (0.299 + 0.587 * 0.2)) < 1e-6)
  }

  @Test("The scales follow their formulas")
  func scales() throws {
    let (first, second): ([Float], [Float]) = ([0, 0.25, 0.5, 1], [0.5, 0.5, 0.5, 0.5])
    let unit = specification(.unit)
    let batch = try unit.batch([first, second], on: .cpu)
    #expect(batch.shape == [2, 1, 2, 2])
    #expect(try unit.scaled(batch).values() == first + second)
    #expect(try specification(.symmetric).scaled(batch).values() == (first + second).map { $0 * 2 - 1 })
    let squares: [Double] = first.map { Double(($0 - 0.4375) * ($0 - 0.4375)) }
    let deviation = Float((squares.reduce(0, +) / 4).squareRoot())
    let expected = first.map { ($0 - 0.4375) / (2 * deviation) } + [0, 0, 0, 0]
    #expect(largestDifference(try specification(.standardised).scaled(batch).values(), expected) < 1e-5)
  }

  @Test("The standardised scale is cut at −1 and 1 and does not see exposure")
  func standardised() throws {
    let side = 8
    let samples = Fixtures.image(5, width: side, height: side).samples.map { $0 / 255 }
    var outlier = samples
    outlier[0] = 40
    let specification = specification(.standardised, size: side)
    let plain = try specification.scaled(specification.batch([samples], on: .cpu)).values() as [Float]
    let darker = try specification.scaled(specification.batch([samples.map { $0 * 0.4 + 0.1 }], on: .cpu)).values()
    #expect(largestDifference(plain, darker) < 1e-4)
    #expect(try specification.scaled(specification.batch([outlier], on: .cpu)).values()[0] == Float(1))
  }

  @Test("Images come back from the network's scale", arguments: [InputConfiguration.Intensity.unit, .symmetric])
  func inverse(_ intensity: InputConfiguration.Intensity) throws {
    let specification = specification(intensity, size: 32)
    let prepared = try [1, 2].map { try specification.prepared(Fixtures.image($0)) }
    let images = try specification.images(specification.scaled(specification.batch(prepared, on: .cpu)))
    #expect(images.count == 2)
    for (image, values) in zip(images, prepared) {
      #expect(image.width == 32 && image.height == 32 && image.range == 0...1)
      #expect(largestDifference(image.samples, values) < 1e-6)
    }
  }

  @Test("What a network makes beyond black and white is cut")
  func cut() throws {
    let batch = try Tensor([Float(-3), -1, 0, 5], shape: [1, 1, 2, 2])
    #expect(try specification(.symmetric).images(batch)[0].samples == [0, 0, 0.5, 1])
  }

  @Test("Maps take their image's own size, bilinearly, one by one")
  func maps() throws {
    let batch = try Tensor([Float(0), 1, 2, 3, 4, 4, 4, 4], shape: [2, 2, 2])
    let maps = try AnomalyMap.maps(batch, on: [ImageGrid(width: 2, height: 2), ImageGrid(width: 3, height: 5)])
    #expect(maps[0] == AnomalyMap(grid: ImageGrid(width: 2, height: 2), values: [0, 1, 2, 3]))
    #expect(maps[1].width == 3 && maps[1].height == 5)
    #expect(largestDifference(maps[1].values, [Float](repeating: 4, count: 15)) < 1e-5)
  }
}
