import Foundation

/// Rounds of work, ours and the peer's, and their medians.
struct BenchTable {
  private var rounds: [(work: String, ours: Double, peer: Double?)] = []

  /// Adds one round as images per second; a warm-up counts for nothing.
  mutating func add(
    _ work: String, ours: (seconds: Double, images: Int), peer: (seconds: Double, images: Int)?, isWarmUp: Bool
  ) {
    guard !isWarmUp else { return }
    rounds.append((work, Double(ours.images) / ours.seconds, peer.map { Double($0.images) / $0.seconds }))
  }

  /// Prints one line per kind of work: medians, and the median of the round-by-round ratios with its extremes.
  func write(isJSON: Bool, hardware: String) throws {
    var works: [String] = []
    for round in rounds where !works.contains(round.work) { works.append(round.work) }
    let count = rounds.count / max(works.count, 1)
    let width = works.map(\.count).max() ?? 0
    if !isJSON { print("images per second, medians of \(count) \(count == 1 ? "round" : "rounds"); \(hardware)") }
    for work in works {
      let own = rounds.filter { $0.work == work }
      let ratios = own.compactMap { round in round.peer.map { round.ours / $0 } }.sorted()
      let ours = Self.median(own.map(\.ours))
      if isJSON {
        var object: [String: Any] = ["work": work, "imagesPerSecond": ours, "hardware": hardware]
        if !ratios.isEmpty {
          object["peerImagesPerSecond"] = Self.median(own.compactMap(\.peer))
          object["ratio"] = Self.median(ratios)
          object["ratios"] = ratios
        }
        try printJSON(object)
      } else {
        let name = work.padding(toLength: width + 2, withPad: " ", startingAt: 0)
        let peer =
          ratios.isEmpty
          ? ""
          : String(
            format: "   PyTorch %8.1f   ratio %.2f (%.2f to %.2f)", Self.median(own.compactMap(\.peer)),
            Self.median(ratios),
            ratios[0], ratios[ratios.count - 1])
        print(name + String(format: "Norma %8.1f", ours) + peer)
      }
    }
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return .nan }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }
}
