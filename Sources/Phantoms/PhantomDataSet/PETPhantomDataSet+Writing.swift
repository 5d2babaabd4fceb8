public import Foundation
import MedicalImaging

extension PETPhantomDataSet {
  /// Makes every case and writes PET, CT and masks as compressed NIfTI files below `folder`, which is created when missing.
  ///
  /// Cases are made on all processors; each depends on its own seed alone. Each file is written under a temporary name and
  /// renamed; files of an earlier run with the same names are replaced.
  /// - Parameters:
  ///   - folder: where the set goes.
  ///   - progress: told after each case how many are done and how many there are, in rising order.
  /// - Returns: what was written, in the order of the seeds.
  /// - Throws: `PhantomError.invalidValue` for a plan out of range, `PhantomError.cannotWrite` naming the folder that cannot
  ///   be made, `ImageError.notWritable` naming the file, `CancellationError` when the task is cancelled.
  @discardableResult
  public func write(
    to folder: URL, progress: (_ done: Int, _ count: Int) -> Void = { _, _ in }
  ) async throws -> [Entry] {
    let entries = try entries()
    let phantom = try PETPhantom(configuration: configuration)
    try await PhantomFiles.write(
      entries, paths: { [$0.uptakePath, $0.densityPath, $0.maskPath].compactMap { $0 } }, below: folder,
      progress: progress
    ) { entry in
      func path(_ name: String) -> String { folder.appendingPathComponent(name + ".nii.gz").path }
      let made = phantom.makeCase(seed: entry.seed, hasLesions: entry.hasLesions)
      try NIfTI.write(made.volume(of: made.uptake), to: path(entry.uptakePath))
      try NIfTI.write(made.volume(of: made.density), to: path(entry.densityPath))
      if let mask = entry.maskPath {
        try NIfTI.write(made.volume(of: made.lesions.map { $0 ? 1 : 0 }), to: path(mask), as: .uint8)
      }
    }
    return entries
  }
}

extension PETPhantomCase {
  /// Samples on the grid of the case: x runs to the patient's left, y to the back, z to the head.
  func volume(of samples: [Float]) -> Volume3D {
    Volume3D(
      width: width, height: height, depth: depth, samples: samples,
      affine: Affine3D(
        x: SIMD3(-spacing.width, 0, 0), y: SIMD3(0, -spacing.height, 0), z: SIMD3(0, 0, spacing.depth),
        origin: SIMD3(Double(width - 1) / 2 * spacing.width, Double(height - 1) / 2 * spacing.height, 0)))
  }
}
