import Foundation

extension DType {
  /// The name of this type in safetensors files.
  public var stored: ArrayDType {
    switch self {
    case .float32: .float32
    case .float64: .float64
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .int64: .int64
    case .int32: .int32
    case .int16: .int16
    case .int8: .int8
    case .uint8: .uint8
    case .bool: .bool
    }
  }
}

extension StoredArray {
  /// A tensor's elements under a name.
  public init(name: String, _ tensor: Tensor) throws(TorchError) {
    self.init(name: name, dtype: tensor.dtype.stored, shape: tensor.shape, data: Data(try tensor.bytes()))
  }

  /// The array as a tensor on the processor.
  /// - Throws: `TorchError` when the bytes do not fill the shape.
  public func tensor() throws(TorchError) -> Tensor {
    let type = DType.allCases.first { $0.stored == dtype } ?? .uint8
    let made: Result<Tensor, TorchError> = data.withUnsafeBytes { bytes in
      Result { () throws(TorchError) in try Tensor(bytes: bytes, dtype: type, shape: shape) }
    }
    return try made.get()
  }
}

/// Arrays that do not fit the module they were to be loaded into: every mismatch, not just the first.
public struct StateMismatch: Error, Equatable, CustomStringConvertible, Sendable {
  /// Keys that the module has and the arrays lack.
  public var missing: [String] = []
  /// Keys that the module does not have.
  public var unexpected: [String] = []
  /// Keys with both shapes.
  public var differing: [String] = []

  /// Whether everything fits.
  public var isEmpty: Bool { missing.isEmpty && unexpected.isEmpty && differing.isEmpty }

  /// One sentence; long lists are cut.
  public var description: String {
    func part(_ name: String, _ keys: [String]) -> String? {
      guard !keys.isEmpty else { return nil }
      let more = keys.count > 3 ? ", … (\(keys.count) in all)" : ""
      return "\(name) \(keys.prefix(3).joined(separator: ", "))\(more)"
    }
    let parts = [part("missing", missing), part("unexpected", unexpected), part("of another shape", differing)]
    return "the weights do not fit the network: " + parts.compactMap { $0 }.joined(separator: "; ")
  }
}

/// Tensors under their keys, in order.
public typealias NamedParameters = [(key: String, parameter: Parameter)]

/// Copies tensors out of parameters.
public func storedArrays(_ parameters: NamedParameters, prefix: String = "") throws(TorchError) -> [StoredArray] {
  var arrays: [StoredArray] = []
  for (key, parameter) in parameters { arrays.append(try StoredArray(name: prefix + key, parameter.tensor)) }
  return arrays
}

/// Puts arrays into parameters after checking that all keys and shapes fit; nothing is changed when they do not.
/// - Parameter adopting: whether large parameters may lie over the arrays' own memory instead of being copied: for networks
///   that are made to score, not to train. The arrays must be of a file that nobody writes to.
/// - Throws: `StateMismatch` with every difference, or `TorchError`.
public func load(_ arrays: [String: StoredArray], into parameters: NamedParameters, adopting: Bool = false) throws {
  var mismatch = StateMismatch()
  for (key, parameter) in parameters {
    guard let array = arrays[key] else {
      mismatch.missing.append(key)
      continue
    }
    let expected = parameter.tensor.shape
    if array.shape != expected { mismatch.differing.append("\(key) (\(array.shape) in the file, \(expected) here)") }
  }
  let known = Set(parameters.map(\.key))
  mismatch.unexpected = arrays.keys.filter { !known.contains($0) }.sorted()
  guard mismatch.isEmpty else { throw mismatch }
  for (key, parameter) in parameters {
    guard let array = arrays[key] else { continue }
    if adopting { try parameter.adopt(array) } else { try parameter.assign(array.tensor().to(parameter.tensor.dtype)) }
  }
}
