import Torch

/// A stage of training in which a backbone learns to tell pasted patches: what CutPaste scores by, and where PaDiM and
/// PatchCore get features from when no weights are given.
struct CutPastePretext {
  private let network: FeatureNetwork
  private let task: CutPasteTask
  private let epochs: Int

  /// - Parameter epochs: of the run, over which the rate falls.
  init(_ network: FeatureNetwork, _ settings: CutPasteTaskConfiguration, in run: RunConfiguration) {
    self.network = network
    task = CutPasteTask(configuration: settings, lowest: run.inputSpecification.background)
    epochs = run.training.epochs
  }

  /// Stochastic gradient descent with momentum along half a cosine.
  /// - Parameter givesScores: whether the features are scored by while they are learnt.
  func stage(givesScores: Bool = true) -> TrainingStage {
    let settings = task.configuration
    let update = TrainingUpdate(
      name: "pretext", module: network,
      options: MomentumSGDOptions(
        learningRate: settings.learningRate, momentum: settings.momentum, weightDecay: settings.weightDecay),
      schedule: .cosine(period: epochs, floor: 0), interval: 1)
    return TrainingStage(name: "pretext", updates: [update], givesScores: givesScores)
  }

  /// Cross entropy over the three classes (eq. 1 with three), and the share of images that are told right.
  /// - Parameter batch: normal images; the network sees three times as many.
  func losses(on batch: Tensor, random: Generator) throws -> Losses {
    let (images, classes) = try task(batch, random: random)
    let maps = try network.features(images, depth: 4, mode: .training)
    guard let last = maps.last else { throw TorchError("pretext", "the backbone has no layers") }
    let logits = try network.logits(last, mode: .training)
    let loss = try logits.crossEntropy(classes: classes)
    let accuracy = try logits.detached().indexOfMaximum(axis: 1).equal(classes).to(.float32).mean()
    return Losses(total: loss, parts: [("pretext", loss), ("accuracy", accuracy)])
  }
}
