import MedicalImaging
import Torch

/// What a network takes: the one place where images become tensors and tensors images.
public struct InputSpecification: Codable, Equatable, Sendable {
  /// Sides, slowest first: `[height, width]` in pixels, or `[depth, height, width]` in voxels.
  public let extents: [Int]
  /// 1, or 2 where the paired image is the second channel.
  public let channels: Int
  /// Scale of pixel values, and which part of an image is seen at which size.
  public let intensity: InputConfiguration
  /// What each member of an ensemble takes; nil of a single detector. The rest is the first member's.
  let members: [InputSpecification]?

  /// Creates a specification.
  public init(extents: [Int], channels: Int = 1, intensity: InputConfiguration) {
    (self.extents, self.channels, self.intensity, members) = (extents, channels, intensity, nil)
  }

  /// What several networks take of the same images.
  /// - Precondition: there is at least one.
  init(members: [InputSpecification]) {
    (extents, channels, intensity) = (members[0].extents, members[0].channels, members[0].intensity)
    self.members = members
  }

  /// Square images of one channel.
  public init(size: Int, intensity: InputConfiguration) {
    self.init(extents: [size, size], intensity: intensity)
  }

  /// Whether images are volumes, be it that the network sees their slices.
  public var isVolume: Bool { extents.count == 3 || intensity.views == .slices }

  /// Values of one network's input.
  var count: Int { extents.reduce(channels, *) }

  /// Whether images prepared for another specification can be used: only the scale may differ.
  func readsAlike(_ other: InputSpecification) -> Bool {
    (extents, channels, members?.count) == (other.extents, other.channels, other.members?.count)
      && intensity.preparesAlike(other.intensity)
      && zip(members ?? [], other.members ?? []).allSatisfy { $0.readsAlike($1) }
  }

  // MARK: One image

  /// An item's image, prepared, and behind it its paired image where the network takes both; and where it lies in the image's
  /// own grid.
  /// - Throws: `ImageError` when a file is missing, cannot be used, or is of the other kind.
  func prepared(_ item: DataItem) throws -> PreparedImage {
    let (image, paired) = try read(item)
    return try prepared(image, paired: paired)
  }

  /// The same of images that were read (`read`).
  func prepared(_ image: MedicalImage, paired: MedicalImage?) throws -> PreparedImage {
    let placement = try placement(of: image)
    var values = try prepared(image, in: placement, over: window(of: image, in: placement))
    if let paired {
      let window = try Self.window(intensity.pairedWindow, intensity.pairedPercentiles, of: paired, in: placement)
      values += try prepared(paired, in: placement, over: window, equalises: false)
    }
    return PreparedImage(values: values, placement: placement)
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

  /// An image on its own, as `prepared(_:)` does with an item's.
  func prepared(_ image: Image2D) throws -> [Float] {
    let image = MedicalImage.image(image)
    let placement = try placement(of: image)
    return try prepared(image, in: placement, over: window(of: image, in: placement))
  }

  /// An image at the network's sides, grey, 0 ... 1 over `window`, black in the padding: the values in the order of `Image2D`
  /// and `Volume3D`. Where it is cut into slices all that are seen, one behind the other; where it is cut into boxes the field
  /// that they are cut from.
  private func prepared(
    _ image: MedicalImage, in placement: GridPlacement, over window: ClosedRange<Float>, equalises: Bool = true
  ) throws -> [Float] {
    let samples = image.normalised(over: window)
    let equalisation =
      equalises && intensity.clahe.clipLimit > 0 ? ContrastEqualisation(intensity.clahe) : nil
    guard image.grid.extents != extents || !placement.isStretched || equalisation != nil else { return samples }
    return try withoutGradients {
      let tensor = try Tensor(samples, shape: [1, 1] + image.grid.extents)
      var seen = try placement.resampled(tensor).clamped(0, 1)
      if case .slices(let slices) = views(in: placement) {
        let placement = slices.placement
        let cut = try slices.cut(seen)
        guard let equalisation else { return try placement.padded(cut).contiguous().values() }
        return try cut.unbound(axis: 0).flatMap { slice -> [Float] in
          let sides = placement.coveredExtents
          let equalised = try equalisation(slice.contiguous().values(), extents: sides)
          return try placement.padded(Tensor(equalised, shape: sides)).contiguous().values()
        }
      }
      if let equalisation {
        let sides = placement.coveredExtents
        seen = try Tensor(equalisation(seen.contiguous().values(), extents: sides), shape: [1, 1] + sides)
      }
      return try placement.padded(seen).contiguous().values()
    }
  }

  // MARK: Batches

  /// Prepared images as one batch `[B, channels, extents…]`, values still in 0 ... 1.
  func batch(_ images: [[Float]], on device: Device) throws(TorchError) -> Tensor {
    try Tensor(rows: images, shape: [images.count, channels] + extents, isPinned: device.kind == .cuda).to(device)
  }

  /// The batch on the scale that the network takes.
  /// - Parameter placements: where the images lie on the network's grid, whose padding has no part in an image's mean and
  ///   deviation; empty: everywhere.
  func scaled(_ batch: Tensor, placements: [GridPlacement] = []) throws(TorchError) -> Tensor {
    switch intensity.intensity {
    case .unit: return batch
    case .symmetric: return try batch * 2 - 1
    case .standardised:
      let axes = Array(2..<batch.rank)
      guard placements.contains(where: \.isPadded) else {
        let mean = try batch.mean(axes, keepingAxes: true)
        let deviation = try (batch.variance(axes, keepingAxes: true) + 1e-8).squareRoot()
        return try ((batch - mean) / (deviation * intensity.deviations)).clamped(-1, 1)
      }
      let coverage = try Tensor.stacked(
        placements.map { placement throws(TorchError) in try placement.coverage(on: batch.device) }
      ).unsqueezed(1)
      let count = try coverage.sum(axes, keepingAxes: true)
      let mean = try (batch * coverage).sum(axes, keepingAxes: true) / count
      let distances = try (batch - mean) * coverage
      let deviation = try (distances.squared().sum(axes, keepingAxes: true) / count + 1e-8).squareRoot()
      let scaled = try (distances / (deviation * intensity.deviations)).clamped(-1, 1)
      return try scaled + (coverage - 1) * -background
    }
  }

  /// The darkest value of the network's scale.
  var background: Double { intensity.intensity == .unit ? 0 : -1 }

  /// The first channel of network-scaled images `[B, C, H, W]` or volumes `[B, C, D, H, W]` as grey images, 0 ... 1.
  /// Standardised ones keep their own grey scale.
  /// - Parameter grids: where the images came from, which tells how volumes lie in the patient; not needed for images.
  func images(_ batch: Tensor, from grids: [ImageGrid] = []) throws(TorchError) -> [MedicalImage] {
    let unit = try greys(batch)
    let sides = Array(unit.shape.dropFirst())
    let samples: [Float] = try unit.values()
    let count = sides.reduce(1, *)
    return (0..<unit.extent(0)).map { index in
      let grid =
        index < grids.count && grids[index].extents.count == sides.count
        ? grids[index].resampled(to: sides) : ImageGrid(extents: sides)
      return MedicalImage(Array(samples[index * count..<(index + 1) * count]), on: grid, range: 0...1)
    }
  }

  /// The same without padding, each over the space of the image that it came from: at the network's size where the network sees
  /// the whole image; else on the image's own grid, black where the network does not look.
  /// - Parameter placements: one per image.
  func images(_ batch: Tensor, at placements: [GridPlacement]) throws(TorchError) -> [MedicalImage] {
    guard placements.contains(where: { !$0.isStretched }) else {
      return try images(batch, from: placements.map(\.grid))
    }
    let unit = try greys(batch)
    var images: [MedicalImage] = []
    for (index, placement) in placements.enumerated() {
      images.append(try Self.image(unit.selected(index, axis: 0), at: placement))
    }
    return images
  }

  /// A grey image `[sides…]`, 0 ... 1, over the network's grid, or over what its views were put together to, as above.
  static func image(_ grey: Tensor, at placement: GridPlacement) throws(TorchError) -> MedicalImage {
    let shown = try placement.seesWhole ? placement.covered(grey) : placement.restored(grey)
    let grid = placement.seesWhole ? placement.grid.resampled(to: shown.shape) : placement.grid
    return MedicalImage(try shown.contiguous().values(), on: grid, range: 0...1)
  }

  /// The first channel of a network-scaled batch, 0 ... 1.
  func greys(_ batch: Tensor) throws(TorchError) -> Tensor {
    let unit = try intensity.intensity == .unit ? batch : (batch + 1) / 2
    return try unit.selected(0, axis: 1).clamped(0, 1)
  }
}

/// An image as a network takes it.
struct PreparedImage: Sendable {
  /// Values 0 ... 1 of all channels at the network's sides, or of all views (`ImageViews`).
  let values: [Float]
  /// Where the network's grid lies in the image's.
  let placement: GridPlacement

  /// The image's own grid.
  var grid: ImageGrid { placement.grid }
}
