import MedicalImaging
import Torch

// How an ensemble is scored: every member sees the images through its own specification and says what it says on the one path
// from images to figures; scores and maps meet image by image.
extension Scorer {
  /// Images at a time; the members' maps of all of them are held. Of volumes one.
  private static let imagesAtATime = 16

  /// Default scores of all images, member by member.
  func memberScores(of images: PreparedImages, areReferences: Bool) throws -> [[Double]] {
    try zip(members, images.members).map { member, images in
      let name = member.detector.scoreNames[0]
      return try member.rawScores(of: images, named: [name], areReferences: areReferences)[name] ?? []
    }
  }

  /// What the ensemble says about every image, in order: its map and the members' reconstructions lie over the whole image.
  func forEachFinding(
    of images: ImageStream, fusedBy ensemble: EnsembleDetector, explains: Bool, failed: (any Error) throws -> Void,
    progress: ProgressHandler, _ handle: (StreamedImage, Finding, GridPlacement) throws -> Void
  ) throws {
    let usual = try ensemble.usual()
    let size = specification.isVolume ? 1 : hasGivenBatchSize ? batchSize : Self.imagesAtATime
    var done = 0
    func score(_ images: [StreamedImage]) throws {
      var said = images.map { _ in [(finding: Finding, placement: GridPlacement)]() }
      for (number, member) in members.enumerated() {
        let seen = ImageStream(images, member: number, for: member.specification)
        try member.forEachFinding(of: seen, explains: explains, allScores: false) {
          said[$0.index].append(($1, $2))
        }
      }
      let own = members.indices.map { member in
        said.map { $0[member].finding.scores[members[member].detector.scoreNames[0]] ?? .nan }
      }
      let scores = try ensemble.scores(of: own)
      for (position, image) in images.enumerated() {
        let finding = try ensemble.finding(
          scores: scores.mapValues { $0[position] }, of: said[position], usual: usual)
        let grid = image.prepared[0].placement.grid
        try handle(image, finding, GridPlacement(stretching: grid, to: grid.extents))
      }
    }
    var waiting: [StreamedImage] = []
    while let next = images.next() {
      done += 1
      switch next {
      case .success(let image): waiting.append(image)
      case .failure(let error): try failed(error)
      }
      guard waiting.count == size || done == images.count else { continue }
      if !waiting.isEmpty { try score(waiting) }
      waiting = []
      progress(WorkProgress("scoring", done: done, total: images.count, unit: "images"))
    }
  }
}

extension EnsembleDetector {
  /// What the members say about one image, put together.
  fileprivate func finding(
    scores: [String: Double], of members: [(finding: Finding, placement: GridPlacement)], usual: Normals
  ) throws -> Finding {
    var whole = Finding(scores: scores)
    let maps = zip(members, usual.maps).compactMap { said, usual in
      said.finding.maps.first.map { (map: $0.values, placement: said.placement, usual: usual) }
    }
    if let map = try configuration.fusion(maps) { whole.maps = [(configuration.fusion.scoreName, map)] }
    for (member, said) in zip(configuration.members, members) {
      guard let picture = said.finding.reconstruction else { continue }
      let shown = try said.placement.seesWhole ? said.placement.covered(picture) : said.placement.restored(picture)
      whole.steps.append(("reconstruction of \(member.name)", shown))
    }
    return whole
  }
}
