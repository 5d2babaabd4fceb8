/// Why a file of arrays could not be read or written: one sentence with the path, the reason and what to do.
public struct SerialisationError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file's path as it was given.
  public let path: String
  /// What is wrong, worded to follow the path, for example `has no array "conv.weight"`.
  public let reason: String
  /// What the reader can do, as an imperative without a full stop.
  public let remedy: String

  /// Creates an error from its three parts.
  public init(path: String, reason: String, remedy: String) {
    self.path = path
    self.reason = reason
    self.remedy = remedy
  }

  /// The whole sentence.
  public var description: String { "\(path) \(reason); \(remedy)." }
}

extension SerialisationError {
  /// The file contradicts its own format: most often a broken download or copy.
  static func damaged(_ path: String, _ reason: String) -> SerialisationError {
    SerialisationError(path: path, reason: reason, remedy: "the file is damaged, copy or download it again")
  }

  /// The file is sound, but holds what this reader does not take.
  static func unsupported(_ path: String, _ reason: String) -> SerialisationError {
    SerialisationError(
      path: path, reason: reason,
      remedy: "save a dictionary of tensors in PyTorch, torch.save(model.state_dict(), path), and read that")
  }
}
