import Evaluation
import MedicalImaging
import Norma
import Reporting

/// How a case is drawn: an image as it is; a volume as three slices through the middle of the largest true lesion or, where
/// none is known, through the largest value of the default map.
struct CaseView {
  /// The input, black and white as the detector sees it.
  let input: Image2D
  /// Which of the input's pixels are abnormal; nil where no mask is known.
  private let mask: [Bool]?
  /// The point that the slices go through, as shares of the sides; the middle for images.
  private let place: SIMD3<Double>

  /// Reads what a result is about, unless it has that with it.
  /// - Throws: `ImageError` when the image or its mask cannot be read.
  init(of result: AnomalyResult, specification: InputSpecification) throws {
    let image = try result.source ?? MedicalImage.read(result.item.path, isVolume: specification.isVolume)
    let truth = try result.item.maskPath.map { try MedicalImage.read($0, isVolume: specification.isVolume) }
    let drawn = truth.flatMap { $0.grid.coincides(with: image.grid) ? $0.marked : nil }
    let marked = truth == nil ? result.item.boxes?.marked(on: image.grid) : drawn
    let window = try specification.window(of: image)
    switch image {
    case .image(let image):
      let grey = image.grey
      input = Image2D(width: grey.width, height: grey.height, samples: grey.samples, range: window)
      (mask, place) = (marked, SIMD3(repeating: 0.5))
    case .volume(let volume):
      let voxel = Self.shownVoxel(of: volume.grid, marked: marked, map: result.maps.first?.map)
      let view = OrthogonalView(of: volume.grid, through: voxel)
      input = view.picture(of: volume.samples, window: window)
      mask = marked.map { view.values(of: $0, background: false) }
      place = (SIMD3<Double>(voxel) + 0.5) / SIMD3<Double>(volume.grid.sides)
    }
  }

  /// A reconstruction or another picture of the method's; a volume may lie on a grid of its own over the same space.
  func picture(of image: MedicalImage) -> Image2D {
    switch image {
    case .image(let image): image
    case .volume(let volume): slices(of: volume.grid).picture(of: volume.samples, window: volume.range)
    }
  }

  /// The input with the outline of the true lesion; nil where no mask is known.
  func truth() throws -> Image2D? {
    guard let mask else { return nil }
    let nothing = try HeatMap(
      values: [Float](repeating: 0, count: input.width * input.height), width: input.width, height: input.height)
    return try nothing.overlaid(on: input, in: 0...1, contour: Contour(mask: mask))
  }

  /// A map over the input, with the outline of the true lesion where a mask is known.
  func overlay(_ map: AnomalyMap, range: ClosedRange<Float>) throws -> Image2D {
    let heat: HeatMap
    if map.grid.isVolume {
      let view = slices(of: map.grid)
      let values = view.values(of: map.values, background: range.lowerBound)
      heat = try HeatMap(values: values, width: view.width, height: view.height)
    } else {
      heat = try HeatMap(values: map.values, width: map.width, height: map.height)
    }
    return try heat.overlaid(on: input, in: range, contour: mask.map { Contour(mask: $0) })
  }

  private func slices(of grid: ImageGrid) -> OrthogonalView {
    OrthogonalView(of: grid, through: SIMD3<Int>(place * SIMD3<Double>(grid.sides)))
  }

  // MARK: The point to show

  private static func shownVoxel(of grid: ImageGrid, marked: [Bool]?, map: AnomalyMap?) -> SIMD3<Int> {
    func voxel(_ sample: Int) -> SIMD3<Int> {
      SIMD3(sample % grid.width, sample / grid.width % grid.height, sample / (grid.width * grid.height))
    }
    if let marked {
      let regions = ConnectedRegions(
        GroundTruthMask(width: grid.width, height: grid.height, depth: grid.depth, pixels: marked))
      if let largest = regions.sizes.indices.max(by: { regions.sizes[$0] < regions.sizes[$1] }) {
        let members = regions.labels.indices.filter { regions.labels[$0] == Int32(largest + 1) }
          .map { SIMD3<Double>(voxel($0)) }
        let middle = members.reduce(SIMD3<Double>.zero, +) / Double(members.count)
        func distance(_ member: SIMD3<Double>) -> Double { ((member - middle) * (member - middle)).sum() }
        if let nearest = members.min(by: { distance($0) < distance($1) }) { return SIMD3<Int>(nearest) }
      }
    }
    let peak = map.flatMap { map in map.values.indices.max { map.values[$0] < map.values[$1] } }
    return voxel(peak ?? grid.count / 2)
  }
}

extension ImageGrid {
  /// Samples along x, y and z.
  fileprivate var sides: SIMD3<Int> { SIMD3(width, height, depth) }
}
