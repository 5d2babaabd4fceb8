public import Foundation

/// FNV-1a with 64 bits (Fowler, Noll & Vo; RFC 9923): a fast hash that is the same on every platform and in every run.
/// It tells files apart and is no protection against a forger.
public struct ContentHash: Codable, Equatable, Hashable, Sendable, CustomStringConvertible {
  /// The hash of what was added so far.
  public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  /// The hash of nothing.
  public init() {}

  /// A hash that was stored.
  public init(value: UInt64) { self.value = value }

  /// The hash of these bytes.
  public init(of bytes: Data) {
    bytes.withUnsafeBytes { add($0) }
  }

  /// Continues with these bytes.
  public mutating func add(_ bytes: some Sequence<UInt8>) {
    var hash = value
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    value = hash
  }

  /// 16 hexadecimal digits.
  public var description: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
