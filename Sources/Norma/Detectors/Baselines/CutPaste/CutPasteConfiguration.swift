/// Everything that defines CutPaste; the defaults are the published values (Li et al., CVPR 2021, §4 and appendix A).
public struct CutPasteConfiguration: DetectorConfiguration {
  /// How an anomaly is located.
  public enum Localisation: String, Codable, CaseIterable, Sendable {
    /// By GradCAM of the distance, as published for whole images (§4.2).
    case gradCAM
    /// By the distance of every position's features of the last layer from those of normal images: ours.
    case local
  }

  /// Image side in pixels.
  public var imageSize = 256
  /// The network; given weights are where training starts.
  public var backbone = BackboneConfiguration()
  /// The pretext task and how it is trained.
  public var task = CutPasteTaskConfiguration()
  /// The score that ranks images.
  public var scoring = CutPasteScore.default
  /// The map that is shown first.
  public var localisation = Localisation.gradCAM

  /// The published network and task.
  public init() {}

  /// Checks what the types cannot.
  /// - Throws: `ConfigurationError` naming the key, what it holds and what it may hold.
  public func validate() throws(ConfigurationError) {
    guard imageSize >= 32 else {
      throw .invalidValue(key: "detector.imageSize", value: "\(imageSize)", allowed: "32 or more")
    }
    try backbone.validate()
    guard backbone.pretext == .cutPaste else {
      throw .invalidValue(
        key: "detector.backbone.pretext", value: backbone.pretext.rawValue,
        allowed: "cutpaste, as the method is that task")
    }
    try task.validate()
  }
}

/// The scores that CutPaste can give; larger is more unusual.
public enum CutPasteScore: String, Codable, CaseIterable, Sendable {
  /// Distance of the embedding from those of normal images, as published.
  case mahalanobis
  /// The probability that something was pasted, by the pretext task's classifier.
  case pastedProbability

  /// The paper's.
  public static let `default` = CutPasteScore.mahalanobis
}

extension CutPasteConfiguration {
  /// `cutpaste`.
  public static var method: DetectionMethod { .cutPaste }

  /// Fresh weights.
  public func makeDetector(in run: RunConfiguration) throws -> any AnomalyDetector {
    try CutPasteDetector(self, in: run)
  }
}
