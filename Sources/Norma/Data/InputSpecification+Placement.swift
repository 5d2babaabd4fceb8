public import MedicalImaging
import Torch

// Which part of an image a network sees, at which size, and between which values.
extension InputSpecification {
  /// Where the network's grid lies in an image's; where the image is cut, the field that all views make together.
  /// - Throws: `ImageError` when the spacing that the configuration asks for cannot be had, or makes too many samples.
  func placement(of image: MedicalImage) throws -> GridPlacement {
    let grid = image.grid
    guard isCut || intensity.aspect == .pad || intensity.crop == .body || !intensity.spacing.isEmpty else {
      return GridPlacement(stretching: grid, to: extents)
    }
    let source = try intensity.crop == .body ? BodyRegion.box(in: image.grey, on: grid) : grid.extents.map { 0..<$0 }
    let spacing = image.distances
    let path = image.provenance.path ?? "the image"
    let extents = fieldSides(of: source, spacing: spacing)
    guard !isCut || extents.reduce(1, { $0 * Double($1) }) <= Double(ImageReader.maximumSamples) else {
      throw ImageError.rejected(
        path: path,
        reason: "cut into \(unit) it has more than \(ImageReader.maximumSamples) samples; give a smaller "
          + "detector.imageSize or a larger input.spacing")
    }
    if !intensity.spacing.isEmpty {
      guard let spacing else {
        throw ImageError.rejected(
          path: path,
          reason:
            "it does not tell how far its samples lie apart, which input.spacing needs; leave input.spacing empty for "
            + "such images")
      }
      let target = intensity.spacing
      guard
        let placement = GridPlacement(
          resampling: source, of: grid, spacing: spacing, to: target, extents: extents)
      else {
        throw ImageError.rejected(
          path: path,
          reason: "at input.spacing it has more than \(ImageReader.maximumSamples) samples; give a larger spacing")
      }
      return placement
    }
    guard intensity.aspect == .pad else {
      return GridPlacement(
        grid: grid,
        axes: grid.extents.indices.map {
          AxisPlacement(
            extent: grid.extents[$0], source: source[$0],
            resampled: intensity.views == .patches ? source[$0].count : extents[$0], count: extents[$0])
        })
    }
    return GridPlacement(
      fitting: source, of: grid, spacing: spacing ?? extents.map { _ in 1 }, into: extents,
      keeping: intensity.views == .slices ? intensity.plane.axis : nil)
  }

  /// The values of an image that are black and white on the network's scale, before its contrast is equalised.
  /// - Throws: `ImageError` or `TorchError` when percentiles are wanted and cannot be had.
  public func window(of image: MedicalImage) throws -> ClosedRange<Float> {
    guard !intensity.percentiles.isEmpty else { return Self.range(intensity.window) ?? image.range }
    return try window(of: image, in: placement(of: image))
  }

  func window(of image: MedicalImage, in placement: GridPlacement) throws -> ClosedRange<Float> {
    try Self.window(intensity.window, intensity.percentiles, of: image, in: placement)
  }

  /// Black and white: a window where one is given, percentiles of what the network sees where these are, or the image's range.
  static func window(
    _ window: [Double], _ percentiles: [Double], of image: MedicalImage, in placement: GridPlacement
  ) throws -> ClosedRange<Float> {
    if let range = range(window) { return range }
    guard percentiles.count == 2 else { return image.range }
    var seen = try Tensor(image.grey, shape: image.grid.extents)
    for (axis, placement) in placement.axes.enumerated() where placement.seen.count < placement.extent {
      seen = try seen.sliced(placement.seen, axis: axis)
    }
    return try Percentiles.range(percentiles, of: seen)
  }

  private static func range(_ window: [Double]) -> ClosedRange<Float>? {
    window.count == 2 ? Float(window[0])...Float(window[1]) : nil
  }
}
