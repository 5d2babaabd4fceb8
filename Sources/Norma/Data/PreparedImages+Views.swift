import MedicalImaging
import Torch

/// One network's input: which view of which image.
struct ImageView: Equatable, Sendable {
  /// The image, counted in its `PreparedImages`.
  let image: Int
  /// The view, counted within its image.
  let number: Int
}

extension PreparedImages {
  /// How every image is cut into views, in the images' order.
  static func layouts(of placements: [GridPlacement], for specification: InputSpecification) -> [ImageViews] {
    placements.map { specification.views(in: $0) }
  }

  /// All views, image by image.
  static func views(of layouts: [ImageViews]) -> [ImageView] {
    layouts.enumerated().flatMap { image, layout in (0..<layout.count).map { ImageView(image: image, number: $0) } }
  }

  /// Where the network's grid lies in what view `index` shows.
  func placement(ofView index: Int) -> GridPlacement { layouts[views[index].image].placement(of: views[index].number) }

  /// View `index` of its image's values.
  func values(ofView index: Int, in image: [Float]) -> [Float] {
    let view = views[index]
    return layouts[view.image].values(of: view.number, in: image, channels: specification.channels)
  }

  /// One score per image from those of all views.
  func gathered(_ scores: [Double]) -> [Double] {
    guard specification.isCut else { return scores }
    var first = 0
    return layouts.map { layout in
      defer { first += layout.count }
      return specification.intensity.gather(Array(scores[first..<first + layout.count]))
    }
  }

  /// Bytes of all images as they are prepared, in memory or not.
  var bytes: Int { layouts.reduce(0) { $0 + specification.count(of: $1) * MemoryLayout<Float>.stride } }

  /// Views in the order of an epoch.
  /// - Parameters:
  ///   - perImage: how many views of each image, drawn anew; 0: all.
  ///   - isAtHand: false keeps the views of a few images together, so that files are read once an epoch.
  func shuffledViews(perImage: Int, isAtHand: Bool, using random: inout SeededGenerator) -> [Int] {
    guard specification.isCut else { return random.shuffled(Array(views.indices)) }
    var first = 0
    var drawn: [[Int]] = []
    for layout in layouts {
      let own = Array(first..<first + layout.count)
      drawn.append(perImage > 0 && perImage < own.count ? Array(random.shuffled(own).prefix(perImage)) : own)
      first += layout.count
    }
    guard !isAtHand else { return random.shuffled(drawn.flatMap { $0 }) }
    let images = random.shuffled(Array(drawn.indices))
    return stride(from: 0, to: images.count, by: Self.mixedImages).flatMap { start in
      random.shuffled(images[start..<min(start + Self.mixedImages, images.count)].flatMap { drawn[$0] })
    }
  }

  /// Images whose views are mixed where not all fit into memory.
  private static let mixedImages = 8
}

extension InputSpecification {
  /// Whether a network sees images in parts.
  var isCut: Bool { intensity.views != .whole }

  /// What a network's inputs are called where they are counted.
  var unit: String {
    switch intensity.views {
    case .whole: "images"
    case .slices: "slices"
    case .patches: "patches"
    }
  }

  /// How an image is cut into views.
  /// - Parameter placement: where the views, put together, lie in the image's own grid.
  func views(in placement: GridPlacement) -> ImageViews {
    switch intensity.views {
    case .whole: .whole(placement)
    case .slices: .slices(VolumeSlices(of: placement, along: intensity.plane.axis, step: intensity.sliceStep))
    case .patches: .patches(VolumePatches(of: placement, extents: extents, overlap: intensity.overlap))
    }
  }

  /// Values of one prepared image.
  func count(of views: ImageViews) -> Int {
    switch views {
    case .whole: count
    case .slices(let slices): count * slices.seen.count
    case .patches(let patches): patches.field.axes.reduce(channels) { $0 * $1.count }
    }
  }

  /// Sides of the field that views are cut from.
  /// - Parameters:
  ///   - source: the part of the image that is seen.
  ///   - spacing: how far its samples lie apart along each axis; nil where it is not known, or not asked for.
  func fieldSides(of source: [Range<Int>], spacing: [Double]?) -> [Int] {
    func samples(_ axis: Int) -> Int {
      guard let spacing, !intensity.spacing.isEmpty else { return source[axis].count }
      let samples = (Double(source[axis].count) * spacing[axis] / intensity.spacing[axis]).rounded()
      return Int(min(max(1, samples), Double(ImageReader.maximumSamples)))
    }
    switch intensity.views {
    case .whole: return extents
    case .slices:
      let axis = intensity.plane.axis
      return Array(extents[..<axis]) + [samples(axis)] + Array(extents[axis...])
    case .patches: return extents.indices.map { max(extents[$0], samples($0)) }
    }
  }
}

extension InputConfiguration {
  /// One score from those of an image's views; no number where one of them is none.
  func gather(_ scores: [Double]) -> Double {
    guard let first = scores.first, !scores.contains(where: \.isNaN) else { return .nan }
    switch gather {
    case .max: return scores.reduce(first, Swift.max)
    case .mean: return scores.reduce(0, +) / Double(scores.count)
    case .top:
      let highest = scores.sorted(by: >).prefix(Swift.max(1, scores.count / 10))
      return highest.reduce(0, +) / Double(highest.count)
    }
  }
}

extension InputConfiguration.Plane {
  /// The axis of a volume, slowest first, that slices of the plane are counted along.
  var axis: Int {
    switch self {
    case .axial: 0
    case .coronal: 1
    case .sagittal: 2
    }
  }
}
