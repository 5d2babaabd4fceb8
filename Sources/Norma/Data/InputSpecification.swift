public import MedicalImaging
import Torch

/// What a network takes: the one place where images become tensors and tensors images.
public struct InputSpecification: Codable, Equatable, Sendable {
  /// Sides, slowest first: `[height, width]` in pixels, or `[depth, height, width]` in voxels; the aspect is not kept.
  public let extents: [Int]
  /// 1, or 2 where the paired image is the second channel.
  public let channels: Int
  /// Scale of pixel values.
  public let intensity: InputConfiguration

  /// Creates a specification.
  public init(extents: [Int], channels: Int = 1, intensity: InputConfiguration) {
    (self.extents, self.channels, self.intensity) = (extents, channels, intensity)
  }

  /// Square images of one channel.
  public init(size: Int, intensity: InputConfiguration) {
    self.init(extents: [size, size], intensity: intensity)
  }

  /// Whether the network takes volumes.
  public var isVolume: Bool { extents.count == 3 }

  /// Values of one prepared image.
  var count: Int { extents.reduce(channels, *) }

  /// Whether images prepared for another specification can be used: only the scale may differ.
  func readsAlike(_ other: InputSpecification) -> Bool {
    (extents, channels) == (other.extents, other.channels)
      && (intensity.window, intensity.pairedWindow) == (other.intensity.window, other.intensity.pairedWindow)
  }

  // MARK: One image

  /// An item's image, prepared, and behind it its paired image where the network takes both; and the image's own grid.
  /// - Throws: `ImageError` when a file is missing, cannot be used, or is of the other kind.
  func prepared(_ item: DataItem) throws -> (values: [Float], grid: ImageGrid) {
    let (image, paired) = try read(item)
    var values = try prepared(image, over: intensity.window)
    if let paired { values += try prepared(paired, over: intensity.pairedWindow) }
    return (values, image.grid)
  }

  /// An item's image, and its paired image where the network takes both.
  func read(_ item: DataItem) throws(ImageError) -> (image: MedicalImage, paired: MedicalImage?) {
    let image = try MedicalImage.read(item.path, isVolume: isVolume)
    guard channels == 2 else { return (image, nil) }
    guard let path = item.pairedPath else {
      throw .rejected(
        path: item.path,
        reason: "the method also reads a paired image, and it has none; put one below paired/, at the path that the "
          + "image has in the data set")
    }
    let paired = try MedicalImage.read(path, isVolume: isVolume)
    guard paired.grid.extents == image.grid.extents else {
      throw .rejected(path: path, reason: "it has \(paired.grid) and its image \(image.grid.size); give both one grid")
    }
    guard paired.grid.coincides(with: image.grid) else {
      throw .rejected(
        path: path, reason: "its voxels lie elsewhere in the patient than its image's; give both one grid")
    }
    return (image, paired)
  }

  /// An image over its format's range, or the configured window.
  func prepared(_ image: Image2D) throws -> [Float] { try prepared(.image(image), over: intensity.window) }

  /// An image at the network's sides, grey, 0 ... 1 over `window` or, where that is empty, over its own range: the values in
  /// the order of `Image2D` and `Volume3D`.
  ///
  /// Shrinking is antialiased and bicubic along every axis, as in the official code (Pillow's filter).
  private func prepared(_ image: MedicalImage, over window: [Double]) throws -> [Float] {
    let samples = image.normalised(over: Self.range(window))
    guard image.grid.extents != extents else { return samples }
    return try withoutGradients {
      let tensor = try Tensor(samples, shape: [1, 1] + image.grid.extents)
      return try resized(tensor).clamped(0, 1).values()
    }
  }

  /// An image `[1, 1, H, W]` or a volume `[1, 1, D, H, W]` at the network's sides.
  private func resized(_ tensor: Tensor) throws(TorchError) -> Tensor {
    guard isVolume else { return try tensor.resized(to: extents, .cubic, antialias: true) }
    let (height, width) = (extents[1], extents[2])
    let slices = try tensor.squeezed(0).resized(to: [height, width], .cubic, antialias: true)
    return try slices.reshaped([1, 1, slices.extent(1), height * width])
      .resized(to: [extents[0], height * width], .cubic, antialias: true)
  }

  private static func range(_ window: [Double]) -> ClosedRange<Float>? {
    window.count == 2 ? Float(window[0])...Float(window[1]) : nil
  }

  /// The values of an image that are black and white on the network's scale.
  public func window(of image: MedicalImage) -> ClosedRange<Float> { Self.range(intensity.window) ?? image.range }

  // MARK: Batches

  /// Prepared images as one batch `[B, channels, extents…]`, values still in 0 ... 1.
  func batch(_ images: [[Float]], on device: Device) throws(TorchError) -> Tensor {
    try Tensor(images.flatMap { $0 }, shape: [images.count, channels] + extents).to(device)
  }

  /// The batch on the scale that the network takes.
  func scaled(_ batch: Tensor) throws(TorchError) -> Tensor {
    switch intensity.intensity {
    case .unit: return batch
    case .symmetric: return try batch * 2 - 1
    case .standardised:
      let axes = Array(2..<batch.rank)
      let mean = try batch.mean(axes, keepingAxes: true)
      let deviation = try (batch.variance(axes, keepingAxes: true) + 1e-8).squareRoot()
      return try ((batch - mean) / (deviation * intensity.deviations)).clamped(-1, 1)
    }
  }

  /// The darkest value of the network's scale.
  var background: Double { intensity.intensity == .unit ? 0 : -1 }

  /// The first channel of network-scaled images `[B, C, H, W]` or volumes `[B, C, D, H, W]` as grey images, 0 ... 1.
  /// Standardised ones keep their own grey scale.
  /// - Parameter grids: where the images came from, which tells how volumes lie in the patient; not needed for images.
  func images(_ batch: Tensor, from grids: [ImageGrid] = []) throws(TorchError) -> [MedicalImage] {
    let unit = try intensity.intensity == .unit ? batch : (batch + 1) / 2
    let sides = Array(unit.shape.dropFirst(2))
    let samples: [Float] = try unit.selected(0, axis: 1).clamped(0, 1).values()
    let count = sides.reduce(1, *)
    return (0..<unit.extent(0)).map { index in
      let grid =
        index < grids.count && grids[index].extents.count == sides.count
        ? grids[index].resampled(to: sides) : ImageGrid(extents: sides)
      return MedicalImage(Array(samples[index * count..<(index + 1) * count]), on: grid, range: 0...1)
    }
  }
}
