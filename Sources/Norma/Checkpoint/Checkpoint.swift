public import Foundation
public import Torch

/// A trained detector in one safetensors file: weights under stable dotted names, and in the metadata everything that
/// scoring needs. Loading one reads no other file, and no code runs from it.
///
/// Tensors are `network.<key>` and `fitted.<key>`; a checkpoint to resume from adds `training.<key>`.
public struct Checkpoint: Sendable {
  /// What a checkpoint tells about itself.
  public struct Metadata: Codable, Equatable, Sendable {
    /// The format's version.
    public var format = Checkpoint.format
    /// Norma's version.
    public var version = Norma.version
    /// The whole configuration, defaults included.
    public var configuration: RunConfiguration
    /// Distributions of normal training images.
    public var calibration: Calibration
    /// Where the weights came from.
    public var origin: Origin
  }

  /// Where a checkpoint's weights came from.
  public struct Origin: Codable, Equatable, Sendable {
    /// Content hash over the training images; empty for imported weights.
    public var dataFingerprint = ""
    /// Training images.
    public var trainingImages = 0
    /// Share of abnormal images put among them.
    public var contamination = 0.0
    /// Epochs trained.
    public var epochs = 0
    /// How the weights were chosen, in words.
    public var checkpointRule = ""
    /// Seconds of training.
    public var seconds = 0.0
    /// Seconds of the processor, all threads together; nil where they were not counted.
    public var processorSeconds: Double?
    /// Number format that it was trained in; nil where that was not written down: float32.
    public var precision: String?
    /// Processor, threads and device.
    public var hardware = ""
    /// For imported weights, the files' names.
    public var imported: [String] = []
    /// For ensembles, where the members came from, in their order.
    public var members: [MemberOrigin]?

    /// Nothing known yet.
    public init() {}
  }

  /// The format that this version writes.
  public static let format = 1
  private static let metadataKey = "norma"

  /// What the checkpoint tells about itself.
  public var metadata: Metadata
  /// All arrays by name.
  public var arrays: [String: StoredArray]
  /// Further metadata, for resuming.
  var notes: [String: String] = [:]

  init(metadata: Metadata, arrays: [String: StoredArray] = [:]) {
    (self.metadata, self.arrays) = (metadata, arrays)
  }

  /// A snapshot of a detector.
  init(of detector: any AnomalyDetector, metadata: Metadata) throws {
    self.init(metadata: metadata)
    add(try storedArrays(detector.network.namedParameters, prefix: "network."))
    for (key, tensor) in detector.fitted { add([try StoredArray(name: "fitted." + key, tensor)]) }
  }

  /// Reads a checkpoint.
  /// - Throws: `CheckpointError` for a file that is none, or of a later format, and `SerialisationError`.
  public init(contentsOf url: URL) throws {
    guard FileManager.default.fileExists(atPath: url.path) else { throw CheckpointError.missing(path: url.path) }
    let file = try SafetensorsFile(contentsOf: url)
    guard let text = file.metadata[Self.metadataKey] else { throw CheckpointError.notOurs(path: url.path) }
    let format = (try? JSONDecoder().decode(FormatOnly.self, from: Data(text.utf8)))?.format
    guard let format else { throw CheckpointError.notOurs(path: url.path) }
    guard format <= Self.format else { throw CheckpointError.tooNew(path: url.path, format: format) }
    do { self.init(metadata: try Self.metadata(Data(text.utf8))) } catch {
      throw CheckpointError.damaged(path: url.path)
    }
    notes = file.metadata.filter { $0.key != Self.metadataKey }
    for array in file.arrays() { arrays[array.name] = array }
  }

  /// Reads metadata. Its configuration may be older than this Norma: keys that came later have their defaults.
  private static func metadata(_ json: Data) throws -> Metadata {
    var tree = try JSONSerialization.jsonObject(with: json) as? [String: Any] ?? [:]
    let stored = try JSONSerialization.data(withJSONObject: tree["configuration"] ?? [:])
    let configuration = try JSONEncoder().encode(ConfigurationFile.read(json: stored))
    tree["configuration"] = try JSONSerialization.jsonObject(with: configuration)
    return try JSONDecoder().decode(Metadata.self, from: JSONSerialization.data(withJSONObject: tree))
  }

  private struct FormatOnly: Codable { let format: Int }

  /// Writes the checkpoint, whole or not at all.
  /// - Throws: `SerialisationError`.
  public func write(to url: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    var all = notes
    all[Self.metadataKey] = String(decoding: try encoder.encode(metadata), as: UTF8.self)
    try SafetensorsFile.write(Array(arrays.values), metadata: all, to: url)
  }

  /// Puts arrays in under their names.
  mutating func add(_ more: [StoredArray]) {
    for array in more { arrays[array.name] = array }
  }

  /// The arrays below a prefix, without it.
  func arrays(below prefix: String) -> [String: StoredArray] {
    var found: [String: StoredArray] = [:]
    for (name, array) in arrays where name.hasPrefix(prefix) { found[String(name.dropFirst(prefix.count))] = array }
    return found
  }

  /// The detector that the checkpoint holds, on the processor. Of a file's, large weights lie over its memory map: they are
  /// fetched when they are first used, and several programs share them.
  /// - Throws: `StateMismatch` when weights and configuration do not fit, or `TorchError`.
  public func makeDetector() throws -> any AnomalyDetector {
    let detector = try withoutInitialisation { try metadata.configuration.makeDetector() }
    try load(arrays(below: "network."), into: detector.network.namedParameters, adopting: true)
    try detector.network.preferChannelsLast()  // as in training, so that the same kernels give the same scores
    detector.fitted = try arrays(below: "fitted.").mapValues { try $0.sharedTensor() }
    return detector
  }
}

/// A file that is no usable checkpoint, in one sentence.
public enum CheckpointError: Error, Equatable, CustomStringConvertible, Sendable {
  /// There is no such file.
  case missing(path: String)
  /// A safetensors file of somebody else.
  case notOurs(path: String)
  /// Written by a later Norma.
  case tooNew(path: String, format: Int)
  /// Its metadata cannot be read.
  case damaged(path: String)

  /// The sentence.
  public var description: String {
    switch self {
    case .missing(let path): "the checkpoint \(path) does not exist; check the path, or train one with 'norma train'"
    case .notOurs(let path):
      "\(path) is a safetensors file but no checkpoint of Norma's; official weights come in with 'norma import'"
    case .tooNew(let path, let format):
      "\(path) has checkpoint format \(format) and this Norma reads up to \(Checkpoint.format); update Norma"
    case .damaged(let path): "the metadata of the checkpoint \(path) cannot be read; use another copy of the file"
    }
  }
}
