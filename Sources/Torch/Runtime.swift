import CTorch

/// Facts and settings of libtorch as a whole.
public enum Runtime {
  /// libtorch's version, for example `2.13.0`.
  public static var version: String { String(cString: ct_version()) }

  /// Tensor handles that exist at this moment, on all threads: zero when nothing leaks.
  public static var liveTensors: Int { Int(ct_live_tensors()) }

  /// Threads that one operator uses on the processor.
  public static var threads: Int { Int(ct_threads()) }

  /// Sets the number of threads that one operator uses on the processor.
  public static func setThreads(_ count: Int) { ct_set_threads(Int32(clamping: max(1, count))) }

  /// From here on operators that this thread calls have no other threads work for them: for threads beside the one that
  /// computes, which has them all.
  public static func useOneThread() { ct_use_one_thread() }

  /// Asks libtorch for deterministic kernels where it has them (they are the only ones on the processor).
  public static func setDeterministic(_ enabled: Bool) { ct_set_deterministic(enabled) }

  /// Gives memory that was freed back to the system. Otherwise it is kept for the next step: for the end of work that is not
  /// followed by more of its kind.
  public static func giveFreedMemoryBack() { ct_give_freed_memory_back() }
}

extension Device {
  /// Whether the device has instructions for products in bfloat16 that libtorch uses; elsewhere they are emulated, slower
  /// than in float32. Processors: AVX-512 BF16 (and AMX); GPUs of NVIDIA's: from compute capability 8.0 on.
  public var hasNativeBFloat16: Bool { ct_has_bfloat16(raw) }
}

extension TorchError {
  /// Whether the operation failed for its element type: there is no kernel for bfloat16, or it met with another type.
  public var isAboutBFloat16: Bool { reason.contains("BFloat16") }
}

/// Runs `body` without recording gradients on this thread.
public func withoutGradients<Result, Failure: Error>(
  _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
  let was = ct_set_gradients_enabled(false)
  defer { _ = ct_set_gradients_enabled(was) }
  return try body()
}

/// Runs `body` with automatic mixed precision: matrix products and convolutions in `dtype`, the rest as they are.
/// - Parameter dtype: nil leaves precision alone, so that a caller need not branch.
/// - Throws: `TorchError` when the device has no such mode, and whatever `body` throws.
public func withAutocast<Result>(
  _ dtype: DType?, on device: Device, _ body: () throws -> Result
) throws -> Result {
  guard let dtype else { return try body() }
  var wasEnabled = false
  var wasType = CT_FLOAT32
  try TorchError.check("autocast", ct_set_autocast(device.raw.type, true, dtype.raw, &wasEnabled, &wasType))
  defer {
    var enabled = false
    var type = CT_FLOAT32
    _ = ct_set_autocast(device.raw.type, wasEnabled, wasType, &enabled, &type)
  }
  return try body()
}

extension Tensor {
  /// Runs `body` on these values as float32, or wider where they are, outside of any automatic mixed precision: for steps that
  /// its rounding would spoil.
  public func inSinglePrecision<Result>(
    _ body: (Tensor) throws(TorchError) -> Result
  ) throws(TorchError) -> Result {
    try withoutAutocast(on: device) { () throws(TorchError) in
      try body([.bfloat16, .float16].contains(dtype) ? to(.float32) : self)
    }
  }
}

/// Runs `body` in the precision of its tensors, whatever automatic mixed precision surrounds it.
/// - Throws: `TorchError` when the device has no such mode, and whatever `body` throws.
public func withoutAutocast<Result>(
  on device: Device, _ body: () throws(TorchError) -> Result
) throws(TorchError) -> Result {
  var wasEnabled = false
  var wasType = CT_FLOAT32
  try TorchError.check("autocast", ct_set_autocast(device.raw.type, false, CT_FLOAT32, &wasEnabled, &wasType))
  defer {
    var enabled = false
    var type = CT_FLOAT32
    _ = ct_set_autocast(device.raw.type, wasEnabled, wasType, &enabled, &type)
  }
  return try body()
}
