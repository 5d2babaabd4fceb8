import Foundation
import MedicalImaging
import Testing

@Suite("ImageReader.decode and DecodingReport")
struct DecodingTests {
  private func item(_ path: String, className: String? = nil) -> DataItem {
    DataItem(name: path, path: path, className: className)
  }

  @Test("Results come in the items' order, whatever the number of workers", arguments: [1, 2, 7, 100])
  func order(_ workers: Int) async throws {
    let names = Golden.readable
    let results = try await ImageReader.decode(names.map { item(Golden.image($0)) }, workers: workers) { $0 }
    let images = try results.map { try $0.get() }
    #expect(try images == names.map { try ImageReader.read(Golden.image($0)) })
  }

  @Test("Never more images are open than there are workers, and progress counts to the end")
  func bound() async throws {
    let counter = Counter()
    var progress: [Int] = []
    _ = try await ImageReader.decode(
      Golden.readable.map { item(Golden.image($0)) }, workers: 2, progress: { progress.append($0) },
      transform: { _ in
        counter.enter()
        Thread.sleep(forTimeInterval: 0.001)
        counter.leave()
      })
    #expect(counter.most <= 2)
    #expect(progress == Array(1...Golden.readable.count))
  }

  @Test("A failure is a result, and leaves the others alone")
  func failures() async throws {
    struct Blurred: Error {}
    let items = ["/none.png", Golden.image("grey8.png"), Golden.image("pages.tif")].map { item($0) }
    let results = try await ImageReader.decode(items, transform: \.width)
    #expect(results[0] == .failure(.missing(path: "/none.png")))
    #expect(results[1] == .success(13))
    let pages = ImageError.unsupported(
      path: items[2].path, format: "TIFF", reason: "it has 3 pages; give one image per file")
    #expect(results[2] == .failure(pages))
    let rejected = try await ImageReader.decode([items[1]]) { _ -> Int in throw Blurred() }
    #expect(rejected == [.failure(.rejected(path: items[1].path, reason: "Blurred()"))])
    #expect(
      ImageError.rejected(path: "a.png", reason: "it is blurred").description
        == "a.png cannot be used: it is blurred.")
    let report = DecodingReport(items: items, results: results)
    #expect(report.failures.map(\.item) == [items[0], items[2]])
    #expect(report.failures.map(\.reason) == [.missing(path: "/none.png"), pages])
  }

  @Test("A cancelled task begins no further image and says so")
  func cancellation() async {
    let items = [DataItem](repeating: item(Golden.image("grey8.png")), count: 500)
    let counter = Counter()
    let task = Task {
      try await ImageReader.decode(items, workers: 2) { _ in
        counter.enter()
        while !Task.isCancelled { Thread.sleep(forTimeInterval: 0.001) }
      }
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(counter.entered <= 2)
  }

  @Test("Up to one in a hundred may fail, and never a whole class")
  func tolerance() throws {
    func report(failing: Int, of count: Int, classes: [String]) -> DecodingReport {
      let items = (0..<count).map { item("/\($0).png", className: classes[min($0, classes.count - 1)]) }
      let results = items.enumerated().map { index, item -> Result<Int, ImageError> in
        index < failing ? .failure(.missing(path: item.path)) : .success(0)
      }
      return DecodingReport(items: items, results: results)
    }
    try report(failing: 0, of: 0, classes: [""]).requireEnough()
    try report(failing: 2, of: 200, classes: ["A"]).requireEnough()
    #expect(
      message { try report(failing: 3, of: 200, classes: ["A"]).requireEnough() }
        == "3 of 200 images could not be read, more than the tolerated 1 %; "
        + "the first: /0.png does not exist; check the path.")
    try report(failing: 3, of: 200, classes: ["A"]).requireEnough(tolerating: 0.015)
    #expect(
      message { try report(failing: 2, of: 200, classes: ["A", "A", "B"]).requireEnough() }
        == "None of the 2 images of class A could be read; the first: /0.png does not exist; check the path.")
  }
}

/// Counts how many calls are under way; `lock` guards both numbers.
private final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var inside = 0
  private(set) var most = 0
  private(set) var entered = 0

  func enter() {
    lock.withLock {
      inside += 1
      entered += 1
      most = max(most, inside)
    }
  }

  func leave() { lock.withLock { inside -= 1 } }
}
