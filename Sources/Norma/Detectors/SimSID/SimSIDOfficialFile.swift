import Foundation
import Torch

/// The tensors of one official file, each handed out once.
struct SimSIDOfficialFile {
  let path: String
  private var arrays: [String: StoredArray] = [:]
  private var left: Set<String> = []

  /// Reads a file without running code of it.
  /// - Throws: `SerialisationError`.
  init(contentsOf url: URL) throws(SerialisationError) {
    let file = try PyTorchStateDict(contentsOf: url)
    self.init(path: file.path, arrays: file.arrays)
  }

  /// A file whose tensors are at hand.
  init(path: String, arrays: [StoredArray]) {
    self.path = path
    for array in arrays { self.arrays[array.name] = array }
    left = Set(self.arrays.keys)
  }

  /// The file's name without its folder.
  var name: String { URL(fileURLWithPath: path).lastPathComponent }

  /// Whether an entry starts with `prefix`.
  func has(_ prefix: String) -> Bool { arrays.keys.contains { $0.hasPrefix(prefix) } }

  /// The number of entries `prefix0suffix`, `prefix1suffix`, …
  func count(_ prefix: String, _ suffix: String) -> Int {
    (0...).first { arrays["\(prefix)\($0)\(suffix)"] == nil } ?? 0
  }

  /// The shape of an entry that has `rank` axes; `expected` describes it in an error.
  func shape(_ key: String, rank: Int, expected: String) throws(SimSIDImportError) -> [Int] {
    guard let array = arrays[key] else { throw .missing(path: path, key: key) }
    guard array.shape.count == rank else { throw wrongShape(key, expected: expected) }
    return array.shape
  }

  /// The error that an entry's shape is not the `expected` one.
  func wrongShape(_ key: String, expected: String) -> SimSIDImportError {
    .shape(path: path, key: key, found: arrays[key]?.shape ?? [], expected: expected)
  }

  /// Hands an entry out in single precision.
  /// - Throws: `SimSIDImportError` when there is none or when its shape is not `expected`.
  mutating func take(_ key: String, _ expected: [Int]) throws -> Tensor {
    guard let array = arrays[key] else { throw SimSIDImportError.missing(path: path, key: key) }
    guard array.shape == expected else { throw wrongShape(key, expected: "\(expected)") }
    left.remove(key)
    return try array.tensor().to(.float32)
  }

  /// Checks that nothing but counters and the convolution that the authors never use is left.
  func checkAllTaken() throws(SimSIDImportError) {
    let unknown = left.filter { !$0.hasSuffix(".num_batches_tracked") && !$0.hasPrefix("inpaint_block.conv.") }
    guard unknown.isEmpty else { throw .unknown(path: path, keys: unknown.sorted()) }
  }
}
