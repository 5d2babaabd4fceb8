public import Torch

/// The number format of a run's products on a device: what was asked for, or float32 where that is not to be had.
///
/// Weights, optimiser state, losses and statistics are float32 whatever the format (`withAutocast`).
public final class MixedPrecision {
  /// The format that passes run in.
  public private(set) var format: TrainingConfiguration.Precision
  /// Why `format` is not what was asked for, a sentence; nil where it is.
  public private(set) var warning: String?
  private let device: Device

  /// Takes what is asked for where the device has it.
  /// - Parameter isNative: whether the device computes in bfloat16 by itself; nil asks it.
  public init(_ wanted: TrainingConfiguration.Precision, on device: Device, isNative: Bool? = nil) {
    (format, self.device) = (wanted, device)
    guard wanted == .bfloat16, !(isNative ?? device.hasNativeBFloat16) else { return }
    giveUp("\(device.kind == .cpu ? "this processor" : "\(device)") has no instructions for bfloat16")
  }

  /// The format that a detector is scored in: what is asked for, or float32 where the method does not say that its scores stand rounding.
  /// - Parameter isAsked: whether somebody wants this format for scoring, and is to be told.
  static func scoring(
    _ detector: any AnomalyDetector, in wanted: TrainingConfiguration.Precision, on device: Device, isAsked: Bool
  ) -> MixedPrecision {
    guard !detector.scoresInMixedPrecision, wanted == .bfloat16 else { return MixedPrecision(wanted, on: device) }
    let single = MixedPrecision(.float32, on: device)
    if isAsked { single.giveUp("bfloat16 may change the scores of this method") }
    return single
  }

  /// The type that products are cast to; nil where nothing is.
  var dtype: DType? { format == .bfloat16 ? .bfloat16 : nil }

  /// Runs a pass in the format.
  func callAsFunction<Result>(_ body: () throws -> Result) throws -> Result {
    try withAutocast(dtype, on: device, body)
  }

  /// Runs work whose passes go through `callAsFunction`. Where an operator fails because of bfloat16, the run goes on in
  /// float32, and the work is done once more.
  /// - Parameter restore: undoes what the failed attempt has changed.
  func retrying<Result>(_ work: () throws -> Result, restore: () throws -> Void = {}) throws -> Result {
    do { return try work() } catch let error as TorchError where format == .bfloat16 && error.isAboutBFloat16 {
      giveUp("there is no '\(error.operation)' in bfloat16 on \(device)")
      try restore()
      return try work()
    }
  }

  private func giveUp(_ reason: String) {
    format = .float32
    warning = "\(reason); computing in float32"
  }
}

extension TrainingConfiguration.Precision {
  /// Reads `float32`, `bfloat16`, `bf16`, or `auto`: bfloat16 where `device` computes in it by itself, else float32.
  /// - Returns: nil for any other text.
  public init?(parsing text: String, for device: Device) {
    switch text.lowercased() {
    case "float32": self = .float32
    case "bfloat16", "bf16": self = .bfloat16
    case "auto": self = device.hasNativeBFloat16 ? .bfloat16 : .float32
    default: return nil
    }
  }
}
