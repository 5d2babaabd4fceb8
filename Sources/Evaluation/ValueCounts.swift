/// How often each value occurs among many, without keeping the many.
///
/// New values wait in a buffer, are sorted when it is full, and are merged into a list of distinct values with their counts.
/// Should the list grow longer than it may, the last bits of all values are dropped, as few as will do: from then on values
/// are counted as if rounded down. Floats are held as whole numbers of the same order, so a bit is a relative 2⁻²³.
struct ValueCounts: Sendable {
  /// Distinct keys, ascending.
  private(set) var keys: [UInt32] = []
  /// How often each occurs.
  private(set) var counts: [Int] = []
  /// Of each key; 0 while everything is exact.
  private(set) var droppedBits: UInt32 = 0
  /// All values.
  private(set) var total = 0
  private let limit: Int
  private var waiting: [UInt32] = []

  /// The smallest limit, which 16 dropped bits always keep.
  static let smallestLimit = 1 << 16

  /// - Parameter limit: how many distinct values are held, at least `smallestLimit`.
  init(limit: Int) { self.limit = max(limit, Self.smallestLimit) }

  /// The key of a finite value: keys are ordered like values, and −0 is 0.
  static func key(of value: Float) -> UInt32 {
    let bits = (value + 0).bitPattern
    return bits >> 31 == 1 ? ~bits : bits | 0x8000_0000
  }

  /// The value of a key.
  static func value(of key: UInt32) -> Float {
    Float(bitPattern: key >> 31 == 1 ? key & 0x7FFF_FFFF : ~key)
  }

  /// A key without the bits that were dropped.
  func rounded(_ key: UInt32) -> UInt32 { (key >> droppedBits) << droppedBits }

  mutating func add(_ key: UInt32) {
    waiting.append(key)
    // A share of the list, so that merging costs each value the same, however long the list is.
    if waiting.count >= max(1 << 20, keys.count / 2) { merge() }
  }

  /// Brings what waits into the list.
  mutating func merge() {
    guard !waiting.isEmpty else { return }
    total += waiting.count
    waiting.sort()
    var (merged, mergedCounts): ([UInt32], [Int]) = ([], [])
    merged.reserveCapacity(keys.count + waiting.count)
    mergedCounts.reserveCapacity(keys.count + waiting.count)
    var (old, new) = (0, 0)
    while old < keys.count || new < waiting.count {
      let next = new < waiting.count ? rounded(waiting[new]) : .max
      let key = old < keys.count ? min(keys[old], next) : next
      var count = 0
      if old < keys.count, keys[old] == key {
        count = counts[old]
        old += 1
      }
      while new < waiting.count, rounded(waiting[new]) == key {
        count += 1
        new += 1
      }
      merged.append(key)
      mergedCounts.append(count)
    }
    (keys, counts) = (merged, mergedCounts)
    waiting.removeAll(keepingCapacity: true)
    while keys.count > limit { dropBit() }
  }

  private mutating func dropBit() {
    droppedBits += 1
    var last = 0
    for index in keys.indices {
      let key = rounded(keys[index])
      if index > 0, keys[last] == key {
        counts[last] += counts[index]
      } else {
        if index > 0 { last += 1 }
        (keys[last], counts[last]) = (key, counts[index])
      }
    }
    keys.removeLast(keys.count - last - 1)
    counts.removeLast(counts.count - last - 1)
  }
}
