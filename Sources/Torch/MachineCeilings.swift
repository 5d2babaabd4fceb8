import CTorch
import Foundation

/// What libtorch reaches at best on this machine: the rates that any work is measured against.
public struct MachineCeilings: Codable, Equatable, Sendable {
  /// A way to do much of one thing, and how fast it went.
  public struct Rate: Codable, Equatable, Sendable {
    /// What was done, for example `linear 3136×768×3072`.
    public let route: String
    /// Operations (a multiply-add counts as two) or bytes per second, median of several runs.
    public let perSecond: Double

    /// Names a rate.
    public init(route: String, perSecond: Double) { (self.route, self.perSecond) = (route, perSecond) }
  }

  /// How large the work is.
  public struct Sizes: Sendable {
    /// Side of the square matrices.
    public var matrix = 2048
    /// Rows, inputs and outputs of the linear layer; as published, of ViT-B's feed-forward layers.
    public var linear = [3136, 768, 3072]
    /// Images, channels and side of the 3×3 convolution.
    public var convolution = [16, 256, 32]
    /// Numbers in each of the arrays that are moved, far beyond the caches.
    public var numbers = 64 << 20
    /// Seconds that one route is repeated for, at least.
    public var seconds = 0.5

    /// The usual sizes of a device: a GPU is not filled by what fills a processor.
    public init(for device: Device = .cpu) {
      guard device.kind != .cpu else { return }
      (matrix, linear, convolution) = (8192, [25_088, 1024, 4096], [256, 256, 32])
    }
  }

  /// Threads inside one operator.
  public let threads: Int
  /// Where it was measured, for example `cpu`.
  public let device: String
  /// Operations per second in float32.
  public let float32: [Rate]
  /// Operations per second in bfloat16.
  public let bfloat16: [Rate]
  /// Bytes per second, read and written together.
  public let memory: [Rate]

  /// Takes rates that were measured before.
  public init(threads: Int, device: String, float32: [Rate], bfloat16: [Rate], memory: [Rate]) {
    (self.threads, self.device) = (threads, device)
    (self.float32, self.bfloat16, self.memory) = (float32, bfloat16, memory)
  }

  /// The highest rate in float32.
  public var float32Rate: Double { Self.highest(float32) }
  /// The highest rate in bfloat16.
  public var bfloat16Rate: Double { Self.highest(bfloat16) }
  /// The highest rate in float32 of matrix products alone, which convolutions may exceed.
  public var float32MatrixRate: Double { Self.highest(Self.matrices(float32)) }
  /// The highest rate in bfloat16 of matrix products alone.
  public var bfloat16MatrixRate: Double { Self.highest(Self.matrices(bfloat16)) }
  /// The highest bandwidth.
  public var bandwidth: Double { memory.map(\.perSecond).max() ?? .nan }

  private static let convolution = "convolution"
  private static func highest(_ rates: [Rate]) -> Double { rates.map(\.perSecond).max() ?? .nan }
  private static func matrices(_ rates: [Rate]) -> [Rate] { rates.filter { !$0.route.hasPrefix(convolution) } }

  /// Seconds below which this machine cannot do the multiply-adds of a piece of work, as their definition counts them: large
  /// convolutions of 3×3 in float32 do with a quarter of them (Winograd), and can be faster.
  public func floor(of count: OperationCount) -> Double { seconds(of: count, float32Rate, bfloat16Rate) }

  /// Seconds that the multiply-adds of a piece of work take at the rates of matrix products.
  public func matrixSeconds(of count: OperationCount) -> Double {
    seconds(of: count, float32MatrixRate, bfloat16MatrixRate)
  }

  private func seconds(of count: OperationCount, _ rate: Double, _ reducedRate: Double) -> Double {
    let single = 2 * Double(count.multiplyAdds) / rate
    // Without a rate of 16 bits, work that has none of them still has a floor.
    return single + (count.reducedMultiplyAdds == 0 ? 0 : 2 * Double(count.reducedMultiplyAdds) / reducedRate)
  }

  /// Seconds that its bytes would take, if all of them went through memory.
  public func memorySeconds(of count: OperationCount) -> Double {
    Double(count.bytesRead + count.bytesWritten) / bandwidth
  }

  /// Measures with as many threads as `Runtime` has now; about ten seconds.
  /// - Throws: `TorchError` when memory or device fail.
  public static func measure(on device: Device, sizes: Sizes? = nil) throws -> MachineCeilings {
    let sizes = sizes ?? Sizes(for: device)
    defer { Runtime.giveFreedMemoryBack() }
    return try withoutGradients {
      MachineCeilings(
        threads: Runtime.threads, device: "\(device)", float32: try products(.float32, sizes, on: device),
        bfloat16: try products(.bfloat16, sizes, on: device), memory: try moves(sizes, on: device))
    }
  }

  /// Matrix products through MKL (in bfloat16 oneDNN), linear layers and convolutions through oneDNN.
  private static func products(_ dtype: DType, _ sizes: Sizes, on device: Device) throws -> [Rate] {
    let random = try Generator(seed: 1, on: device)
    func drawn(_ shape: [Int]) throws -> Tensor { try random.uniform(-1, 1, shape: shape).to(dtype) }
    let side = sizes.matrix
    let (a, b) = (try drawn([side, side]), try drawn([side, side]))
    let (rows, inputs, outputs) = (sizes.linear[0], sizes.linear[1], sizes.linear[2])
    let (tokens, weight) = (try drawn([rows, inputs]), try drawn([outputs, inputs]))
    let (count, channels, extent) = (sizes.convolution[0], sizes.convolution[1], sizes.convolution[2])
    let images = try drawn([count, channels, extent + 2, extent + 2]).channelsLast()
    let kernel = try drawn([channels, channels, 3, 3]).channelsLast()
    return [
      Rate(
        route: "matmul \(side)×\(side)×\(side)",
        perSecond: try rate(of: 2 * cube(side), sizes, on: device) { _ = try a.matmul(b) }),
      Rate(
        route: "linear \(rows)×\(inputs)×\(outputs)",
        perSecond: try rate(of: 2 * Double(rows * inputs * outputs), sizes, on: device) {
          _ = try tokens.linear(weight)
        }
      ),
      Rate(
        route: "\(convolution) 3×3, \(count) × \(channels) channels onto \(extent)×\(extent)",
        perSecond: try rate(of: 18 * Double(count * extent * extent * channels * channels), sizes, on: device) {
          // With padding it would be Winograd's.
          _ = try images.convolved(with: kernel, stride: [1, 1], padding: [0, 0])
        }),
    ]
  }

  private static func cube(_ side: Int) -> Double { Double(side) * Double(side) * Double(side) }

  /// A copy, and a triad (a + s·b), between arrays that are there already; a sum, which only reads.
  private static func moves(_ sizes: Sizes, on device: Device) throws -> [Rate] {
    let arrays = try (1...3).map { try Tensor.full(Double($0), shape: [sizes.numbers], on: device) }
    let bytes = 4 * Double(sizes.numbers)
    var target = arrays[0]
    return [
      Rate(
        route: "copy", perSecond: try rate(of: 2 * bytes, sizes, on: device) { try target.assign(arrays[1]) }),
      Rate(
        route: "triad",
        perSecond: try rate(of: 3 * bytes, sizes, on: device) {
          try TorchError.check("triad", ct_add_into(arrays[0].raw, arrays[1].raw, arrays[2].raw, 0.5))
        }),
      Rate(route: "sum", perSecond: try rate(of: bytes, sizes, on: device) { _ = try arrays[1].sum() }),
    ]
  }

  /// Amount per second, median of at least five runs after one to warm up.
  private static func rate(
    of amount: Double, _ sizes: Sizes, on device: Device, _ work: () throws -> Void
  ) throws -> Double {
    try work()
    try device.finish()
    let start = Date()
    var rates: [Double] = []
    repeat {
      let begin = DispatchTime.now().uptimeNanoseconds
      try work()
      try device.finish()
      rates.append(amount * 1e9 / Double(max(DispatchTime.now().uptimeNanoseconds - begin, 1)))
    } while rates.count < 5 || (rates.count < 50 && Date().timeIntervalSince(start) < sizes.seconds)
    return rates.sorted()[rates.count / 2]
  }
}

extension Device {
  /// Waits until everything asked of the device is done; on the processor it is already.
  /// - Throws: `TorchError` when earlier work has failed.
  public func finish() throws(TorchError) {
    guard kind != .cpu else { return }
    _ = try Tensor.zeros([1], on: self).values(as: Float.self)  // copies wait for what came before them
  }
}
