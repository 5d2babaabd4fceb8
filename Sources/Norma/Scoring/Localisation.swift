public import Evaluation
import MedicalImaging

/// How well a detector's anomaly maps find what masks mark.
public struct Localisation: Sendable {
  /// Figures of every map in the method's order, the default one first; empty where no mask can be used.
  public let maps: [(name: String, figures: PixelFigures)]
  /// Lesions found against false positives per image, of every map in the same order.
  public var lesions: [(name: String, curve: FROC)] = []
  /// Abnormal images that had to be left out, each with the reason and what to do.
  public let warnings: [String]

  /// Compares the maps of labelled images or volumes with their masks, each on the grid of its image. Every pixel of a normal
  /// image is normal.
  ///
  /// Without a mask at any abnormal image nothing is computed. Maps are counted one by one and not held in memory
  /// (`PixelAccumulator`, `LesionDetection`).
  /// - Throws: `EvaluationError` when a map holds values that are no numbers, or masks mark every pixel there is.
  public static func evaluate(
    _ scorer: Scorer, on images: PreparedImages, progress: ProgressHandler = { _ in }
  ) throws -> Localisation {
    let abnormal = images.items.indices.filter { images.items[$0].label == .abnormal }
    guard abnormal.contains(where: { images.items[$0].isMarked }) else {
      return Localisation(maps: [], warnings: [])
    }
    var masks: [DataItem: GroundTruthMask] = [:]
    var warnings: [String] = []
    // Sets with boxes have many images that readers found something in without marking it.
    let hasBoxes = abnormal.contains { images.items[$0].boxes != nil }
    let unmarked = hasBoxes ? abnormal.count { !images.items[$0].isMarked } : 0
    if unmarked > 0 {
      warnings.append(
        "\(unmarked) of \(abnormal.count) abnormal images have no boxes (left out of the localisation figures)")
    }
    for index in abnormal where !hasBoxes || images.items[index].isMarked {
      do throws(MaskError) {
        masks[images.items[index]] = try mask(of: images.items[index], on: images.grids[index])
      } catch {
        warnings.append("\(error) (left out of the localisation figures)")
      }
    }
    guard !masks.isEmpty else { return Localisation(maps: [], warnings: warnings) }
    var names: [String] = []
    var pixels: [String: PixelAccumulator] = [:]
    var lesions: [String: LesionDetection] = [:]
    let usable = images.selecting { $0.label == .normal || masks[$0] != nil }
    try scorer.score(usable, explains: true, progress: progress) { result in
      names = result.maps.map(\.name)
      guard let map = result.maps.first?.map else { return }
      let truth = masks[result.item] ?? .empty(width: map.width, height: map.height, depth: map.depth)
      for (name, map) in result.maps {
        try pixels[name, default: PixelAccumulator()].add(map: map.values, mask: truth, name: result.item.name)
        try lesions[name, default: LesionDetection()].add(map: map.values, mask: truth, name: result.item.name)
      }
    }
    let figures = try names.map { name in
      (name: name, figures: try pixels[name, default: PixelAccumulator()].figures())
    }
    let curves = try names.map { name in (name: name, curve: try lesions[name, default: LesionDetection()].froc()) }
    return Localisation(maps: figures, lesions: curves, warnings: warnings)
  }

  /// The mask of an abnormal image on `grid`.
  private static func mask(of item: DataItem, on grid: ImageGrid) throws(MaskError) -> GroundTruthMask {
    guard let path = item.maskPath else { return try mask(of: item.boxes, of: item.path, on: grid) }
    let image: MedicalImage
    do { image = try MedicalImage.read(path, isVolume: grid.isVolume) } catch { throw .unreadable(error) }
    guard image.grid.extents == grid.extents else { throw .wrongSize(mask: path, found: image.grid, image: grid) }
    guard image.grid.coincides(with: grid) else { throw .elsewhere(mask: path) }
    let pixels = image.marked
    guard pixels.contains(true) else { throw .empty(mask: path, isVolume: grid.isVolume) }
    return GroundTruthMask(width: image.width, height: image.height, depth: image.depth, pixels: pixels)
  }

  /// The mask that boxes make.
  private static func mask(
    of boxes: [LesionBox]?, of image: String, on grid: ImageGrid
  ) throws(MaskError) -> GroundTruthMask {
    guard let boxes else { throw .missing(image: image) }
    guard let pixels = boxes.marked(on: grid) else { throw .boxesBeyond(image: image, grid: grid) }
    guard pixels.contains(true) else { throw .emptyBoxes(image: image) }
    return GroundTruthMask(width: grid.width, height: grid.height, depth: grid.depth, pixels: pixels)
  }
}

/// Why the mask of an abnormal image cannot be used.
private enum MaskError: Error, CustomStringConvertible {
  case missing(image: String)
  case boxesBeyond(image: String, grid: ImageGrid)
  case emptyBoxes(image: String)
  case unreadable(ImageError)
  case wrongSize(mask: String, found: ImageGrid, image: ImageGrid)
  case elsewhere(mask: String)
  case empty(mask: String, isVolume: Bool)

  var description: String {
    switch self {
    case .missing(let image):
      "\(image) has no mask; put one below masks/, at the path that the image has in the data set"
    case .boxesBeyond(let image, let grid):
      "\(image) has boxes that reach beyond its \(grid); use the images at the size at which they are published"
    case .emptyBoxes(let image):
      "\(image) has boxes that hold no pixel; correct them in the data set's table"
    case .unreadable(let error):
      error.description
    case .wrongSize(let mask, let found, let image):
      "\(mask) has \(found) and its image \(image.size); give both one size"
    case .elsewhere(let mask):
      "\(mask) has voxels that lie elsewhere in the patient than its image's; give both one grid"
    case .empty(let mask, let isVolume):
      isVolume
        ? "\(mask) marks no voxel; give abnormal voxels the value 1 and all others 0"
        : "\(mask) marks no pixel; draw abnormal pixels white and all others black"
    }
  }
}
