import CTorch

/// A failed tensor operation: which one, and why.
public struct TorchError: Error, Equatable, CustomStringConvertible, Sendable {
  /// The operation's name, for example `matmul`.
  public let operation: String
  /// What libtorch or Norma found wrong, in one line.
  public let reason: String
  /// Whether memory, the processor's or the device's, did not suffice.
  public let isOutOfMemory: Bool

  /// Creates an error from the operation that failed and the reason.
  public init(_ operation: String, _ reason: String, isOutOfMemory: Bool = false) {
    (self.operation, self.reason, self.isOutOfMemory) = (operation, reason, isOutOfMemory)
  }

  /// `operation: reason`.
  public var description: String { "\(operation): \(reason)" }

  /// Throws this thread's latest failure as the error of `operation` unless `status` is success.
  static func check(_ operation: String, _ status: ct_status) throws(TorchError) {
    guard status != 0 else { return }
    throw TorchError(operation, String(cString: ct_last_error()), isOutOfMemory: ct_was_out_of_memory())
  }
}
