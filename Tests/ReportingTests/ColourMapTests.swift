import Testing

@testable import Reporting

@Suite("Colour maps")
struct ColourMapTests {
  @Test("Luminance rises from step to step, in even OKLab lightness")
  func monotone() {
    let luminances = ColourMap.ember.colours.map(\.luminance)
    #expect(luminances.count == 256)
    #expect(zip(luminances, luminances.dropFirst()).allSatisfy { $0 < $1 })
    for (step, colour) in ColourMap.ember.colours.enumerated() {
      #expect(abs(lightness(colour) - (0.15 + 0.81 * Double(step) / 255)) < 1e-4)
    }
  }

  @Test("Every colour can be shown")
  func shown() {
    for colour in ColourMap.ember.colours {
      #expect([colour.red, colour.green, colour.blue].allSatisfy { (0...255).contains($0) })
    }
  }

  @Test("Positions are interpolated and limited")
  func positions() {
    let map = ColourMap(colours: [
      Colour(red: 0, green: 0, blue: 0), Colour(red: 100, green: 50, blue: 0), Colour(red: 200, green: 0, blue: 40),
    ])
    #expect(map.colour(at: -1) == Colour(red: 0, green: 0, blue: 0))
    #expect(map.colour(at: 0.25) == Colour(red: 50, green: 25, blue: 0))
    #expect(map.colour(at: 0.75) == Colour(red: 150, green: 25, blue: 20))
    #expect(map.colour(at: 1) == map.colour(at: 7))
    #expect(map.colour(at: 1) == Colour(red: 200, green: 0, blue: 40))
    #expect(map.gradient.hasPrefix("linear-gradient(to right, #000000, ") && map.gradient.hasSuffix(", #c80028)"))
  }

  @Test("Luminance and hexadecimal spelling of known colours")
  func known() {
    #expect(Colour(red: 255, green: 255, blue: 255).luminance == 1)
    #expect(Colour(red: 0, green: 0, blue: 0).luminance == 0)
    #expect(abs(Colour(red: 255, green: 0, blue: 0).luminance - 0.2126) < 1e-12)
    #expect(Colour(red: 300, green: 7.6, blue: -.infinity).hexadecimal == "#ff0800")
  }

  /// OKLab lightness from sRGB, the inverse of the conversion that made the colours (Ottosson 2020).
  private func lightness(_ colour: Colour) -> Double {
    func linear(_ part: Float) -> Double {
      Colour(red: part, green: part, blue: part).luminance
    }
    let (red, green, blue) = (linear(colour.red), linear(colour.green), linear(colour.blue))
    let long = 0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue
    let medium = 0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue
    let short = 0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue
    return 0.2104542553 * cubeRoot(long) + 0.7936177850 * cubeRoot(medium) - 0.0040720468 * cubeRoot(short)
  }

  private func cubeRoot(_ value: Double) -> Double {
    (0..<60).reduce(max(value, 0.1)) { root, _ in (2 * root + value / (root * root)) / 3 }
  }
}
