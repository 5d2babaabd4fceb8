import Foundation
import Testing

@testable import Norma

@Suite("Work done ahead, handed over in order")
struct OrderedWorkTests {
  /// How many pieces of work are being done, and how many were at most.
  ///
  /// `@unchecked Sendable`: everything is read and written under `lock`.
  private final class Count: @unchecked Sendable {
    private let lock = NSLock()
    private var (now, most, all) = (0, 0, 0)
    var peak: Int { lock.withLock { most } }
    var begun: Int { lock.withLock { all } }
    func enter() {
      lock.withLock {
        (now, all) = (now + 1, all + 1)
        most = max(most, now)
      }
    }
    func leave() { lock.withLock { now -= 1 } }
  }

  @Test("Results come in the order of the work, however long each piece takes", arguments: [0, 1, 2, 5])
  func order(workers: Int) {
    let (work, count) = (OrderedWork<Int>(workers: workers), Count())
    var results: [Int] = []
    for number in 0..<60 {
      work.begin {
        count.enter()
        defer { count.leave() }
        usleep(UInt32((number * 37) % 11) * 100)
        return number
      }
      if work.count > 7, let result = work.next() { results.append(result) }
      #expect(work.count <= 7)
    }
    while let result = work.next() { results.append(result) }
    #expect(results == Array(0..<60))
    #expect(count.peak <= max(1, workers) && work.count == 0 && work.next() == nil)
  }

  @Test("Numbered work comes in order to its end, with no more begun than may be ahead", arguments: [0, 1, 3])
  func numbered(workers: Int) {
    let (work, count) = (OrderedWork<Int>(workers: workers), Count())
    for number in 0..<20 {
      let result = work.next(of: 20, ahead: 4) { number in
        count.enter()
        usleep(UInt32((number * 37) % 11) * 100)
        return number * number
      }
      #expect(result == number * number)
      #expect(work.count == min(3, 19 - number) && count.begun <= min(20, number + 4))
    }
    #expect(work.next(of: 20, ahead: 4) { $0 } == nil && count.begun == 20)
  }

  @Test("Several threads work at the same time, each on its own piece")
  func together() {
    let work = OrderedWork<Bool>(workers: 3)
    let (arrived, go) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    for _ in 0..<3 {
      work.begin {
        arrived.signal()
        return go.wait(timeout: .now() + 20) == .success
      }
    }
    for _ in 0..<3 { #expect(arrived.wait(timeout: .now() + 20) == .success) }
    #expect(!work.isNextDone)
    for _ in 0..<3 { go.signal() }
    #expect([work.next(), work.next(), work.next()] == [true, true, true])
  }

  @Test("Without threads the work is done where it is taken, and not before")
  func inline() {
    let (work, count, here) = (OrderedWork<Bool>(workers: 0), Count(), ObjectIdentifier(Thread.current))
    for _ in 0..<2 {
      work.begin {
        count.enter()
        return ObjectIdentifier(Thread.current) == here
      }
    }
    #expect(count.begun == 0 && !work.isNextDone)
    #expect(work.next() == true)
    #expect(count.begun == 1)
  }

  @Test("Work that nobody waits for any more is not begun, and the threads end")
  func dropping() throws {
    let (count, go) = (Count(), DispatchSemaphore(value: 0))
    let ended = DispatchSemaphore(value: 0)
    var work: OrderedWork<Int>? = OrderedWork(workers: 1)
    work?.begin {
      count.enter()
      go.wait()
      return 0
    }
    final class Sentinel: Sendable {
      let ended: DispatchSemaphore
      init(_ ended: DispatchSemaphore) { self.ended = ended }
      deinit { ended.signal() }
    }
    do {
      let sentinel = Sentinel(ended)
      work?.begin {
        count.enter()
        withExtendedLifetime(sentinel) {}
        return 1
      }
    }
    while count.begun == 0 { usleep(1000) }
    work = nil
    #expect(ended.wait(timeout: .now() + 20) == .success)
    go.signal()
    #expect(count.begun == 1)
  }
}
