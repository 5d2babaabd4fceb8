import Torch

/// Which patches an autoencoder sees: one row per pass, drawn by shuffling the patches (MAE §3, "masking").
struct PatchMask {
  /// Numbers of the visible patches, `[R, v]`, int64.
  let visible: Tensor
  /// 1 where a patch is hidden, 0 where visible, `[R, n]`.
  let hidden: Tensor

  /// Rows.
  var rows: Int { visible.extent(0) }

  /// v = round((1 − r) · n).
  static func visibleCount(of patches: Int, ratio: Double) -> Int {
    Int(((1 - ratio) * Double(patches)).rounded(.toNearestOrEven))
  }

  /// Shows in each row the `visibleCount` patches with the least noise, `[R, n]`.
  init(noise: Tensor, visibleCount: Int) throws(TorchError) {
    try self.init(visible: noise.sorted(axis: 1).indices.sliced(0..<visibleCount, axis: 1), patches: noise.extent(1))
  }

  /// Shows the given patches, `[R, v]`, of `patches`.
  init(visible: Tensor, patches: Int) throws(TorchError) {
    self.visible = visible
    let all = try Tensor.ones([visible.extent(0), patches], on: visible.device)
    hidden = try all.scattering(.zeros(visible.shape, on: visible.device), at: visible, axis: 1)
  }

  /// A shuffle for each of `rows`.
  static func random(rows: Int, patches: Int, ratio: Double, random: Generator) throws(TorchError) -> PatchMask {
    try PatchMask(
      noise: random.uniform(shape: [rows, patches]), visibleCount: visibleCount(of: patches, ratio: ratio))
  }

  /// Rows in groups of n / v, whose visible patches together are all patches, each once.
  /// - Throws: `TorchError` when v does not divide n or n / v does not divide `rows`.
  static func complementary(
    rows: Int, patches: Int, ratio: Double, random: Generator
  ) throws(TorchError) -> PatchMask {
    let visible = visibleCount(of: patches, ratio: ratio)
    let partitions = rows * visible / patches
    guard partitions > 0, partitions * patches == rows * visible, patches % visible == 0 else {
      throw TorchError("mask", "\(rows) masks with \(visible) of \(patches) patches visible make no partitions")
    }
    let order = try random.uniform(shape: [partitions, patches]).sorted(axis: 1).indices
    return try PatchMask(visible: order.reshaped([rows, visible]), patches: patches)
  }

  /// Every row for each of `images`, rows outermost: `[R · images, …]`.
  func repeated(for images: Int) throws(TorchError) -> PatchMask {
    PatchMask(
      visible: try visible.repeatingEach(images, axis: 0), hidden: try hidden.repeatingEach(images, axis: 0))
  }

  /// The same mask on another device.
  func moved(to device: Device) throws(TorchError) -> PatchMask {
    PatchMask(visible: try visible.to(device), hidden: try hidden.to(device))
  }

  private init(visible: Tensor, hidden: Tensor) {
    (self.visible, self.hidden) = (visible, hidden)
  }

  /// The visible tokens of `[B, n, d]`: `[R, v, d]`. Where there are more rows than images, the images are taken over again
  /// for every B rows.
  func visible(of tokens: Tensor) throws(TorchError) -> Tensor {
    let (images, width) = (tokens.extent(0), tokens.extent(2))
    let passes = rows / images
    let places = [passes, images, visible.extent(1), width]
    let index = try visible.reshaped([passes, images, -1, 1]).expanded(places)
    let repeated = try tokens.unsqueezed(0).expanded([passes, images, tokens.extent(1), width])
    return try repeated.gathering(index, axis: 2).reshaped([rows, -1, width])
  }

  /// Visible tokens `[R, v, d]` back at their places among `fill`, `[1, 1, d]`, which stands for the hidden ones: `[R, n, d]`.
  func restored(_ tokens: Tensor, among fill: Tensor) throws(TorchError) -> Tensor {
    let index = try visible.unsqueezed(2).expanded(tokens.shape)
    return try fill.expanded([rows, hidden.extent(1), tokens.extent(2)]).scattering(tokens, at: index, axis: 1)
  }
}
