import Foundation
import Torch

/// Makes the images of CutPaste's three-way task of normal ones: as they are, with a patch of their own pasted elsewhere, and
/// with a scar, a thin and turned patch (§2.2).
struct CutPasteTask {
  /// What is pasted.
  enum Patch: CaseIterable { case rectangle, scar }

  /// Normal, pasted, scarred.
  static let classes = 3

  let configuration: CutPasteTaskConfiguration
  /// The network scale of black; white is 1.
  let lowest: Double

  /// Three times as many images, `[3 · B, 1, S, S]`, and their classes, `[3 · B]`, int64: every class alike often.
  func callAsFunction(_ normal: Tensor, random: Generator) throws(TorchError) -> (images: Tensor, classes: Tensor) {
    let images =
      try [normal]
      + Patch.allCases.map { patch throws(TorchError) in
        try pasted(patch, onto: normal, random: random).images
      }
    let classes = (0..<Self.classes).flatMap { [Int](repeating: $0, count: normal.extent(0)) }
    return (try .concatenated(images, axis: 0), try Tensor(classes, on: normal.device))
  }

  /// Images with a patch of their own pasted at a random place, and where it lies, `[B, S, S]`, `bool`.
  func pasted(_ patch: Patch, onto images: Tensor, random: Generator) throws(TorchError) -> (
    images: Tensor, mask: Tensor
  ) {
    let (side, count) = (images.extent(3), images.extent(0))
    let shape = try shape(of: patch, count: count, side: Double(side), random: random)
    let (cosine, sine) = (try shape.angle.cos(), try shape.angle.sin())
    // The smallest upright box around the turned patch stays inside the image.
    func place(_ extent: Tensor) throws(TorchError) -> Tensor {
      let steps = try (Double(side) - extent).clamped(0, .infinity) + 1
      return try (random.uniform(shape: [count, 1, 1]) * steps).floor() + extent / 2
    }
    func bounds(_ along: Tensor, _ across: Tensor) throws(TorchError) -> Tensor {
      try -(-(along * cosine.abs() + across * sine.abs()) + 1e-3).floor()
    }
    let source = (x: try place(shape.width), y: try place(shape.height))
    let target = (
      x: try place(bounds(shape.width, shape.height)), y: try place(bounds(shape.height, shape.width))
    )
    let centres = try Tensor.arange(0.5, Double(side), on: images.device)
    let (x, y) = (try centres.reshaped([1, 1, side]) - target.x, try centres.reshaped([1, side, 1]) - target.y)
    let (along, across) = (try x * cosine + y * sine, try y * cosine - x * sine)
    let mask = try along.abs().less(shape.width / 2).and(across.abs().less(shape.height / 2))
    // Whole pixels move by whole pixels, so that the nearest pixel is an exact copy; turned ones are read as they are nearest.
    let scale = 2 / Double(side)
    let grid = try Tensor.stacked([(along + source.x) * scale - 1, (across + source.y) * scale - 1], axis: 3)
    let cut = try jittered(images.sampled(at: grid, .nearest, outside: .border), within: mask, random: random)
    return (try images.replacing(with: cut, where: mask.unsqueezed(1)), mask)
  }

  /// Width, height and angle of each patch in pixels and radians, `[B, 1, 1]`.
  private func shape(
    of patch: Patch, count: Int, side: Double, random: Generator
  ) throws(TorchError) -> (width: Tensor, height: Tensor, angle: Tensor) {
    func drawn(_ range: [Double]) throws(TorchError) -> Tensor {
      try random.uniform(range[0], range[1], shape: [count, 1, 1])
    }
    switch patch {
    case .rectangle:
      let area = try drawn(configuration.patchArea) * side * side
      let (flattest, tallest) = (configuration.patchAspect[0], configuration.patchAspect[1])
      let isTall = try random.bernoulli(0.5, shape: [count, 1, 1]).greater(0.5)
      let aspect = try drawn([flattest, 1]).replacing(with: drawn([1, tallest]), where: isTall)
      return (
        try (area / aspect).squareRoot().rounded().clamped(1, side),
        try (area * aspect).squareRoot().rounded().clamped(1, side), try area.zerosLike()
      )
    case .scar:
      let largest = configuration.scarRotation * .pi / 180
      return (
        try (drawn(configuration.scarWidth) * (side / 256)).rounded().clamped(1, side),
        try (drawn(configuration.scarLength) * (side / 256)).rounded().clamped(1, side), try drawn([-largest, largest])
      )
    }
  }

  /// Patches with another contrast around their mean, and another brightness.
  private func jittered(_ images: Tensor, within mask: Tensor, random: Generator) throws(TorchError) -> Tensor {
    guard configuration.jitter > 0 else { return images }
    let inside = try mask.unsqueezed(1).to(images.dtype)
    let mean = try (images * inside).sum([1, 2, 3], keepingAxes: true) / inside.sum([1, 2, 3], keepingAxes: true)
    func factor() throws(TorchError) -> Tensor {
      try random.uniform(1 - configuration.jitter, 1 + configuration.jitter, shape: [images.extent(0), 1, 1, 1])
    }
    let contrasted = try (images - mean) * factor() + mean
    return try ((contrasted - lowest) * factor() + lowest).clamped(lowest, 1)
  }
}
