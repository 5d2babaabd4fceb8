public import Torch

/// Several trained detectors as one.
///
/// Its members take inputs of their own, so it is no batch that they have in common but the image: `Scorer` lets each member
/// see it in its own way, and this class puts together what they say.
public final class EnsembleDetector: AnomalyDetector {
  let configuration: EnsembleConfiguration
  let members: [any AnomalyDetector]
  /// What members say about normal images (`Normals`), by key; empty before calibration.
  private var normals: [String: Tensor] = [:]

  /// Members with fresh weights.
  init(_ configuration: EnsembleConfiguration) throws {
    self.configuration = configuration
    members = try configuration.members.map { try $0.configuration.makeDetector() }
    network = EnsembleNetwork(members.map(\.network))
  }

  /// The members' networks, `members.0`, `members.1`, …
  public let network: Module

  /// What the members were fitted to, `members.0.<key>`, …, and what they say about normal images.
  public var fitted: [String: Tensor] {
    get {
      members.enumerated().reduce(into: normals) { all, member in
        for (key, tensor) in member.element.fitted { all[Self.prefix(member.offset) + key] = tensor }
      }
    }
    set {
      for (index, member) in members.enumerated() {
        let prefix = Self.prefix(index)
        member.fitted = newValue.reduce(into: [:]) { own, entry in
          if entry.key.hasPrefix(prefix) { own[String(entry.key.dropFirst(prefix.count))] = entry.value }
        }
      }
      normals = newValue.filter { Normals.keys.contains($0.key) }
    }
  }

  /// What keys of member `index` start with.
  static func prefix(_ index: Int) -> String { "members.\(index)." }

  // MARK: Never called

  /// No stages: its members are trained.
  public var stages: [TrainingStage] { [] }

  /// Never called: there are no stages.
  public func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
    throw TorchError(update.name, "an ensemble's members are trained before they are fused")
  }

  /// Never called: `Scorer` asks the members.
  public func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String:
    Tensor]
  { throw TorchError("ensemble", "its members take inputs of their own; score images with a Scorer") }

  /// Never called: `Scorer` asks the members.
  public func explanation(of batch: Tensor) throws -> Explanation {
    throw TorchError("ensemble", "its members take inputs of their own; score images with a Scorer")
  }

  // MARK: Fusion

  /// The configured fusion, the others, and the members' own default scores under their names.
  public var scoreNames: [String] {
    EnsembleConfiguration.Fusion.all(startingWith: configuration.fusion).map(\.scoreName)
      + configuration.members.map(\.name)
  }

  /// The ensemble's scores by name.
  /// - Parameter members: of each member the default scores of all images.
  func scores(of members: [[Double]]) throws -> [String: [Double]] {
    let usual = try usual().scores
    var all = Dictionary(uniqueKeysWithValues: zip(configuration.members.map(\.name), members))
    for fusion in EnsembleConfiguration.Fusion.allCases {
      all[fusion.scoreName] = (members.first ?? []).indices.map { image in
        fusion(members.map { $0[image] }, usual: usual)
      }
    }
    return all
  }

  /// What the members say about normal images.
  struct Normals {
    static let keys = ["normalScores", "normalMapValues"]
    /// Quantiles that are kept of a map's values.
    static let quantiles = 1001
    /// Of every member its default scores of the same images.
    let scores: [UsualValues]
    /// Of every member its default map's values.
    let maps: [UsualValues]
  }

  /// Learns what the members say about normal images.
  /// - Parameters:
  ///   - scores: of every member its default scores of the same images, without NaN.
  ///   - mapValues: of every member values of its default map; empty without a map.
  func learn(scores: [[Double]], mapValues: [[Float]]) throws {
    let tables = mapValues.map { UsualValues.quantiles(Normals.quantiles, of: $0.isEmpty ? [0] : $0) }
    normals = [
      Normals.keys[0]: try Tensor(
        scores.flatMap { $0.map(Float.init).sorted() }, shape: [scores.count, scores.first?.count ?? 0]),
      Normals.keys[1]: try Tensor(tables.flatMap { $0 }, shape: [tables.count, Normals.quantiles]),
    ]
  }

  /// What was learnt.
  /// - Throws: `TorchError` before calibration.
  func usual() throws -> Normals {
    let rows = try Normals.keys.map { key in
      guard let tensor = normals[key], tensor.shape.first == members.count, tensor.extent(1) > 0 else {
        throw TorchError("ensemble", "it has not been calibrated on normal images; fuse it again with 'norma ensemble'")
      }
      let values = try tensor.values(as: Double.self)
      return stride(from: 0, to: values.count, by: tensor.extent(1)).map {
        UsualValues(of: Array(values[$0..<$0 + tensor.extent(1)]))
      }
    }
    return Normals(scores: rows[0], maps: rows[1])
  }
}

/// The members' networks.
final class EnsembleNetwork: Module {
  private let members: [Module]

  init(_ members: [Module]) { self.members = members }

  override var parts: [Part] { Part.modules("members", members) }
}
