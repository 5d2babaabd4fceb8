/// The free-response ROC: the share of lesions found against false positives per image (Bunch et al. 1978).
public struct FROC: Codable, Equatable, Sendable {
  /// One point of the curve: a threshold at which a further lesion is found.
  public struct Point: Codable, Equatable, Sendable {
    /// Candidates of at least this confidence count.
    public let threshold: Double
    /// False positives / images.
    public let falsePositivesPerImage: Double
    /// Lesions found / lesions, 0 ... 1.
    public let sensitivity: Double
  }

  /// At how many false positives per image the sensitivity is averaged for `score` (LUNA16; Setio et al. 2017).
  public static let ratesOfScore = [0.125, 0.25, 0.5, 1, 2, 4, 8]

  /// The points, thresholds descending, one per distinct confidence of a found lesion; between them the curve is level.
  public let points: [Point]
  /// Lesions in all images.
  public let lesionCount: Int
  /// Images, with lesions or without.
  public let imageCount: Int

  init(found: [Float], falsePositives: [Float], lesionCount: Int, imageCount: Int) {
    let found = found.sorted(by: >)
    let alarms = falsePositives.sorted(by: >)
    var (hit, alarm) = (0, 0)
    var points: [Point] = []
    while hit < found.count {
      let threshold = found[hit]
      while hit < found.count, found[hit] == threshold { hit += 1 }
      while alarm < alarms.count, alarms[alarm] >= threshold { alarm += 1 }
      points.append(
        Point(
          threshold: Double(threshold), falsePositivesPerImage: Double(alarm) / Double(imageCount),
          sensitivity: Double(hit) / Double(lesionCount)))
    }
    (self.points, self.lesionCount, self.imageCount) = (points, lesionCount, imageCount)
  }

  /// The highest sensitivity that has no more than `rate` false positives per image, 0 ... 1.
  ///
  /// A threshold reaches it: nothing is interpolated, as some challenges' scripts do.
  public func sensitivity(atFalsePositivesPerImage rate: Double) -> Double {
    points.last { $0.falsePositivesPerImage <= rate }?.sensitivity ?? 0
  }

  /// The sensitivities at `ratesOfScore`.
  public var sensitivities: [Double] {
    Self.ratesOfScore.map { sensitivity(atFalsePositivesPerImage: $0) }
  }

  /// The mean of `sensitivities`, 0 ... 1: the competition performance metric (CPM; Niemeijer et al. 2011).
  public var score: Double { sensitivities.reduce(0, +) / Double(Self.ratesOfScore.count) }
}
