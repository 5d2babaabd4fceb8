/// Which lesions anomaly maps point to, and where they point in vain, collected image by image.
///
/// As in CAMELYON16 (Ehteshami Bejnordi et al., JAMA 2017): a candidate inside a lesion's mask finds the lesion; the
/// highest of several counts and the others are neither hits nor false positives; every candidate outside all masks is a
/// false positive, in images with lesions too. Candidates are the local maxima of the map, `AnomalyCandidate`; lesions are
/// the connected regions of the mask, `ConnectedRegions`.
public struct LesionDetection: Sendable {
  /// A lesion and how surely it was found.
  public struct Lesion: Codable, Equatable, Sendable {
    /// Its image, counted from 0 in the order they were added.
    public let image: Int
    /// What the image is called; nil where nobody told.
    public let imageName: String?
    /// Its number in the image, from 1, see `ConnectedRegions`.
    public let region: Int
    /// Pixels or voxels.
    public let size: Int
    /// The highest candidate in it; nil where there is none. A threshold of at most this finds it.
    public let confidence: Float?
  }

  /// Maxima closer than this to a higher one are left out, in pixels; 0 keeps all.
  public let separation: Double
  /// How many images were added.
  public private(set) var imageCount = 0
  /// All lesions, image by image.
  public private(set) var lesions: [Lesion] = []
  /// The confidences of the candidates outside all lesions.
  public private(set) var falsePositives: [Float] = []

  /// Starts without images.
  public init(separation: Double = 0) { self.separation = separation }

  /// Adds an image.
  /// - Parameters:
  ///   - map: finite values, any range.
  ///   - mask: with as many pixels in the same order; without abnormal pixels is fine.
  ///   - name: of the image, used in messages and in `lesions`; or nil.
  /// - Throws: `EvaluationError.mapAndMaskDiffer` or `.mapNotFinite`, naming the image; it is then not added.
  public mutating func add(map: [Float], mask: GroundTruthMask, name: String? = nil) throws(EvaluationError) {
    try mask.requireFit(of: map, index: imageCount, name: name)
    let regions = ConnectedRegions(mask)
    var best = [Float?](repeating: nil, count: regions.sizes.count)
    let extents = (width: mask.width, height: mask.height, depth: mask.depth)
    for candidate in AnomalyCandidate.maxima(of: map, extents: extents, separation: separation) {
      let region = Int(regions.labels[candidate.pixel])
      if region == 0 {
        falsePositives.append(candidate.confidence)
      } else {
        best[region - 1] = max(best[region - 1] ?? candidate.confidence, candidate.confidence)
      }
    }
    for (index, size) in regions.sizes.enumerated() {
      lesions.append(
        Lesion(image: imageCount, imageName: name, region: index + 1, size: size, confidence: best[index]))
    }
    imageCount += 1
  }

  /// The curve over all images so far.
  /// - Throws: `EvaluationError.oneClassOnly` where there is no lesion.
  public func froc() throws(EvaluationError) -> FROC {
    if lesions.isEmpty { throw .oneClassOnly(missing: .abnormal, figure: "Sensitivity per lesion (FROC)") }
    return FROC(
      found: lesions.compactMap(\.confidence), falsePositives: falsePositives, lesionCount: lesions.count,
      imageCount: imageCount)
  }
}
