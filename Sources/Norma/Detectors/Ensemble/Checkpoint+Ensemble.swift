public import Foundation
import MedicalImaging
public import Torch

extension Checkpoint {
  /// Where a member of an ensemble came from.
  public struct MemberOrigin: Codable, Equatable, Sendable {
    /// Norma's version.
    public var version: String
    /// Its calibration before it was fused.
    public var calibration: Calibration
    /// Its weights' origin.
    public var origin: Origin
  }

  /// Fuses trained detectors into one that is scored, evaluated and inspected like any other. The file holds them whole.
  ///
  /// Their scores and maps are brought to a common scale on normal images that no member was trained on, and the thresholds are
  /// taken of the same; where there are not `Scorer.smallestHeldOut` of these, on the training images.
  /// - Parameters:
  ///   - members: what is fused, under names that its scores get.
  ///   - data: images as `TrainingData(folder:configuration:)` splits and prepares them for
  ///     `RunConfiguration.ensemble(of:fusion:)`: `training` holds what any member was trained on, `validation` what none was.
  /// - Throws: `EnsembleError`, `ConfigurationError`, `StateMismatch`, `TorchError`, `ImageError`.
  public static func fused(
    _ members: [(name: String, checkpoint: Checkpoint)], fusion: EnsembleConfiguration.Fusion, on data: TrainingData,
    device: Device
  ) throws -> Checkpoint {
    let configuration = try RunConfiguration.ensemble(of: members, fusion: fusion)
    guard data.training.specification == configuration.inputSpecification else { throw EnsembleError.otherImages }
    var metadata = Metadata(
      configuration: configuration, calibration: Calibration(scores: [:], mapRanges: [:]), origin: Origin())
    var fused = Checkpoint(metadata: metadata)
    for (index, member) in members.enumerated() {
      for group in ["network.", "fitted."] {
        fused.add(
          member.checkpoint.arrays(below: group).map { key, array in
            array.renamed(group + EnsembleDetector.prefix(index) + key)
          })
      }
    }
    let scorer = try Scorer(checkpoint: fused, device: device)
    try scorer.calibrateEnsemble(on: data, quantile: configuration.calibration.quantile)
    metadata.calibration = scorer.calibration
    metadata.origin = Origin(of: members, fusion: fusion, data: data, device: device)
    return try Checkpoint(of: scorer.detector, metadata: metadata)
  }

  /// The detectors that an ensemble was fused of, each as it was; empty of any other checkpoint.
  public var members: [(name: String, checkpoint: Checkpoint)] {
    guard let settings = metadata.configuration.detector.settings as? EnsembleConfiguration else { return [] }
    return zip(settings.members, metadata.origin.members ?? []).enumerated().map { index, member in
      let (named, came) = member
      var whole = Checkpoint(
        metadata: Metadata(
          version: came.version, configuration: named.configuration, calibration: came.calibration, origin: came.origin)
      )
      for group in ["network.", "fitted."] {
        whole.add(arrays(below: group + EnsembleDetector.prefix(index)).map { $1.renamed(group + $0) })
      }
      return (named.name, whole)
    }
  }

  /// What members are called: their files' names without ending, `model` by its folder, with as many folders before it as tell
  /// them apart.
  /// - Throws: `EnsembleError.twice`.
  public static func memberNames(of files: [URL]) throws(EnsembleError) -> [String] {
    let paths = files.map { file -> [String] in
      var parts = file.standardizedFileURL.deletingPathExtension().pathComponents.filter { $0 != "/" }
      if parts.last == "model", parts.count > 1 { parts.removeLast() }
      return parts
    }
    for (index, file) in files.enumerated()
    where files[..<index].contains(where: { $0.standardizedFileURL == file.standardizedFileURL }) {
      throw .twice(path: file.relativePath)
    }
    let longest = paths.map(\.count).max() ?? 0
    for count in 1...max(1, longest) {
      let names = paths.map { $0.suffix(count).joined(separator: "/") }
      if Set(names).count == names.count { return names }
    }
    return paths.indices.map { "\(paths[$0].joined(separator: "/")) \($0 + 1)" }
  }

  /// What cannot be known about the images that members were trained on, a sentence for each member whose training images are
  /// not those that its configuration finds in `folder`.
  public static func unfamiliar(
    _ members: [(name: String, checkpoint: Checkpoint)], in folder: String
  ) async throws -> [String] {
    let prepared = try PreparedDataSet.opened(at: folder)
    var known: [String: ContentIndex.Entry] = [:]
    var sentences: [String] = []
    for (name, checkpoint) in members {
      let configuration = checkpoint.metadata.configuration
      let items = try configuration.trainingItems(of: configuration.dataSet(in: folder, prepared: prepared))
      let unread = items.filter { known[$0.path] == nil }
      let read = if let prepared { prepared.contents(of: unread) } else { try await ContentIndex(of: unread) }
      for entry in read.entries { known[entry.item.path] = entry }
      let index = ContentIndex(entries: items.compactMap { known[$0.path] })
      guard index.fingerprint != checkpoint.metadata.origin.dataFingerprint else { continue }
      sentences.append(
        "\(name) was trained on other images than its configuration finds in \(folder); whether it has seen the images that "
          + "calibrate the ensemble cannot be told")
    }
    return sentences
  }
}

extension StoredArray {
  fileprivate func renamed(_ name: String) -> StoredArray {
    StoredArray(name: name, dtype: dtype, shape: shape, data: data)
  }
}

extension Checkpoint.Origin {
  fileprivate init(
    of members: [(name: String, checkpoint: Checkpoint)], fusion: EnsembleConfiguration.Fusion, data: TrainingData,
    device: Device
  ) {
    self.init()
    let origins = members.map(\.checkpoint.metadata.origin)
    dataFingerprint = data.fingerprint
    trainingImages = data.training.count
    contamination = origins.map(\.contamination).max() ?? 0
    epochs = origins.map(\.epochs).reduce(0, +)
    checkpointRule = "\(fusion.rawValue) of \(members.map(\.name).joined(separator: ", "))"
    seconds = origins.map(\.seconds).reduce(0, +)
    let processor = origins.compactMap(\.processorSeconds)
    processorSeconds = processor.count == origins.count ? processor.reduce(0, +) : nil
    hardware = Hardware.description(device: device)
    self.members = members.map {
      let metadata = $0.checkpoint.metadata
      return .init(version: metadata.version, calibration: metadata.calibration, origin: metadata.origin)
    }
  }
}

extension Scorer {
  /// Brings the members to a common scale and learns what the ensemble says about normal images.
  fileprivate func calibrateEnsemble(on data: TrainingData, quantile: Double) throws {
    guard let ensemble = detector as? EnsembleDetector else { return }
    let unseen = data.validation?.selecting { $0.label == .normal }
    let heldOut = unseen.flatMap { $0.count >= Self.smallestHeldOut ? $0 : nil }
    let images = heldOut ?? data.training
    let own = try memberScores(of: images, areReferences: heldOut == nil)
    for (member, scores) in zip(ensemble.configuration.members, own) {
      if let bad = scores.firstIndex(where: { !$0.isFinite }) {
        throw EnsembleError.noScore(member: member.name, image: images.items[bad].name)
      }
    }
    let maps = try zip(members, images.members).map { try $0.mapValues(of: $1).first?.values ?? [] }
    try ensemble.learn(scores: own, mapValues: maps)
    let source =
      heldOut == nil
      ? "\(images.count) training images, as fewer than \(Self.smallestHeldOut) normal images are left that no member was "
        + "trained on" : "\(images.count) normal images that no member was trained on"
    calibration = Calibration(
      scores: try ensemble.scores(of: own).mapValues { .init(of: $0, quantile: quantile) },
      thresholdSource: "\(quantile * 100) % of \(source)", mapRanges: try ensembleMapRanges(of: images))
  }

  /// Median and 99.5 % of the fused map's values over normal images.
  private func ensembleMapRanges(of images: PreparedImages) throws -> [String: [Double]] {
    let chosen = images.prefix(specification.isVolume ? 8 : 64)
    let room = (1 << 24) / max(1, chosen.count)
    var values: [String: [Float]] = [:]
    try score(chosen, explains: true) { result in
      for (name, map) in result.maps {
        let step = (map.values.count + room - 1) / room
        values[name, default: []] += stride(from: 0, to: map.values.count, by: step).map { map.values[$0] }
      }
    }
    return values.mapValues(Self.range)
  }
}
