import Torch

/// A backbone that reads images in network scale, and the head that its pretext task is solved with.
///
/// Keys `backbone.…`, and `head.…` where it learns its weights from a pretext task.
final class FeatureNetwork: Module {
  let configuration: BackboneConfiguration
  private let backbone: ResidualNetwork
  private let head: PretextHead?
  /// The network scale of black: 0 or −1.
  private let background: Double

  /// - Parameters:
  ///   - background: the network scale of black.
  ///   - hasHead: whether a pretext task is learnt.
  init(
    _ configuration: BackboneConfiguration, background: Double, hasHead: Bool, seed: Int
  ) throws(TorchError) {
    self.configuration = configuration
    let generator = try Generator(seed: UInt64(seed))
    backbone = try ResidualNetwork(configuration, depth: hasHead ? 4 : 3, generator: generator)
    head = hasHead ? try PretextHead(width: configuration.featureChannels[3], generator: generator) : nil
    self.background = background
  }

  override var parts: [Part] { [.module("backbone", backbone)] + (head.map { [.module("head", $0)] } ?? []) }

  /// Takes up the weights that the configuration names.
  /// - Throws: `SerialisationError`, `BackboneWeightsError` or `TorchError`.
  func readGivenWeights() throws {
    guard configuration.isPretrained else { return }
    try BackboneWeights(contentsOf: configuration.weights).load(into: backbone, configuration.architecture)
  }

  /// The feature maps of the first layers, `[B, C, h, w]`, finest first.
  /// - Parameter images: greys in network scale, `[B, 1, H, W]`.
  func features(_ images: Tensor, depth: Int, mode: Mode) throws(TorchError) -> [Tensor] {
    try backbone(configuration.isPretrained ? asPretrained(images) : images, depth: depth, mode: mode)
  }

  /// Logits of the pretext task's classes, `[B, 3]`, from the last layer's feature maps.
  /// - Throws: `TorchError` for a network without a head.
  func logits(_ maps: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    guard let head else { throw TorchError("pretext", "the network was built without the task's head") }
    return try head(maps.mean([2, 3]), mode: mode)
  }

  /// Greys as three channels by ImageNet's mean and standard deviation of red, green and blue in 0 … 1, on which
  /// torchvision's weights were trained.
  private func asPretrained(_ images: Tensor) throws(TorchError) -> Tensor {
    let mean = try Tensor([Float(0.485), 0.456, 0.406], shape: [1, 3, 1, 1], on: images.device)
    let deviation = try Tensor([Float(0.229), 0.224, 0.225], shape: [1, 3, 1, 1], on: images.device)
    return try ((images - background) / (1 - background) - mean) / deviation
  }
}

/// What a pretext task is solved with: a projection of two layers, and a linear classifier (CutPaste §2.2, appendix A).
///
/// Keys `projection.0`, `norm.0`, `projection.1`, `norm.1`, `classifier`.
final class PretextHead: Module {
  private static let projected = 128
  private let projections: [Linear]
  private let norms: [BatchNorm]
  private let classifier: Linear

  /// - Parameter width: numbers of a pooled embedding.
  init(width: Int, generator: Generator) throws(TorchError) {
    projections = [
      try Linear(inputs: width, outputs: width, bias: false, generator: generator),
      try Linear(inputs: width, outputs: Self.projected, bias: false, generator: generator),
    ]
    norms = [try BatchNorm(channels: width), try BatchNorm(channels: Self.projected)]
    classifier = try Linear(inputs: Self.projected, outputs: CutPasteTask.classes, generator: generator)
  }

  override var parts: [Part] {
    zip(projections, norms).enumerated().flatMap { index, pair in
      [Part.module("projection.\(index)", pair.0), .module("norm.\(index)", pair.1)]
    } + [.module("classifier", classifier)]
  }

  /// Logits `[B, classes]` of pooled embeddings `[B, width]`.
  func callAsFunction(_ embeddings: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    var hidden = embeddings
    for (projection, norm) in zip(projections, norms) { hidden = try norm(projection(hidden), mode: mode).relu() }
    return try classifier(hidden)
  }
}
