import Foundation

/// Transforms the elements in parallel, at most `workers` at a time (nil: one per processor), and gives the results in
/// the elements' order. `progress` is called with the number of finished elements, one call at a time.
/// - Throws: `CancellationError` when the task is cancelled; elements that were begun are finished first.
func concurrentMap<Element: Sendable, Transformed: Sendable>(
  _ elements: [Element], workers: Int?, progress: (Int) -> Void = { _ in },
  transform: @escaping @Sendable (Element) -> Transformed
) async throws(CancellationError) -> [Transformed] {
  let width = max(1, workers ?? Allotment.processors)
  let finished = await withTaskGroup(of: (Int, Transformed)?.self) { group in
    var results = [Transformed?](repeating: nil, count: elements.count)
    var begun = 0
    func begin() {
      guard begun < elements.count else { return }
      let index = begun
      begun += 1
      group.addTask { Task.isCancelled ? nil : (index, transform(elements[index])) }
    }
    for _ in 0..<width { begin() }
    var count = 0
    while let result = await group.next() {
      guard let (index, transformed) = result else { continue }
      results[index] = transformed
      count += 1
      progress(count)
      if !Task.isCancelled { begin() }
    }
    return results.compactMap { $0 }
  }
  guard finished.count == elements.count else { throw CancellationError() }
  return finished
}

/// The results of the elements in their order, made on all processors by a caller that cannot suspend.
func concurrentResults<Element: Sendable, Transformed: Sendable>(
  _ elements: [Element], transform: @Sendable (Element) throws(ImageError) -> Transformed
) -> [Result<Transformed, ImageError>] {
  let gathered = GatheredResults<Transformed>(count: elements.count)
  DispatchQueue.concurrentPerform(iterations: elements.count) { index in
    do throws(ImageError) { gathered.set(.success(try transform(elements[index])), at: index) } catch {
      gathered.set(.failure(error), at: index)
    }
  }
  return gathered.all
}

/// Results as they come in.
///
/// `@unchecked Sendable`: `results` is read and written under `lock`.
private final class GatheredResults<Transformed: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var results: [Result<Transformed, ImageError>?]

  init(count: Int) { results = Array(repeating: nil, count: count) }

  func set(_ result: Result<Transformed, ImageError>, at index: Int) { lock.withLock { results[index] = result } }

  var all: [Result<Transformed, ImageError>] { lock.withLock { results.compactMap { $0 } } }
}
