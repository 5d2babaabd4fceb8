public import Foundation
import MedicalImaging

extension PhantomDataSet {
  /// Makes every image and mask and writes them as 8-bit grey PNG files below `folder`, which is created when missing.
  ///
  /// Images are made on all processors; each depends on its own seed alone, so the files do not depend on how many there
  /// are. Each file is written under a temporary name and renamed; files of an earlier run with the same names are replaced.
  /// - Parameters:
  ///   - folder: where the set goes.
  ///   - progress: told after each image how many are done and how many there are, in rising order.
  /// - Returns: what was written, in the order of the seeds.
  /// - Throws: `PhantomError.invalidValue` for a plan out of range, `PhantomError.cannotWrite` naming the folder that cannot
  ///   be made, `ImageError.notWritable` naming the file, `CancellationError` when the task is cancelled (the images
  ///   finished so far stay).
  @discardableResult
  public func write(
    to folder: URL, progress: (_ done: Int, _ count: Int) -> Void = { _, _ in }
  ) async throws -> [Entry] {
    let entries = try entries()
    let phantom = try ChestPhantom(configuration: configuration)
    try await PhantomFiles.write(
      entries, paths: { [$0.imagePath, $0.maskPath].compactMap { $0 } }, below: folder, progress: progress
    ) { entry in
      let made = phantom.image(seed: entry.seed, lesion: entry.lesion)
      try PNG.write(made.image, to: folder.appendingPathComponent(entry.imagePath).path, bitsPerSample: 8)
      if let maskPath = entry.maskPath {
        try PNG.write(made.maskImage, to: folder.appendingPathComponent(maskPath).path, bitsPerSample: 8)
      }
    }
    return entries
  }
}
