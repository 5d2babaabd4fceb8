import Foundation
import MedicalImaging
import Norma
import Reporting
import Torch

/// Example cases with their pictures: input, what the method thinks normal, and the map over the input.
enum CasePictures {
  /// Groups of cases for a page, chosen by the default score of an evaluation, with their pictures.
  static func cases(
    of outcome: Trials.Outcome, data: String, device: Device
  ) async throws -> (groups: [Report.CaseGroup], legend: Report.MapLegend?) {
    let test = outcome.test
    let chosen = CaseChoice.groups(
      scores: test.scores[test.mainScore] ?? [], labels: test.labels, threshold: test.thresholds[test.mainScore])
    let wanted = Set(chosen.flatMap(\.cases).map { test.names[$0] })
    let scorer = try Scorer(checkpoint: Checkpoint(contentsOf: outcome.file), device: device)
    let set = try outcome.metadata.configuration.dataSet(in: data)
    let images = try await PreparedImages(
      set.items(in: .test).filter { wanted.contains($0.name) }, for: scorer.specification)
    var found: [String: Report.Case] = [:]
    var legend: Report.MapLegend?
    try scorer.score(images, explains: true) { result in
      let range = result.maps.first.map { displayRange(of: $0.name, $0.map, scorer.calibration) } ?? 0...1
      if legend == nil, !result.maps.isEmpty {
        legend = .init(range: range, note: "median to 99.5 % of normal images; blue: outline of the true lesion")
      }
      found[result.item.name] = Report.Case(
        name: result.item.name, score: result.score, isAbnormal: result.item.label.map { $0 == .abnormal },
        pictures: try pictures(of: result, range: range, specification: scorer.specification))
    }
    let groups = chosen.map { group in
      Report.CaseGroup(
        title: group.title, note: group.note, cases: group.cases.compactMap { found[test.names[$0]] })
    }
    return (groups, legend)
  }

  /// Map values shown as nothing and as full colour: those of normal images, or the map's own where none are known.
  static func displayRange(of name: String, _ map: AnomalyMap, _ calibration: Calibration) -> ClosedRange<Float> {
    let normal = (calibration.mapRanges[name] ?? []).map(Float.init)
    let low = normal.first ?? map.values.min() ?? 0
    return low...max(normal.last ?? map.values.max() ?? 1, low + 1e-6)
  }

  /// Input, what the method made of it, reconstruction where there is one, the default map over the input, and
  /// the truth where a mask is known.
  private static func pictures(
    of result: AnomalyResult, range: ClosedRange<Float>, specification: InputSpecification
  ) throws -> [Report.Picture] {
    let view = try CaseView(of: result, specification: specification)
    var pictures = unmapped(result, view)
    if let map = result.maps.first {
      pictures.append(.init(caption: "Map", image: try view.overlay(map.map, range: range)))
    }
    if let truth = try view.truth() { pictures.append(.init(caption: "Ground truth", image: truth)) }
    return pictures
  }

  /// Input, what the method made of it, and its reconstruction.
  static func unmapped(_ result: AnomalyResult, _ view: CaseView) -> [Report.Picture] {
    [.init(caption: "Input", image: view.input)]
      + result.steps.map { .init(caption: $0.name, image: view.picture(of: $0.image)) }
      + (result.reconstruction.map { [.init(caption: "Reconstruction", image: view.picture(of: $0))] } ?? [])
  }
}
