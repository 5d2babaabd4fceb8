import Foundation
import Torch

/// Weights of a residual network from a file that somebody else made, by torchvision's names. No code of it runs.
struct BackboneWeights {
  private let path: String
  private let arrays: [String: StoredArray]

  /// Reads a `.safetensors` file, or what `torch.save` wrote.
  /// - Throws: `BackboneWeightsError.noFile` or `SerialisationError`.
  init(contentsOf path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else { throw BackboneWeightsError.noFile(path: path) }
    let url = URL(fileURLWithPath: path)
    let found =
      url.pathExtension.lowercased() == "safetensors"
      ? try SafetensorsFile(contentsOf: url).arrays() : try PyTorchStateDict(contentsOf: url).arrays
    self.init(path: path, arrays: found)
  }

  /// A file whose arrays are at hand.
  init(path: String, arrays: [StoredArray]) {
    self.path = path
    self.arrays = Dictionary(arrays.map { ($0.name, $0) }) { first, _ in first }
  }

  /// Puts the weights into a network after checking all of them; nothing is changed when one does not fit. The classifier,
  /// counters and layers that the network was built without are left out.
  /// - Throws: `BackboneWeightsError` naming the first key that does not fit, or `TorchError`.
  func load(into network: ResidualNetwork, _ architecture: BackboneConfiguration.Architecture) throws {
    var known: Set<String> = []
    var values: [(parameter: Parameter, array: StoredArray)] = []
    for (key, parameter) in network.namedParameters {
      let name = Self.torchvisionName(of: key)
      guard let array = arrays[name] else {
        throw BackboneWeightsError.missing(path: path, key: name, architecture: architecture.rawValue)
      }
      let expected = parameter.tensor.shape
      guard array.shape == expected else {
        throw BackboneWeightsError.shape(
          path: path, key: name, found: array.shape, expected: expected, architecture: architecture.rawValue)
      }
      known.insert(name)
      values.append((parameter, array))
    }
    let built = Set(known.compactMap(Self.layer))
    let strange = arrays.keys.filter { name in
      !known.contains(name) && !name.hasSuffix(".num_batches_tracked") && !name.hasPrefix("fc.")
        && Self.layer(name).map { built.contains($0) || !("1"..."4").contains($0) } ?? true
    }
    if let key = strange.min() {
      throw BackboneWeightsError.unknown(path: path, key: key, architecture: architecture.rawValue)
    }
    for (parameter, array) in values { try parameter.assign(array.tensor().to(.float32).to(parameter.tensor.device)) }
  }

  /// What torchvision calls one of our keys.
  static func torchvisionName(of key: String) -> String {
    key.replacingOccurrences(of: "runningMean", with: "running_mean")
      .replacingOccurrences(of: "runningVariance", with: "running_var")
  }

  /// The number of the layer that an entry belongs to, as a text; nil: to none.
  private static func layer(_ name: String) -> String? {
    guard name.hasPrefix("layer") else { return nil }
    return String(name.dropFirst(5).prefix { $0 != "." })
  }
}

/// A file that does not hold the weights of the backbone that is configured, in one sentence.
public enum BackboneWeightsError: Error, Equatable, CustomStringConvertible, Sendable {
  /// There is no such file.
  case noFile(path: String)
  /// An entry that every such file has is not there.
  case missing(path: String, key: String, architecture: String)
  /// An entry has another shape.
  case shape(path: String, key: String, found: [Int], expected: [Int], architecture: String)
  /// An entry that the network has no place for.
  case unknown(path: String, key: String, architecture: String)

  /// The sentence.
  public var description: String {
    switch self {
    case .noFile(let path):
      "the weights \(path) do not exist; check detector.backbone.weights, which is the path of a file of yours"
    case .missing(let path, let key, let architecture):
      "\(path) has no entry \(key)" + Self.remedy(architecture)
    case .shape(let path, let key, let found, let expected, let architecture):
      "in \(path) the entry \(key) has the shape \(found) instead of \(expected)" + Self.remedy(architecture)
    case .unknown(let path, let key, let architecture):
      "\(path) has the entry \(key), for which the network has no place" + Self.remedy(architecture)
    }
  }

  private static func remedy(_ architecture: String) -> String {
    "; give torchvision's state dictionary of \(architecture) as detector.backbone.weights, "
      + "or set detector.backbone.architecture to what the file holds"
  }
}
