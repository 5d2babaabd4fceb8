/// A perceptually ordered colour map: lightness rises in equal steps, so that equal differences look equal, also in grey
/// print and to people who do not tell red from green.
public struct ColourMap: Equatable, Sendable {
  /// The colours at equal distances from 0 to 1; at least two.
  public let colours: [Colour]

  /// From near black over violet and red to pale yellow: OKLab lightness 0.15 ... 0.96, linear; hue 285° ... 465°.
  public static let ember = ColourMap(
    colours: (0..<256).map { step in
      let position = Double(step) / 255
      let chroma = 0.05 + 0.6 * position * (1 - position)
      return Colour(lightness: 0.15 + 0.81 * position, chroma: chroma, hue: 285 + 180 * position)
    })

  /// Creates a map from two or more colours.
  /// - Precondition: `colours.count >= 2`.
  public init(colours: [Colour]) {
    precondition(colours.count >= 2)
    self.colours = colours
  }

  /// The colour at a position, linear between the table's entries.
  /// - Parameter position: 0 ... 1; values outside are limited.
  public func colour(at position: Float) -> Colour {
    let place = min(max(position, 0), 1) * Float(colours.count - 1)
    let lower = min(Int(place), colours.count - 2)
    return colours[lower].mixed(with: colours[lower + 1], share: place - Float(lower))
  }

  /// The map as a CSS gradient from left to right, for legends.
  public var gradient: String {
    let stops = (0...12).map { colour(at: Float($0) / 12).hexadecimal }
    return "linear-gradient(to right, \(stops.joined(separator: ", ")))"
  }
}
