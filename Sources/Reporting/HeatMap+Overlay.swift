public import MedicalImaging

extension HeatMap {
  /// How an overlay looks.
  public struct OverlayStyle: Equatable, Sendable {
    /// The colours.
    public var colourMap: ColourMap
    /// How much of the image the strongest colour hides, 0 ... 1. Opacity rises linearly with the value.
    public var maximumOpacity: Float

    /// Creates a style.
    public init(colourMap: ColourMap = .ember, maximumOpacity: Float = 0.85) {
      self.colourMap = colourMap
      self.maximumOpacity = maximumOpacity
    }
  }

  /// The image in grey with the map laid over it: c = image + α · (colour − image), α = maximum opacity · position of the
  /// map's value in `range`.
  /// - Parameters:
  ///   - image: grey or RGB; the map is brought to its size.
  ///   - range: map values at and below the lower bound leave the image as it is; the upper bound has the last colour.
  ///   - window: the image's values for black and white; nil takes the image's own range.
  ///   - style: colours and opacity.
  ///   - contour: an outline to draw on top, for example the ground truth.
  /// - Returns: an RGB image of the image's size, range 0 ... 255.
  /// - Throws: `ReportingError.maskSize` when the contour's mask has not the image's size.
  public func overlaid(
    on image: Image2D, in range: ClosedRange<Float>, window: ClosedRange<Float>? = nil,
    style: OverlayStyle = OverlayStyle(), contour: Contour? = nil
  ) throws(ReportingError) -> Image2D {
    let ground = image.displayed(in: window ?? image.range)
    let map = resized(width: image.width, height: image.height)
    var colours: [Colour] = []
    colours.reserveCapacity(map.values.count)
    for (grey, value) in zip(ground.samples, map.values) {
      let position = Self.position(of: value, in: range)
      colours.append(
        Colour(red: grey, green: grey, blue: grey)
          .mixed(with: style.colourMap.colour(at: position), share: style.maximumOpacity * position))
    }
    try contour?.draw(on: &colours, width: image.width, height: image.height)
    return Image2D(colours: colours, width: image.width, height: image.height)
  }
}

/// The outline of a mask, for example of the ground truth.
public struct Contour: Equatable, Sendable {
  /// One value per pixel of the image, row by row; true is inside.
  public var mask: [Bool]
  /// The line's colour.
  public var colour: Colour
  /// Pixels of the mask's rim that are drawn, from its edge inwards; nil takes about a 170th of the image's longer side.
  public var thickness: Int?

  /// Outlines a mask, by default in a light blue that the heat map does not have.
  public init(mask: [Bool], colour: Colour = Colour(red: 90, green: 220, blue: 255), thickness: Int? = nil) {
    self.mask = mask
    self.colour = colour
    self.thickness = thickness
  }

  func draw(on colours: inout [Colour], width: Int, height: Int) throws(ReportingError) {
    guard mask.count == width * height else { throw .maskSize(width: width, height: height, values: mask.count) }
    var inside = mask
    let rim = thickness ?? max(1, (max(width, height) + 85) / 170)
    for _ in 0..<max(rim, 0) { inside = Self.eroded(inside, width: width, height: height) }
    for index in colours.indices where mask[index] && !inside[index] { colours[index] = colour }
  }

  /// Takes away the pixels with one of their four neighbours outside the mask or the image.
  private static func eroded(_ mask: [Bool], width: Int, height: Int) -> [Bool] {
    mask.indices.map { index in
      let (row, column) = index.quotientAndRemainder(dividingBy: width)
      guard mask[index], row > 0, row < height - 1, column > 0, column < width - 1 else { return false }
      return mask[index - 1] && mask[index + 1] && mask[index - width] && mask[index + width]
    }
  }
}
