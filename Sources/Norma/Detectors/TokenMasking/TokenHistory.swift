import Torch

/// What training remembers beside the networks: the code sequences of the training images, what is masked of them, and how far
/// a pass over them has come. It travels in the state that a run resumes from.
struct TokenHistory {
  /// Codes of the training images, `[N, L]`, int16 on the processor; nil before the VQ-VAE is trained.
  var codes: Tensor?
  /// Codes of the paired images.
  var contextCodes: Tensor?
  /// What identifies each training image: a hash of its codes, `[N]`, int64.
  var images: Tensor?
  /// The half that each training image belongs to, 0 or 1, where parts of one volume must not be divided; nil where each image
  /// goes by its own number.
  var halves: [Int]?
  /// The suspected tokens, `[N, L]`, `bool`; nil before the first round of masking.
  var suspected: Tensor?
  /// How much each token counts, `[N, L]`, 0 for suspected ones; nil while all count alike.
  var weights: Tensor?
  /// The threshold that the masks came from; 0 before there is one.
  var mapThreshold = 0.0
  /// Rounds of masking so far.
  var round = 0
  /// Whether the masks no longer change.
  var hasConverged = false
  /// The best cross entropy of the running stage on held-out images, for each transformer.
  var bestLosses: [Double] = []
  /// Weights that gave it.
  var bestWeights: [String: Tensor] = [:]
  /// How far the running pass over the training images has come.
  var pass = Pass()

  /// A pass over the training images, so that a stopped one goes on where it was.
  struct Pass {
    /// Images done.
    var done = 0
    /// Suspicion of the tokens of images so far, `[done, L]`.
    var suspicion: [Tensor] = []
    /// Maps of images so far, float16.
    var maps: [Tensor] = []
    /// Counts of the map's values.
    var histogram = MapHistogram()
    /// Share of tokens that were flagged, summed over images.
    var flagged = 0.0
  }

  /// Stored sequences, with what they read and how much their tokens count.
  func rows(_ indices: [Int], on device: Device) throws -> (tokens: Tensor, context: Tensor?, weights: Tensor?) {
    guard let codes else { throw TorchError("codes", "the training images have not been encoded") }
    let index = try Tensor(indices, shape: [indices.count])
    func chosen(_ all: Tensor, _ dtype: DType) throws(TorchError) -> Tensor {
      try all.selecting(index, axis: 0).to(dtype).to(device)
    }
    return (
      try chosen(codes, .int64), try contextCodes.map { all throws(TorchError) in try chosen(all, .int64) },
      try weights.map { all throws(TorchError) in try chosen(all, .float32) }
    )
  }

  /// What a checkpoint keeps of the rounds: the masks with what identifies their images, threshold and number of rounds.
  var record: [String: Tensor] {
    get throws(TorchError) {
      guard let images, let suspected else { return [:] }
      return [
        "rounds.images": images, "rounds.suspected": try suspected.to(.uint8),
        "rounds.summary": try Tensor([mapThreshold, Double(round)], shape: [2]),
      ]
    }
  }

  /// Everything, for a run to resume from.
  var state: [String: Tensor] {
    get throws(TorchError) {
      var state = bestWeights
      state["codes"] = codes
      state["contextCodes"] = contextCodes
      state["images"] = images
      state["halves"] = try halves.map { halves throws(TorchError) in try Tensor(halves, shape: [halves.count]) }
      state["suspected"] = try suspected?.to(.uint8)
      state["weights"] = weights
      let numbers = [mapThreshold, Double(round), hasConverged ? 1 : 0, Double(pass.done), pass.flagged] + bestLosses
      state["numbers"] = try Tensor(numbers, shape: [numbers.count])
      if !pass.suspicion.isEmpty { state["pass.suspicion"] = try .concatenated(pass.suspicion, axis: 0) }
      if !pass.maps.isEmpty { state["pass.maps"] = try .concatenated(pass.maps, axis: 0) }
      state["pass.histogram"] = try Tensor(pass.histogram.counts, shape: [pass.histogram.counts.count])
      return state
    }
  }

  /// Nothing yet.
  init() {}

  /// Takes up what `state` gave.
  init(state: [String: Tensor]) throws(TorchError) {
    codes = state["codes"]
    contextCodes = state["contextCodes"]
    images = state["images"]
    halves = try state["halves"]?.values(as: Int.self)
    suspected = try state["suspected"]?.equal(1)
    weights = state["weights"]
    bestWeights = state.filter { $0.key.hasPrefix("best.") }
    if let numbers = try state["numbers"]?.values(as: Double.self), numbers.count >= 5 {
      (mapThreshold, round, hasConverged) = (numbers[0], Int(numbers[1]), numbers[2] == 1)
      (pass.done, pass.flagged) = (Int(numbers[3]), numbers[4])
      bestLosses = Array(numbers[5...])
    }
    pass.suspicion = state["pass.suspicion"].map { [$0] } ?? []
    pass.maps = state["pass.maps"].map { [$0] } ?? []
    if let counts = try state["pass.histogram"]?.values(as: Double.self) {
      pass.histogram = MapHistogram(counts: counts)
    }
  }
}
