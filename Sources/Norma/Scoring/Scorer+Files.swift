public import MedicalImaging

/// What is worth knowing of files that are being scored.
public enum ScoringNotice: Equatable, Sendable {
  /// A file that could not be read; the others are scored.
  case failure(ImageError)
  /// Something about an image that is scored, in a sentence.
  case remark(String)
}

extension Scorer {
  /// How many remarks are told one by one.
  private static let toldRemarks = 5

  /// Everything about each of the images in files, in their order, as soon as it is known: files are read ahead while others are
  /// scored, and not many images are held at a time. What `score(_:explains:)` gives for the same images.
  /// - Parameters:
  ///   - explains: whether maps and reconstructions are wanted.
  ///   - allScores: whether every score of the method is wanted, not just the default one, which is faster.
  ///   - tell: called with files that cannot be read, and with what is worth knowing of others.
  /// - Throws: `ImageError.otherKind` when all files are images where volumes are wanted, or the reverse; `TorchError`; and
  ///   whatever `handle` throws.
  public func score(
    files items: [DataItem], explains: Bool, allScores: Bool = false, tell: (ScoringNotice) -> Void = { _ in },
    progress: ProgressHandler = { _ in }, _ handle: (AnomalyResult) throws -> Void
  ) throws {
    var ofOtherKind: [ImageError] = []
    var remarks: [String] = []  // beyond those that were told
    var (failures, scored, told) = (0, 0, 0)
    let stream = ImageStream(files: items, for: specification, batchSize: batchSize, keepsSources: explains)
    func failed(_ error: any Error) throws {
      failures += 1
      guard let reason = error as? ImageError else { throw error }
      // Where nothing can be read they may be told in one sentence.
      if scored == 0, failures == ofOtherKind.count + 1, reason.isOtherKind {
        ofOtherKind.append(reason)
      } else {
        tellHeldBack()
        tell(.failure(reason))
      }
    }
    func tellHeldBack() {
      ofOtherKind.forEach { tell(.failure($0)) }
      ofOtherKind = []
    }
    try forEachFinding(of: stream, explains: explains, allScores: allScores, failed: failed, progress: progress) {
      image, finding, placement in
      tellHeldBack()
      scored += 1
      if let remark = placement.grid.remark(about: image.item.path) {
        if told < Self.toldRemarks { tell(.remark(remark)) } else { remarks.append(remark) }
        told += 1
      }
      try handle(result(finding, about: image, at: placement))
    }
    if scored == 0, let first = ofOtherKind.first { throw first }
    if remarks.count == 1 { tell(.remark(remarks[0])) }
    if remarks.count > 1 {
      tell(.remark("\(remarks.count) more volumes have tilted slices; norma data inspect names them."))
    }
  }
}
