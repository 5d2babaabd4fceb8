/// How images become network input: which values are black and white, on which scale, and which part of the image at which
/// size. All of it travels in the checkpoint.
///
/// In this order: the body is found, black and white are fixed, the image is resampled, its contrast equalised, the rest of the
/// network's grid padded with black, and the whole brought to the scale of `intensity`. Everything is off unless said
/// otherwise: images are stretched to the network's sides. DICOM's MONOCHROME1 is turned around on reading. Volumes may be seen
/// slice by slice or box by box (`views`); scores and maps are the volumes' all the same.
public struct InputConfiguration: Codable, Equatable, Sendable {
  /// The scale of pixel values.
  public enum Intensity: String, Codable, CaseIterable, Sendable {
    /// 0 ... 1 over the window.
    case unit
    /// −1 ... 1 over the window.
    case symmetric
    /// Each image minus its mean, divided by `deviations` standard deviations, cut to −1 ... 1: exposure drops out. Mean and
    /// deviation are taken over all pixels of the image that the network sees, not over the padding, nor over the body alone,
    /// whose rim would decide about the scale of everything within; `crop` leaves most of the air out.
    case standardised
  }
  /// How an image of one shape becomes a network's input of another.
  public enum Aspect: String, Codable, CaseIterable, Sendable {
    /// Each side is brought to the network's by itself.
    case stretch
    /// All sides by one factor, so that the image just fits; the rest, half before and half behind it, is black. Sides count in
    /// millimetres where the file tells the spacing, in pixels where it does not.
    case pad
  }
  /// Which part of an image the network sees.
  public enum Crop: String, Codable, CaseIterable, Sendable {
    /// All of it.
    case none
    /// The box around the body; see `BodyRegion`.
    case body
  }

  /// What of an image a network sees at once.
  public enum Views: String, Codable, CaseIterable, Sendable {
    /// All of it.
    case whole
    /// Of a volume, one slice: how methods for images are trained on volumes and score them.
    case slices
    /// Of a volume, a box with the network's sides, at the volume's own scale or that of `spacing`: how methods for volumes
    /// work on volumes that are larger than they.
    case patches
  }
  /// How slices lie in the patient.
  public enum Plane: String, Codable, CaseIterable, Sendable {
    /// From the feet to the head, one behind the other.
    case axial
    /// From the back to the front.
    case coronal
    /// From the left to the right.
    case sagittal
  }
  /// How the scores of a volume's slices or patches become the volume's.
  public enum Gathering: String, Codable, CaseIterable, Sendable {
    /// The highest: a lesion is in few of them.
    case max
    /// Their mean.
    case mean
    /// The mean of the highest tenth, of one at least.
    case top
  }

  /// The scale of pixel values.
  public var intensity = Intensity.symmetric
  /// Standard deviations that `standardised` maps to 1.
  public var deviations = 3.0
  /// The values that count as black and white, for example `[0, 15]` for PET in SUV; what lies outside is cut. Empty: the
  /// file format's range, and of formats without one, floating point and volumes, each image's own extremes.
  public var window: [Double] = []
  /// The same for the paired image, for example `[-1000, 1000]` for CT in Hounsfield units.
  public var pairedWindow: [Double] = []
  /// In place of a window: the percentiles of each image that count as black and white, for example `[0.5, 99.5]`, linear
  /// between values; of the part that the network sees.
  public var percentiles: [Double] = []
  /// The same for the paired image.
  public var pairedPercentiles: [Double] = []
  /// Contrast-limited equalisation of the image; the paired image keeps its values.
  public var clahe = EqualisationConfiguration()
  /// How the sides are brought to the network's; has no say where `spacing` is given.
  public var aspect = Aspect.stretch
  /// Millimetres between the network's samples, slowest axis first (`[z, y, x]`, `[y, x]` of images): every image is seen at
  /// this scale, its middle in the network's middle; what does not fit is cut off, what is missing is black. Empty: the scale
  /// follows from `aspect`.
  public var spacing: [Double] = []
  /// Which part of an image the network sees.
  public var crop = Crop.none
  /// What of it the network sees at once. Slices are brought to the network's sides in their plane; patches are not scaled
  /// but by `spacing`.
  public var views = Views.whole
  /// How slices lie.
  public var plane = Plane.axial
  /// One of so many slices is seen; maps are linear between them.
  public var sliceStep = 1
  /// The share of a side that neighbouring patches have in common, at least; their maps are blended.
  public var overlap = 0.5
  /// Slices or patches of each volume that an epoch of training sees, drawn at random; 0: all.
  public var viewsPerImage = 0
  /// How the scores of slices or patches become the volume's.
  public var gather = Gathering.max

  /// Published scale.
  public init() {}

  /// Checks every key.
  /// - Parameter extents: the network's sides.
  /// - Throws: `ConfigurationError` naming the key.
  func validate(extents: [Int]) throws(ConfigurationError) {
    func require(_ holds: Bool, _ key: String, _ value: some Sendable, _ allowed: String) throws(ConfigurationError) {
      guard holds else { throw .invalidValue(key: "input.\(key)", value: "\(value)", allowed: allowed) }
    }
    try require(deviations > 0, "deviations", deviations, "above 0")
    for (key, window) in [("window", window), ("pairedWindow", pairedWindow)] {
      try require(
        window.isEmpty || window.count == 2 && window[0] < window[1] && window.allSatisfy { Float($0).isFinite },
        key, window, "two ascending numbers, or empty")
    }
    for (key, shares, windowKey, window) in [
      ("percentiles", percentiles, "window", window),
      ("pairedPercentiles", pairedPercentiles, "pairedWindow", pairedWindow),
    ] {
      try require(
        shares.isEmpty
          || shares.count == 2 && shares[0] < shares[1] && shares.allSatisfy { (0...100).contains($0) },
        key, shares, "two ascending numbers of 0 to 100, or empty")
      try require(
        shares.isEmpty || window.isEmpty, key, shares,
        "empty while input.\(windowKey) fixes black and white; give one of the two")
    }
    try require((0...1).contains(clahe.clipLimit), "clahe.clipLimit", clahe.clipLimit, "0 (off) to 1")
    try require((1...64).contains(clahe.tiles), "clahe.tiles", clahe.tiles, "1 to 64")
    let axes = extents.count == 3 || views == .slices ? 3 : 2
    try require(
      spacing.isEmpty || spacing.count == axes && spacing.allSatisfy { (1e-3...1e3).contains($0) }, "spacing",
      spacing,
      "\(axes == 3 ? "three numbers, for z, y and x," : "two numbers, for y and x,") of 0.001 to 1000 millimetres, or empty"
    )
    try require(
      views != .slices || extents.count == 2, "views", views.rawValue,
      "whole or patches, as the method takes volumes; slices are for methods that take images")
    try require(
      views != .patches || extents.count == 3, "views", views.rawValue,
      "whole, or slices of volumes, as the method takes images; patches are for methods that take volumes")
    try require(
      views != .patches || aspect == .stretch, "aspect", aspect.rawValue,
      "stretch while input.views is patches, which are not scaled but by input.spacing")
    try require((1...1000).contains(sliceStep), "sliceStep", sliceStep, "1 to 1000")
    try require((0...0.9).contains(overlap), "overlap", overlap, "0 to 0.9")
    try require(viewsPerImage >= 0, "viewsPerImage", viewsPerImage, "0 (all) or a number of slices or patches")
  }

  /// Whether images prepared for another configuration are the same: only the scale may differ.
  func preparesAlike(_ other: InputConfiguration) -> Bool {
    var other = other
    (other.intensity, other.deviations) = (intensity, deviations)
    return self == other
  }
}

/// Contrast-limited adaptive histogram equalisation; see `ContrastEqualisation`.
public struct EqualisationConfiguration: Codable, Equatable, Sendable {
  /// The largest share of a tile's pixels that one grey level may hold; larger gives more contrast, 0 none at all: off.
  public var clipLimit = 0.0
  /// Tiles along each side of the image.
  public var tiles = 8

  /// Off.
  public init() {}
}
