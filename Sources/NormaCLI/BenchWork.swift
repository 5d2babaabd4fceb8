import Norma

/// What one round of some work took.
struct BenchSample {
  let seconds: Double
  let images: Int
  /// Most memory resident at once; nil where the system does not tell.
  let peakBytes: Int?

  var imagesPerSecond: Double { Double(images) / seconds }

  /// Does a piece of work and watches its memory.
  static func of(_ work: () async throws -> (seconds: Double, images: Int)) async throws -> BenchSample {
    PeakMemory.forget()
    let (seconds, images) = try await work()
    return BenchSample(seconds: seconds, images: images, peakBytes: PeakMemory.bytes)
  }
}

/// A kind of work that is timed: ours, and what the peer calls the work that it is compared with.
struct BenchWork {
  let name: String
  /// The peer's works; the first is what people do, others leave its waste out.
  let peers: [String]
  let run: () async throws -> (seconds: Double, images: Int)
  /// What people should know of how it was done, asked afterwards; usually nothing.
  var warning: () -> String? = { nil }
}
