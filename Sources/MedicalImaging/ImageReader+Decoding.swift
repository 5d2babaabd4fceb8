extension ImageReader {
  /// Reads the images of many items in parallel and keeps of each what `transform` makes of it, so that memory holds the
  /// results and only a few whole images.
  /// - Parameters:
  ///   - workers: how many images are read at a time; nil means one per processor.
  ///   - progress: called with the number of items done so far, one call at a time, in order.
  ///   - transform: runs on any thread; an error other than `ImageError` becomes `ImageError.rejected` with its words.
  /// - Returns: one result per item, in the items' order; see `DecodingReport` for what to do about failures.
  /// - Throws: `CancellationError` when the task is cancelled; images that were begun are finished first.
  public static func decode<Decoded: Sendable>(
    _ items: [DataItem], workers: Int? = nil, progress: (Int) -> Void = { _ in },
    transform: @escaping @Sendable (Image2D) throws -> Decoded
  ) async throws(CancellationError) -> [Result<Decoded, ImageError>] {
    try await decode(filesOf: items, workers: workers, progress: progress, reading: { try transform(read($0.path)) })
  }

  /// Makes something of the files of many items in parallel, as `decode` does of their images.
  /// - Parameter reading: reads an item's files; runs on any thread; an error other than `ImageError` becomes
  ///   `ImageError.rejected` with its words.
  /// - Returns: one result per item, in the items' order.
  /// - Throws: `CancellationError` when the task is cancelled; items that were begun are finished first.
  public static func decode<Decoded: Sendable>(
    filesOf items: [DataItem], workers: Int? = nil, progress: (Int) -> Void = { _ in },
    reading: @escaping @Sendable (DataItem) throws -> Decoded
  ) async throws(CancellationError) -> [Result<Decoded, ImageError>] {
    try await concurrentMap(items, workers: workers, progress: progress) { item in
      do {
        return .success(try reading(item))
      } catch let error as ImageError {
        return .failure(error)
      } catch {
        return .failure(.rejected(path: item.path, reason: "\(error)"))
      }
    }
  }
}
