import Foundation
import Torch

/// Work that threads of its own do ahead of whoever waits for it, handed over in the order in which it was given: reading
/// before the network, writing behind it.
///
/// One thread gives and takes; it bounds the memory that is held by giving no more than it wants waiting (`count`). Work that
/// nobody takes any more is not begun.
public final class OrderedWork<Output: Sendable> {
  private let shared = Shared()
  private let workers: Int
  private let name: String
  private var threads = 0
  private var given = 0
  private var taken = 0

  /// - Parameters:
  ///   - workers: how many threads work, each made when there is something for it to do; with 0 the work is done where
  ///   it is taken.
  ///   - name: what debuggers call the threads.
  public init(workers: Int, name: String = "norma.worker") { (self.workers, self.name) = (workers, name) }

  deinit { shared.end() }

  /// What was given and not taken yet.
  public var count: Int { given - taken }

  /// Whether `next` would not have to wait.
  public var isNextDone: Bool { workers > 0 && shared.isDone(taken) }

  /// Gives work to do.
  public func begin(_ work: @escaping @Sendable () -> Output) {
    shared.add(work, number: given)
    given += 1
    guard threads < min(workers, count) else { return }
    threads += 1
    let thread = Thread { [shared] in
      Runtime.useOneThread()
      while shared.workOnce() {}
    }
    thread.name = name
    thread.start()
  }

  /// What came of the work that was given first and not taken yet, waiting for it; nil when there is none.
  public func next() -> Output? {
    guard count > 0 else { return nil }
    defer { taken += 1 }
    return workers > 0 ? shared.wait(for: taken) : shared.doFirst()
  }

  /// What comes of the next of `all` pieces of work that differ in their numbers, counted from 0, waiting for it; nil after the
  /// last. No other work may be given.
  /// - Parameter ahead: pieces that are begun and not taken, this one included.
  public func next(of all: Int, ahead: Int, _ work: @escaping @Sendable (Int) -> Output) -> Output? {
    while given < all, count < ahead { begin { [number = given] in work(number) } }
    return next()
  }

  /// What both sides see.
  ///
  /// `@unchecked Sendable`: every stored property is read and written under `condition`'s lock.
  private final class Shared: @unchecked Sendable {
    private let condition = NSCondition()
    private var waiting: [(number: Int, work: @Sendable () -> Output)] = []
    private var done: [Int: Output] = [:]
    private var isEnded = false

    func add(_ work: @escaping @Sendable () -> Output, number: Int) {
      locked {
        waiting.append((number, work))
        condition.broadcast()
      }
    }

    /// Does the next piece of work, waiting for it; false when there will be none.
    func workOnce() -> Bool {
      let next = locked { () -> (number: Int, work: @Sendable () -> Output)? in
        while waiting.isEmpty, !isEnded { condition.wait() }
        return isEnded ? nil : waiting.removeFirst()
      }
      guard let next else { return false }
      let output = next.work()
      locked {
        done[next.number] = output
        condition.broadcast()
      }
      return true
    }

    /// Does the next piece of work on the caller's thread.
    func doFirst() -> Output? { locked { waiting.isEmpty ? nil : waiting.removeFirst() }?.work() }

    func isDone(_ number: Int) -> Bool { locked { done[number] != nil } }

    func wait(for number: Int) -> Output? {
      locked {
        while done[number] == nil { condition.wait() }
        return done.removeValue(forKey: number)
      }
    }

    func end() {
      locked {
        isEnded = true
        waiting = []
        condition.broadcast()
      }
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
      condition.lock()
      defer { condition.unlock() }
      return body()
    }
  }
}
