import Foundation
import Norma
import Torch

/// What one round of some work took.
struct BenchSample: Equatable {
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
  private(set) var peers: [String]
  /// Does it as often as said.
  let run: (Int) async throws -> (seconds: Double, images: Int)
  /// Does it as often as said for the first time, and counts its operations; no count of work that is none of the networks'.
  let warmUp: (Int) async throws -> (images: Int, count: OperationCount?)
  /// What people should know of how it was done, asked afterwards; usually nothing.
  let warning: () -> String?

  /// Work of networks.
  init(
    _ name: String, peers: [String] = [], warning: @escaping () -> String? = { nil },
    of work: @escaping (Int) throws -> (seconds: Double, images: Int)
  ) {
    (self.name, self.peers, self.warning) = (name, peers, warning)
    run = { try work($0) }
    warmUp = { count in
      _ = try work(0)  // builds the network, which is not to be counted
      let counted = try OperationCount.of { try work(count) }
      return (counted.result.images, counted.count)
    }
  }

  /// Other work.
  init(_ name: String, peers: [String] = [], run: @escaping (Int) async throws -> (seconds: Double, images: Int)) {
    (self.name, self.peers, self.run, warning) = (name, peers, run, { nil })
    warmUp = { (try await run($0).images, nil) }
  }

  /// The same with some of the peer's works alone; all where none is named.
  func against(_ names: [String]) -> BenchWork {
    guard !names.isEmpty else { return self }
    var work = self
    work.peers = peers.filter(names.contains)
    return work
  }
}

/// The works that there are for a configuration.
enum BenchWorks {
  static func metrics() -> [BenchWork] {
    MetricsWorkload.allCases.map { work in
      BenchWork(work.rawValue, run: { _ in try work.run() })
    }
  }

  static func folder(_ folder: String, size: Int, areVolumes: Bool) -> [BenchWork] {
    guard !areVolumes else {
      return [BenchWork("read", peers: ["read"], run: { try await Workload.read(folder: folder, passes: $0) })]
    }
    return [
      BenchWork("load", peers: ["load"], run: { try await Workload.load(folder: folder, size: size, passes: $0) })
    ]
  }

  /// Training and scoring of a method.
  static func method(_ configuration: RunConfiguration, on device: Device) throws -> [BenchWork] {
    if let tokens = configuration.detector.settings as? TokenMaskingConfiguration {
      let workload = try TokenMaskingWorkload(tokens, training: configuration.training, device: device)
      return TokenMaskingWorkload.Task.allCases.map { task in
        BenchWork(
          task.rawValue, peers: [task.rawValue, task.rawValue + "-lean"], warning: { workload.warning }
        ) { try workload.run(task, count: $0) }
      }
    }
    let workload = try Workload(configuration, device: device)
    let (paper, own) = (paperScore(configuration) ?? workload.defaultScore, workload.defaultScore)
    let isSimSID = configuration.detector.method == .simSID
    let scorings = isSimSID ? ["score", "score-batched", "score-lean"] : ["score", "score-lean"]
    return [
      BenchWork("train", peers: ["train", "train-lean"], warning: { workload.warning }) {
        try workload.train(cycles: $0)
      },
      BenchWork("score", peers: scorings, warning: { workload.warning }) {
        try workload.score(by: paper, batches: $0)
      },
      BenchWork("score-one", peers: ["score-one", "score-one-lean"]) {
        try workload.scoreEach(by: paper, count: $0)
      },
      BenchWork("score-default") { try workload.score(by: own, batches: $0) },
    ]
  }

  /// The score that the peer computes; nil for methods that it does not know.
  private static func paperScore(_ configuration: RunConfiguration) -> String? {
    switch configuration.detector.method {
    case .simSID: SimSIDScore.reconstructionLogit.rawValue
    case .memMCMAE: MemMCMAEScore.multiScaleSimilarity.rawValue
    default: nil
    }
  }
}
