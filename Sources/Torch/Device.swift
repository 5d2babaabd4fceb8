import CTorch

/// Where a tensor lives and is computed.
public struct Device: Hashable, Sendable, CustomStringConvertible {
  /// The kinds of device that Norma can use.
  public enum Kind: String, CaseIterable, Sendable {
    /// The processor.
    case cpu
    /// A GPU of NVIDIA's (or AMD's through ROCm).
    case cuda
    /// Apple's GPU.
    case mps
  }

  /// The kind of device.
  public let kind: Kind
  /// Which of several; 0 for the processor.
  public let index: Int

  /// Names a device; whether it is there is not checked.
  public init(_ kind: Kind, index: Int = 0) {
    self.kind = kind
    self.index = index
  }

  /// The processor.
  public static let cpu = Device(.cpu)

  /// The fastest device that this machine has: CUDA, else MPS, else the processor.
  public static var best: Device {
    [Device(.cuda), Device(.mps)].first(where: \.isAvailable) ?? .cpu
  }

  /// Whether libtorch can use it here, the index included.
  public var isAvailable: Bool { ct_device_available(raw) }

  /// Reads `cpu`, `cuda`, `cuda:1` or `mps`, in any case.
  /// - Throws: `TorchError` for any other text, and for a device that this machine lacks.
  public init(parsing text: String) throws(TorchError) {
    let parts = text.lowercased().split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2, let kind = Kind(rawValue: String(parts[0])),
      parts.count == 1 || kind == .cuda, let index = parts.count == 2 ? Int(parts[1]) : 0, index >= 0
    else { throw TorchError("device", "'\(text)' is none of cpu, cuda, cuda:N and mps") }
    self.init(kind, index: index)
    guard isAvailable else {
      throw TorchError("device", "\(text) cannot be used on this machine; leave --device out to take \(Device.best)")
    }
  }

  /// `cpu`, `mps`, `cuda:0`.
  public var description: String { kind == .cuda ? "cuda:\(index)" : kind.rawValue }

  var raw: ct_device {
    let type: ct_device_type =
      switch kind {
      case .cpu: CT_CPU
      case .cuda: CT_CUDA
      case .mps: CT_MPS
      }
    return ct_device(type: type, index: Int32(clamping: index))
  }

  init(_ raw: ct_device) {
    switch raw.type {
    case CT_CUDA: self.init(.cuda, index: Int(raw.index))
    case CT_MPS: self.init(.mps, index: Int(raw.index))
    default: self.init(.cpu)
    }
  }
}
