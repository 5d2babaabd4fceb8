import Torch

// What TensorBoard is told of a run; steps are epochs, counted over all stages.
extension Trainer {
  /// Epochs of all stages that are trained.
  private var epochsTrained: Int { position.epochsTrained ?? position.epoch }

  /// Begins the run's event file.
  func beginTensorBoard() throws { try tensorBoard?.begin(after: epochsTrained) }

  /// Tells the figures of the epoch that is just done, before it is counted.
  func tellTensorBoard(
    losses: [(name: String, value: Double)], stage: TrainingStage, imagesPerSecond: Double
  ) throws {
    let own = detector.stages.count > 1 ? "\(stage.name)/" : ""
    let rates = (runner?.optimisers ?? [:]).map {
      (tag: "\(own)learningRate/\($0.key)", value: $0.value.learningRates[0])
    }
    try tensorBoard?.add(
      losses.map { (tag: "\(own)loss/\($0.name)", value: $0.value) } + rates + [
        (tag: "\(own)imagesPerSecond", value: imagesPerSecond)
      ], epoch: epochsTrained + 1)
  }

  /// Tells the AUROC of a labelled set after an epoch.
  func tellTensorBoard(aurocs: [String: Double], of set: String) throws {
    try tensorBoard?.add(aurocs.map { (tag: "auroc/\(set)/\($0.key)", value: $0.value) }, epoch: epochsTrained)
  }

  /// Whether TensorBoard gets pictures after the epoch: whenever a checkpoint is written, and at the end of a stage.
  func showsPictures(after stage: TrainingStage, isLast: Bool) -> Bool {
    let interval = configuration.training.checkpointInterval
    return tensorBoard != nil && stage.givesScores && (isLast || interval > 0 && position.epoch % interval == 0)
  }

  /// Shows what the detector, fitted, makes of the first training images, or of their first slices or boxes.
  func showPictures() throws {
    guard let tensorBoard else { return }
    let images = data.training
    let views = Array(images.views.indices.prefix(4))
    let values = try views.map { try images.values(ofView: $0, in: images.values(at: images.views[$0].image)) }
    let batch = try images.batch(values, at: views, on: device)
    let explanation = try withoutGradients { try detector.explanation(of: batch) }
    let specification = images.specification
    try tensorBoard.add(specification.greys(batch), tag: "input", range: 0...1, epoch: epochsTrained)
    if let reconstruction = explanation.reconstruction {
      try tensorBoard.add(
        specification.greys(reconstruction), tag: "reconstruction", range: 0...1, epoch: epochsTrained)
    }
    for (name, map) in explanation.maps { try tensorBoard.add(map, tag: "map/\(name)", epoch: epochsTrained) }
  }
}
