import Foundation
import MedicalImaging
import Norma
import Reporting
import Torch

/// Example cases with their pictures: input, what the method thinks normal, and the map over the input.
enum CasePictures {
  /// Cases for a page: found, missed, false alarms, and normal ones, chosen by the scores of an evaluation.
  static func cases(
    of outcome: Trials.Outcome, data: String, device: Device
  ) async throws -> (cases: [Report.Case], legend: Report.MapLegend?) {
    let chosen = choose(outcome.test)
    let wanted = Dictionary(chosen.map { ($0.name, $0.caption) }) { first, _ in first }
    let scorer = try Scorer(checkpoint: Checkpoint(contentsOf: outcome.file), device: device)
    let set = try outcome.metadata.configuration.dataSet(in: data)
    let images = try await PreparedImages(
      set.items(in: .test).filter { wanted[$0.name] != nil }, for: scorer.specification)
    var found: [String: Report.Case] = [:]
    var legend: Report.MapLegend?
    try scorer.score(images, explains: true) { result in
      let range = result.maps.first.map { displayRange(of: $0.name, $0.map, scorer.calibration) } ?? 0...1
      if legend == nil, !result.maps.isEmpty {
        legend = .init(range: range, note: "median to 99.5 % of normal images")
      }
      found[result.item.name] = Report.Case(
        name: result.item.name, score: result.score, isAbnormal: result.item.label.map { $0 == .abnormal },
        caption: wanted[result.item.name],
        pictures: try pictures(of: result, range: range, specification: scorer.specification))
    }
    return (chosen.compactMap { found[$0.name] }, legend)
  }

  /// Which cases to show, with a word about each.
  private static func choose(_ result: Evaluator.Result) -> [(name: String, caption: String)] {
    let scores = result.scores[result.mainScore] ?? []
    let order = scores.indices.sorted { scores[$0] > scores[$1] }
    let abnormal = order.filter { result.labels[$0] }
    let normal = order.filter { !result.labels[$0] }
    func spread(_ list: [Int], _ count: Int) -> [Int] {
      stride(from: 0, to: list.count, by: max(1, list.count / count)).prefix(count).map { list[$0] }
    }
    let groups: [([Int], String)] = [
      (spread(Array(abnormal.prefix(abnormal.count / 2)), 4), "abnormal, high score"),
      (Array(abnormal.suffix(2)), "abnormal, lowest scores: missed"),
      (Array(normal.prefix(2)), "normal, highest scores: false alarms"),
      (Array(normal.dropFirst(normal.count / 2).prefix(2)), "normal, typical"),
    ]
    return groups.flatMap { indices, caption in indices.map { (result.names[$0], caption) } }
  }

  /// Map values shown as nothing and as full colour: those of normal images, or the map's own where none are known.
  static func displayRange(of name: String, _ map: AnomalyMap, _ calibration: Calibration) -> ClosedRange<Float> {
    let normal = (calibration.mapRanges[name] ?? []).map(Float.init)
    let low = normal.first ?? map.values.min() ?? 0
    return low...max(normal.last ?? map.values.max() ?? 1, low + 1e-6)
  }

  /// Input, what the method made of it, reconstruction where there is one, and the default map over the input.
  private static func pictures(
    of result: AnomalyResult, range: ClosedRange<Float>, specification: InputSpecification
  ) throws -> [Report.Picture] {
    let view = try CaseView(of: result, specification: specification)
    var pictures = unmapped(result, view)
    if let map = result.maps.first {
      pictures.append(.init(caption: "Map", image: try view.overlay(map.map, range: range)))
    }
    return pictures
  }

  /// Input, what the method made of it, and its reconstruction.
  static func unmapped(_ result: AnomalyResult, _ view: CaseView) -> [Report.Picture] {
    [.init(caption: "Input", image: view.input)]
      + result.steps.map { .init(caption: $0.name, image: view.picture(of: $0.image)) }
      + (result.reconstruction.map { [.init(caption: "Reconstruction", image: view.picture(of: $0))] } ?? [])
  }
}
