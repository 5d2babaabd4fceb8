import Torch

/// What a network sees of one image at once: all of it, or of a volume slice by slice or box by box.
enum ImageViews: Equatable, Sendable {
  /// One view of the whole.
  case whole(GridPlacement)
  /// A view per slice.
  case slices(VolumeSlices)
  /// A view per box.
  case patches(VolumePatches)

  /// How many views there are, at least one.
  var count: Int {
    switch self {
    case .whole: 1
    case .slices(let slices): slices.seen.count
    case .patches(let patches): patches.count
    }
  }

  /// Where the views, put together again, lie in the image's own grid.
  var field: GridPlacement {
    switch self {
    case .whole(let placement): placement
    case .slices(let slices): slices.field
    case .patches(let patches): patches.field
    }
  }

  /// Where the network's grid lies in what a view shows.
  func placement(of number: Int) -> GridPlacement {
    switch self {
    case .whole(let placement): placement
    case .slices(let slices): slices.placement
    case .patches(let patches): patches.placement(of: number)
    }
  }

  /// A view's values, `[channels, extents…]`.
  /// - Parameter values: the prepared image's: `[channels, extents…]`; `[channels, slices, extents…]`; or
  ///   `[channels, field…]`.
  func values(of number: Int, in values: [Float], channels: Int) -> [Float] {
    switch self {
    case .whole: return values
    case .slices(let slices):
      let plane = values.count / (channels * slices.seen.count)
      return (0..<channels).flatMap { channel in
        let start = (channel * slices.seen.count + number) * plane
        return values[start..<start + plane]
      }
    case .patches(let patches): return patches.values(of: number, in: values, channels: channels)
    }
  }
}

/// What is made of the views' maps, one after the other: a map over the whole field.
struct JoinedMap {
  private let views: ImageViews
  private var parts: [Tensor] = []
  private var sum: [Float] = []

  init(_ views: ImageViews) {
    self.views = views
    if case .patches(let patches) = views {
      sum = [Float](repeating: 0, count: patches.field.axes.reduce(1) { $0 * $1.count })
    }
  }

  /// Adds the map of the next view, `[sides…]` at whatever resolution. Maps of slices are kept as they are, of boxes added up.
  mutating func add(_ map: Tensor, of number: Int) throws(TorchError) {
    switch views {
    case .whole: parts = [map]
    case .slices: parts.append(try map.to(.cpu).copy())
    case .patches(let patches):
      let resized =
        try map.shape == patches.extents
        ? map : map.unsqueezed(0).unsqueezed(0).resized(to: patches.extents).squeezed(0).squeezed(0)
      patches.add(try resized.contiguous().values(), of: number, to: &sum)
    }
  }

  /// The map over the field, once all views are added.
  func tensor() throws(TorchError) -> Tensor {
    switch views {
    case .whole: parts[0]
    case .slices(let slices): try slices.joined(.stacked(parts))
    case .patches(let patches): try Tensor(sum, shape: patches.field.axes.map(\.count))
    }
  }
}
