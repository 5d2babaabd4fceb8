public import Torch

/// The scores that follow from the errors of an image's pixels; larger is more unusual.
public enum ReconstructionScore: String, Codable, CaseIterable, Sendable {
  /// Mean error of all pixels.
  case reconstructionError
  /// Mean of the highest hundredth of the pixels' errors: for small lesions.
  case topPercent

  /// The usual score of baselines that reconstruct.
  public static let `default` = ReconstructionScore.reconstructionError

  /// The score of every image.
  /// - Parameter errors: `[B, …]`, one for each pixel.
  /// - Returns: `[B]`.
  func callAsFunction(_ errors: Tensor) throws(TorchError) -> Tensor {
    let pixels = try errors.reshaped([errors.extent(0), -1])
    return switch self {
    case .reconstructionError: try pixels.mean([1])
    case .topPercent: try pixels.top(max(1, pixels.extent(1) / 100), axis: 1).values.mean([1])
    }
  }
}

/// A baseline that is one network, trained in one stage, and calls unusual what the network does not give back: the plain
/// autoencoder and its kin share how errors become scores and a map.
public protocol ReconstructionDetector: AnomalyDetector {
  /// The score that ranks images.
  var scoring: ReconstructionScore { get }

  /// The images as the network gives them back, shaped like them.
  func reconstructions(of images: Tensor) throws -> Tensor

  /// The error of every pixel, shaped like the images.
  func errors(of reconstructions: Tensor, _ images: Tensor) throws -> Tensor

  /// The anomaly map that errors `[B, H, W]` are shown as, shaped like them.
  func map(of errors: Tensor) throws -> Tensor
}

extension ReconstructionDetector {
  /// Both scores, the configured one first.
  public var scoreNames: [String] {
    ReconstructionScore.all(startingWith: scoring).map(\.rawValue)
  }

  /// Mean error of an image's pixels, and of the highest hundredth of them.
  public func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String:
    Tensor]
  {
    try withoutGradients {
      let errors = try errors(of: reconstructions(of: batch), batch)
      var scores: [String: Tensor] = [:]
      for score in ReconstructionScore.allCases where names.contains(score.rawValue) {
        scores[score.rawValue] = try score(errors)
      }
      return scores
    }
  }

  /// The error of every pixel and the reconstruction.
  public func explanation(of batch: Tensor) throws -> Explanation {
    try withoutGradients {
      let reconstructions = try reconstructions(of: batch)
      let errors = try errors(of: reconstructions, batch).squeezed(1)
      return Explanation(
        maps: [(ReconstructionScore.reconstructionError.rawValue, try map(of: errors))],
        reconstruction: reconstructions)
    }
  }
}

extension TrainingStage {
  /// The one stage of a baseline that reconstructs: all of a network under Adam, at a constant rate or along half a cosine.
  /// - Parameters:
  ///   - name: of the update, for log and checkpoints.
  ///   - finalLearningRate: where the cosine brings the rate; that of `options`: it stays.
  ///   - epochs: the cosine's length.
  static func reconstruction(
    _ network: Module, named name: String, _ options: AdamOptions, finalLearningRate: Double, epochs: Int
  ) -> TrainingStage {
    let floor = finalLearningRate / options.learningRate
    let update = TrainingUpdate(
      name: name, module: network, options: options,
      schedule: floor == 1 ? .constant : .cosine(period: epochs, floor: floor), interval: 1)
    return TrainingStage(name: "reconstruction", updates: [update])
  }
}
