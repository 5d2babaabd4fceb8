import Foundation

/// Rounds of work, ours and the peer's, and their medians.
struct BenchTable {
  private var rounds: [(work: String, ours: BenchSample, peer: BenchSample?)] = []

  /// Adds one round, as one of each work of the peer.
  mutating func add(_ work: String, ours: BenchSample, peers: [(work: String, sample: BenchSample)]) {
    guard !peers.isEmpty else { return rounds.append((work, ours, nil)) }
    for peer in peers { rounds.append((peer.work, ours, peer.sample)) }
  }

  /// Prints one line per kind of work: medians, the median of the round-by-round ratios with its extremes, and peak memory.
  func write(isJSON: Bool, hardware: String) throws {
    var works: [String] = []
    for round in rounds where !works.contains(round.work) { works.append(round.work) }
    let count = rounds.count / max(works.count, 1)
    let width = works.map(\.count).max() ?? 0
    if !isJSON { print("images per second, medians of \(count) \(count == 1 ? "round" : "rounds"); \(hardware)") }
    for work in works {
      let own = rounds.filter { $0.work == work }
      let peers = own.compactMap(\.peer)
      let ratios = own.compactMap { round in round.peer.map { round.ours.imagesPerSecond / $0.imagesPerSecond } }
        .sorted()
      let ours = Self.median(own.map(\.ours.imagesPerSecond))
      let memory = (own.compactMap(\.ours.peakBytes).max(), peers.compactMap(\.peakBytes).max())
      if isJSON {
        var object: [String: Any] = ["work": work, "imagesPerSecond": ours, "hardware": hardware]
        object["peakBytes"] = memory.0
        if !ratios.isEmpty {
          object["peerImagesPerSecond"] = Self.median(peers.map(\.imagesPerSecond))
          object["peerPeakBytes"] = memory.1
          object["ratio"] = Self.median(ratios)
          object["ratios"] = ratios
        }
        try printJSON(object)
      } else {
        var line = work.padding(toLength: width + 2, withPad: " ", startingAt: 0) + String(format: "Norma %8.1f", ours)
        if let least = ratios.first, let most = ratios.last {
          line += String(
            format: "   peer %8.1f   ratio %.2f (%.2f to %.2f)", Self.median(peers.map(\.imagesPerSecond)),
            Self.median(ratios), least, most)
        }
        let sizes = [memory.0, memory.1].compactMap { $0.map { "\($0 >> 20)" } }
        print(line + (sizes.isEmpty ? "" : "   \(sizes.joined(separator: " and ")) MiB"))
      }
    }
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return .nan }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }
}
