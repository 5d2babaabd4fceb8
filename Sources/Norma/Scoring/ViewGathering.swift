import Torch

/// What a detector says about one network's input, or about an image whose views were put together.
struct Finding {
  /// Raw scores by name.
  var scores: [String: Double]
  /// Maps by name, `[sides…]`.
  var maps: [(name: String, values: Tensor)] = []
  /// The reconstruction, 0 ... 1, `[sides…]`.
  var reconstruction: Tensor?
  /// Other pictures by caption, like the reconstruction.
  var steps: [(name: String, values: Tensor)] = []
}

/// Puts the findings of one image's views together: scores as the configuration says, maps and pictures side by side.
///
/// One image at a time is held: its maps over the field, not those of every view where boxes overlap.
struct ViewGathering {
  private let views: ImageViews
  private let configuration: InputConfiguration
  private var done = 0
  private var scores: [String: [Double]] = [:]
  private var names: (maps: [String], steps: [String]) = ([], [])
  private var maps: [JoinedMap] = []
  private var reconstruction: JoinedMap?
  private var steps: [JoinedMap] = []

  init(_ views: ImageViews, _ configuration: InputConfiguration) {
    (self.views, self.configuration) = (views, configuration)
  }

  /// Adds the next view's; the image's, once all views are added.
  mutating func add(_ finding: Finding) throws(TorchError) -> Finding? {
    if done == 0 {
      names = (finding.maps.map(\.name), finding.steps.map(\.name))
      maps = finding.maps.map { _ in JoinedMap(views) }
      reconstruction = finding.reconstruction.map { _ in JoinedMap(views) }
      steps = finding.steps.map { _ in JoinedMap(views) }
    }
    for (name, score) in finding.scores { scores[name, default: []].append(score) }
    for (index, map) in finding.maps.enumerated() { try maps[index].add(map.values, of: done) }
    if let picture = finding.reconstruction { try reconstruction?.add(picture, of: done) }
    for (index, step) in finding.steps.enumerated() { try steps[index].add(step.values, of: done) }
    done += 1
    guard done == views.count else { return nil }
    var whole = Finding(scores: scores.mapValues { views.isWhole ? $0[0] : configuration.gather($0) })
    for (name, map) in zip(names.maps, maps) { whole.maps.append((name, try map.tensor())) }
    whole.reconstruction = try reconstruction?.tensor()
    for (name, step) in zip(names.steps, steps) { whole.steps.append((name, try step.tensor())) }
    return whole
  }
}

extension ImageViews {
  /// Whether there is one view, of the whole.
  var isWhole: Bool { if case .whole = self { true } else { false } }
}
