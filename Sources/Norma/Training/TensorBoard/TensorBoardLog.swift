import Foundation
import MedicalImaging
import Torch

/// What TensorBoard shows of a run: an event file in a folder, beside the log, which has more.
///
/// Every start of a run begins a file of its own. One that goes on voids what earlier files have of the epochs that come again.
final class TensorBoardLog {
  private let folder: URL
  private let clock: () -> Double
  private var file: EventFile?

  /// A log in a folder, which is made with the first event.
  init(in folder: URL, clock: @escaping () -> Double = { Date().timeIntervalSince1970 }) {
    (self.folder, self.clock) = (folder, clock)
  }

  /// Begins the run's file.
  /// - Parameter epochs: epochs that were trained before.
  /// - Throws: `TrainingError.cannotWrite`.
  func begin(after epochs: Int) throws {
    let earlier: Int
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      earlier = try FileManager.default.contentsOfDirectory(atPath: folder.path).count { $0.hasPrefix(Self.prefix) }
    } catch { throw TrainingError.cannotWrite(path: folder.path, reason: error.localizedDescription) }
    // TensorBoard reads a folder's files in the order of their names.
    let name = Self.prefix + String(format: "%010.0f.norma.%04d", clock(), earlier)
    let file = try EventFile(creating: folder.appendingPathComponent(name), wallTime: clock())
    self.file = file
    if earlier > 0 { try file.append(Event(wallTime: clock(), step: epochs + 1, content: .resumed)) }
  }

  private static let prefix = "events.out.tfevents."

  /// Adds numbers after an epoch.
  func add(_ scalars: [(tag: String, value: Double)], epoch: Int) throws {
    let scalars = scalars.map { (tag: $0.tag, value: Float($0.value)) }.sorted { $0.tag < $1.tag }
    try file?.append(Event(wallTime: clock(), step: epoch, content: .scalars(scalars)))
  }

  /// Adds a row of pictures `[B, H, W]`, or `[B, D, H, W]` of volumes, of which the middle slices are shown: the smallest value
  /// black, the largest white, unless `range` says otherwise.
  func add(_ pictures: Tensor, tag: String, range: ClosedRange<Float>? = nil, epoch: Int) throws {
    guard let file else { return }
    let slices = try pictures.rank == 4 ? pictures.selected(pictures.extent(1) / 2, axis: 1) : pictures
    let row = try Tensor.concatenated(slices.detached().to(.cpu).unbound(axis: 0), axis: 1).contiguous()
    let values: [Float] = try row.values()
    guard let lowest = values.min(), let highest = values.max(), lowest.isFinite, highest.isFinite else { return }
    let image = Image2D(
      width: row.extent(1), height: row.extent(0), samples: values, range: range ?? lowest...highest)
    let png = try PNG.encode(image)
    try file.append(
      Event(
        wallTime: clock(), step: epoch,
        content: .picture(tag: tag, png: png, width: image.width, height: image.height)))
  }
}
