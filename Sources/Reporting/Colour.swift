import Foundation

/// A colour for screens: sRGB, each part 0 ... 255.
public struct Colour: Equatable, Sendable {
  /// Red, 0 ... 255.
  public var red: Float
  /// Green, 0 ... 255.
  public var green: Float
  /// Blue, 0 ... 255.
  public var blue: Float

  /// Creates a colour from its parts, each 0 ... 255.
  public init(red: Float, green: Float, blue: Float) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  /// The colour as CSS writes it, for example `#ff8800`.
  public var hexadecimal: String {
    let digits = [red, green, blue].map { part in
      let value = part.isNaN ? 0 : Int(min(max(part.rounded(), 0), 255))
      return (value < 16 ? "0" : "") + String(value, radix: 16)
    }
    return "#" + digits.joined()
  }

  /// Relative luminance after WCAG 2 (Y of linear sRGB), 0 ... 1.
  public var luminance: Double {
    func linear(_ part: Float) -> Double {
      let value = Double(part) / 255
      return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
  }

  /// This colour where `share` is 0, `other` where it is 1, a straight mix of the sRGB parts between.
  func mixed(with other: Colour, share: Float) -> Colour {
    Colour(
      red: red + (other.red - red) * share, green: green + (other.green - green) * share,
      blue: blue + (other.blue - blue) * share)
  }

  /// The colour of a given OKLab lightness and hue with the wanted chroma, or as much of it as sRGB can show.
  ///
  /// Conversion after Ottosson 2020, "A perceptual color space for image processing".
  /// - Parameters:
  ///   - lightness: 0 is black, 1 white.
  ///   - chroma: 0 is grey; sRGB ends at about 0.3.
  ///   - hue: degrees; 30 is red, 110 yellow, 265 blue.
  init(lightness: Double, chroma: Double, hue: Double) {
    var (inside, outside) = (0.0, chroma)
    var parts = Self.linearParts(lightness, chroma, hue)
    if !Self.isShown(parts) {
      for _ in 0..<30 {
        let middle = (inside + outside) / 2
        if Self.isShown(Self.linearParts(lightness, middle, hue)) { inside = middle } else { outside = middle }
      }
      parts = Self.linearParts(lightness, inside, hue)
    }
    let shown = parts.map { part in
      let value = min(max(part, 0), 1)
      return Float(255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * pow(value, 1 / 2.4) - 0.055))
    }
    self.init(red: shown[0], green: shown[1], blue: shown[2])
  }

  private static func isShown(_ parts: [Double]) -> Bool {
    parts.allSatisfy { $0 >= -1e-9 && $0 <= 1 + 1e-9 }
  }

  private static func linearParts(_ lightness: Double, _ chroma: Double, _ hue: Double) -> [Double] {
    let (a, b) = (chroma * cos(hue * .pi / 180), chroma * sin(hue * .pi / 180))
    let long = pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3)
    let medium = pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3)
    let short = pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3)
    return [
      4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
      -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
      -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    ]
  }
}
