public import Foundation
import Torch

/// Takes over weights that the authors' programs trained: `model.pth` and `discriminator.pth` of SimSID or SQUID.
///
/// The files are plain tensors; no code of theirs runs. Sizes, memories, teacher and the authors' program follow from names
/// and shapes; `Options` holds what they do not tell. Norma takes over networks that in-paint with attention.
public enum SimSIDImport {
  /// What the files do not tell.
  public struct Options: Equatable, Sendable {
    /// What the in-painting block reads: it makes a difference to further training only. Nil: learned items for SimSID, a
    /// queue for SQUID, as published.
    public var inpaintMemory: SimSIDConfiguration.InpaintMemory?
    /// k of the Gumbel shrinkage, of which k − 1 items remain.
    public var activeItems = 5
    /// The last non-linearity, and with it the range of the input. Nil: tanh for SimSID, sigmoid for SQUID, as published.
    public var output: SimSIDConfiguration.Output?
    /// Statistics of the discriminator's batch norms in scoring; the authors' programs use those of each image.
    public var discriminatorStatistics = SimSIDConfiguration.DiscriminatorStatistics.perImage

    /// The published values.
    public init() {}
  }

  /// Reads both files into a checkpoint.
  ///
  /// It scores by the discriminator's logit of the reconstruction, as published, and its calibration is empty: that takes
  /// normal training images.
  /// - Throws: `SimSIDImportError` naming file and entry, `SerialisationError` for a file that cannot be read,
  ///   `ConfigurationError` for options that do not fit the networks, or `TorchError`.
  public static func checkpoint(
    model: URL, discriminator: URL, options: Options = Options()
  ) throws -> Checkpoint {
    let generator = try SimSIDOfficialFile(contentsOf: model)
    let critic = try SimSIDOfficialFile(contentsOf: discriminator)
    return try checkpoint(SimSIDOfficialWeights(model: generator, discriminator: critic), options: options)
  }

  /// A checkpoint from files that were read.
  static func checkpoint(_ official: SimSIDOfficialWeights, options: Options) throws -> Checkpoint {
    var weights = official
    let settings = try weights.configuration(options)
    var run = RunConfiguration(detector: DetectorSettings(settings))
    run.input.intensity = settings.output == .tanh ? .symmetric : .unit
    try run.validate()
    let network = try SimSIDNetwork(settings, random: Generator(seed: UInt64(run.seed)))
    var arrays: [StoredArray] = []
    for (key, parameter) in network.namedParameters {
      let value = try weights.value(for: key, shape: parameter.tensor.shape)
      arrays.append(try StoredArray(name: "network." + key, value))
    }
    try weights.model.checkAllTaken()
    try weights.discriminator.checkAllTaken()
    var origin = Checkpoint.Origin()
    origin.checkpointRule = "as imported"
    origin.imported = [weights.model.name, weights.discriminator.name]
    var checkpoint = Checkpoint(
      metadata: .init(configuration: run, calibration: Calibration(scores: [:], mapRanges: [:]), origin: origin))
    checkpoint.add(arrays)
    return checkpoint
  }
}

/// Official weights that do not make a network of Norma's, in one sentence.
public enum SimSIDImportError: Error, Equatable, CustomStringConvertible, Sendable {
  /// An entry that every such file has is not there.
  case missing(path: String, key: String)
  /// An entry has another shape than the rest of the files asks for.
  case shape(path: String, key: String, found: [Int], expected: String)
  /// Entries that Norma's networks have no place for.
  case unknown(path: String, keys: [String])

  /// The sentence.
  public var description: String {
    switch self {
    case .missing(let path, let key):
      "\(path) has no entry \(key); give model.pth and discriminator.pth of SimSID or SQUID, in this order"
    case .shape(let path, let key, let found, let expected):
      "in \(path) the entry \(key) has the shape \(found) instead of \(expected); "
        + "give model.pth and discriminator.pth of the same training run"
    case .unknown(let path, let keys):
      "\(path) has entries that are not of a published SimSID or SQUID: \(keys.prefix(3).joined(separator: ", "))"
        + (keys.count > 3 ? ", … (\(keys.count) in all)" : "") + "; train this variant with 'norma train'"
    }
  }
}
