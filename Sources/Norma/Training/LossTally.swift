import Torch

/// Sums of an epoch's losses, kept on the device so that nothing waits for it.
struct LossTally {
  /// How many values a sum holds.
  struct Count: Codable, Equatable {
    let name: String
    var count: Int
  }

  /// Names and counts, in the order in which the losses first came.
  private(set) var counts: [Count] = []
  private var sums: [Tensor] = []

  /// Nothing yet.
  init() {}

  /// Takes up what `counts` and `storedArrays` gave.
  init(_ counts: [Count], _ arrays: [String: StoredArray], on device: Device) throws {
    for count in counts {
      guard let sum = try arrays[count.name]?.tensor().to(device) else { continue }
      self.counts.append(count)
      sums.append(sum)
    }
  }

  /// Adds the losses of one update.
  mutating func add(_ parts: [(name: String, value: Tensor)]) throws(TorchError) {
    for (name, value) in parts {
      let value = try value.detached()
      if let index = counts.firstIndex(where: { $0.name == name }) {
        sums[index] = try sums[index] + value
        counts[index].count += 1
      } else {
        counts.append(Count(name: name, count: 1))
        sums.append(value)
      }
    }
  }

  /// Mean losses by name.
  func means() throws(TorchError) -> [(name: String, value: Double)] {
    var means: [(name: String, value: Double)] = []
    for (entry, sum) in zip(counts, sums) { means.append((entry.name, try sum.item() / Double(entry.count))) }
    return means
  }

  /// The sums under their names.
  func storedArrays(prefix: String) throws(TorchError) -> [StoredArray] {
    var arrays: [StoredArray] = []
    for (entry, sum) in zip(counts, sums) { arrays.append(try StoredArray(name: prefix + entry.name, sum)) }
    return arrays
  }
}
