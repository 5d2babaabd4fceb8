import MedicalImaging
import Torch

/// What a network takes: the one place where images become tensors and tensors images.
public struct InputSpecification: Codable, Equatable, Sendable {
  /// Image side in pixels; the aspect is not kept.
  public let size: Int
  /// Scale of pixel values.
  public let intensity: InputConfiguration

  /// Creates a specification.
  public init(size: Int, intensity: InputConfiguration) {
    self.size = size
    self.intensity = intensity
  }

  /// An image as the network's size, grey, 0 ... 1 over its format's range: `size · size` values, row by row.
  ///
  /// Shrinking is antialiased and bicubic, as in the official code (Pillow's filter).
  func prepared(_ image: Image2D) throws -> [Float] {
    let grey = image.grey.normalised
    let tensor = try Tensor(grey.samples, shape: [1, 1, grey.height, grey.width])
    guard grey.width != size || grey.height != size else { return grey.samples }
    return try withoutGradients {
      try tensor.resized(to: [size, size], .cubic, antialias: true).clamped(0, 1).values()
    }
  }

  /// Prepared images as one batch `[B, 1, size, size]`, values still in 0 ... 1.
  func batch(_ images: [[Float]], on device: Device) throws(TorchError) -> Tensor {
    try Tensor(images.flatMap { $0 }, shape: [images.count, 1, size, size]).to(device)
  }

  /// The batch on the scale that the network takes.
  func scaled(_ batch: Tensor) throws(TorchError) -> Tensor {
    switch intensity.intensity {
    case .unit: return batch
    case .symmetric: return try batch * 2 - 1
    case .standardised:
      let mean = try batch.mean([1, 2, 3], keepingAxes: true)
      let deviation = try (batch.variance([1, 2, 3], keepingAxes: true) + 1e-8).squareRoot()
      return try ((batch - mean) / (deviation * intensity.deviations)).clamped(-1, 1)
    }
  }

  /// The darkest value of the network's scale.
  var background: Double { intensity.intensity == .unit ? 0 : -1 }

  /// Network-scaled images `[B, 1, H, W]` as grey images, 0 ... 1. Standardised ones keep their own grey scale.
  func images(_ batch: Tensor) throws(TorchError) -> [Image2D] {
    let unit = try intensity.intensity == .unit ? batch : (batch + 1) / 2
    let (height, width) = (unit.extent(2), unit.extent(3))
    let samples: [Float] = try unit.clamped(0, 1).values()
    let count = height * width
    return (0..<unit.extent(0)).map {
      Image2D(width: width, height: height, samples: Array(samples[$0 * count..<($0 + 1) * count]))
    }
  }
}

/// Where in an image something unusual is, and how unusual.
public struct AnomalyMap: Equatable, Sendable {
  /// Columns.
  public let width: Int
  /// Rows.
  public let height: Int
  /// `height · width` values row by row, larger where more unusual; the unit is the method's.
  public let values: [Float]

  /// Splits `[B, H, W]` into maps, resized to `sizes` (bilinear), one per image.
  static func maps(_ batch: Tensor, sizes: [(width: Int, height: Int)]) throws(TorchError) -> [AnomalyMap] {
    var maps: [AnomalyMap] = []
    for (index, size) in sizes.enumerated() {
      let map = try batch.sliced(index..<index + 1, axis: 0).unsqueezed(0)
      let resized =
        map.extent(2) == size.height && map.extent(3) == size.width
        ? map : try map.resized(to: [size.height, size.width])
      maps.append(AnomalyMap(width: size.width, height: size.height, values: try resized.values()))
    }
    return maps
  }
}
