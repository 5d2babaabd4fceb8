/// Which images of a list could not be read, and whether the rest is enough to train on.
public struct DecodingReport: Equatable, Sendable {
  /// An item that could not be read, and why.
  public struct Failure: Equatable, Sendable {
    /// The item.
    public let item: DataItem
    /// Why it could not be read; prints as a sentence that names the file.
    public let reason: ImageError
  }

  /// All items, in order.
  public let items: [DataItem]
  /// Those that failed, in order.
  public let failures: [Failure]

  /// The report of what `ImageReader.decode` returned for these items.
  /// - Precondition: there is one result per item.
  public init<Decoded>(items: [DataItem], results: [Result<Decoded, ImageError>]) {
    precondition(items.count == results.count)
    self.items = items
    failures = zip(items, results).compactMap { item, result in
      guard case .failure(let reason) = result else { return nil }
      return Failure(item: item, reason: reason)
    }
  }

  /// Checks that the images read are enough to train on: not more than the tolerated share failed, and of each class at
  /// least one was read.
  /// - Throws: `DataSetError.wholeClassFailed` or `.tooManyFailures`, with the first failure's sentence.
  public func requireEnough(tolerating share: Double = 0.01) throws(DataSetError) {
    guard let first = failures.first else { return }
    for className in Set(failures.compactMap(\.item.className)).sorted() {
      let attempted = items.count { $0.className == className }
      let failed = failures.filter { $0.item.className == className }
      guard failed.count < attempted else {
        throw .wholeClassFailed(className: className, attempted: attempted, first: failed[0].reason.description)
      }
    }
    guard Double(failures.count) <= share * Double(items.count) else {
      throw .tooManyFailures(
        failed: failures.count, attempted: items.count, tolerated: share, first: first.reason.description)
    }
  }
}
