import MedicalImaging
import Torch

/// Views that a detector sees at once.
struct ViewBatch {
  /// A view of an image.
  struct View {
    let image: StreamedImage
    let layout: ImageViews
    let number: Int

    /// Where the network's grid lies in what the view shows.
    var placement: GridPlacement { layout.placement(of: number) }
  }

  /// The views.
  let views: [View]
  /// Their places among all views that were asked for.
  let indices: [Int]
  /// Their values in network scale, `[B, channels, extents…]`.
  let values: Tensor
}

// The one way from images to batches, in training and afterwards. Batches are cut from the views of all images in a row, so that
// they, and with them the scores, depend on nothing but the images' order: not on what is read ahead.
extension Scorer {
  /// Calls `body` with batches of images that were prepared before, in order, without augmentation.
  /// - Parameter chosen: which views, ascending; nil: all.
  func forEachBatch(
    of images: PreparedImages, views chosen: [Int]? = nil, _ body: (ViewBatch) throws -> Void
  ) throws {
    try forEachBatch(of: ImageStream(images, batchSize: batchSize, views: chosen), body)
  }

  /// Calls `body` with batches of images as they come in.
  /// - Parameter failed: called with an image that cannot be used, in its place; throws unless told otherwise.
  func forEachBatch(
    of images: ImageStream, failed: (any Error) throws -> Void = { throw $0 }, _ body: (ViewBatch) throws -> Void
  ) throws {
    var waiting: [ViewBatch.View] = []
    var done = 0
    func score() throws {
      guard !waiting.isEmpty else { return }
      let views = waiting
      waiting = []
      let values = views.map {
        $0.layout.values(of: $0.number, in: $0.image.prepared[0].values, channels: specification.channels)
      }
      let scaled = try specification.scaled(
        specification.batch(values, on: device), placements: views.map(\.placement))
      let batch = ViewBatch(views: views, indices: Array(done..<done + views.count), values: scaled)
      do { try body(batch) } catch let error as TorchError where error.isOutOfMemory {
        throw BatchSizeError.outOfMemory(size: views.count, isTraining: false)
      }
      done += views.count
    }
    while let next = images.next() {
      let image: StreamedImage
      switch next {
      case .success(let read): image = read
      case .failure(let error):
        try failed(error)
        continue
      }
      let layout = specification.views(in: image.prepared[0].placement)
      for number in image.views ?? Array(0..<layout.count) {
        waiting.append(.init(image: image, layout: layout, number: number))
        if waiting.count == batchSize { try score() }
      }
    }
    try score()
  }

  /// What is said about every image, before calibration, in order: the image, what is said, and where that lies in its grid.
  func forEachFinding(
    of images: ImageStream, explains: Bool, allScores: Bool, failed: (any Error) throws -> Void = { throw $0 },
    progress: ProgressHandler = { _ in }, _ handle: (StreamedImage, Finding, GridPlacement) throws -> Void
  ) throws {
    if let ensemble = detector as? EnsembleDetector {
      return try forEachFinding(
        of: images, fusedBy: ensemble, explains: explains, failed: failed, progress: progress, handle)
    }
    let total = images.viewCount
    var done = 0
    var gathering: ViewGathering?
    try forEachBatch(
      of: images,
      failed: {
        done += 1
        try failed($0)
      }
    ) { batch in
      for (view, finding) in zip(
        batch.views, try self.findings(batch.values, explains: explains, allScores: allScores))
      {
        var views = gathering ?? ViewGathering(view.layout, self.specification.intensity)
        gathering = nil  // so that adding copies no map
        let whole = try views.add(finding)
        if whole == nil { gathering = views }
        if let whole {
          if total == nil { done += 1 }
          try handle(view.image, whole, view.image.prepared[0].placement)
        }
      }
      if total != nil { done += batch.views.count }
      progress(
        WorkProgress(
          "scoring", done: done, total: total ?? images.count, unit: total == nil ? "images" : self.specification.unit))
    }
  }

  /// The same of images that were prepared before.
  func forEachFinding(
    of images: PreparedImages, explains: Bool, allScores: Bool, progress: ProgressHandler = { _ in },
    _ handle: (StreamedImage, Finding, GridPlacement) throws -> Void
  ) throws {
    try forEachFinding(
      of: ImageStream(images, batchSize: batchSize), explains: explains, allScores: allScores, progress: progress,
      handle)
  }
}
