import Foundation

/// An axial slice of a volume as an image, named behind a `#` (`scan.nii.gz#z78`).
///
/// Slices are counted from 0, from the feet to the head, however the file orders its voxels, and are shown in the
/// radiological way: rows from front to back, columns from the patient's right to the left. The image's range is the whole
/// volume's, so that slices of one volume compare.
struct VolumeSlice {
  private let place: ImagePath
  private let number: Int

  /// The slice that a path names; nil where it names something else.
  init?(_ place: ImagePath) {
    guard let part = place.part, part.hasPrefix("z"), let number = ImagePath.index(part.dropFirst()) else { return nil }
    (self.place, self.number) = (place, number)
  }

  /// The slice.
  /// - Throws: `ImageError`, as `VolumeReader.read` does, and when there is no such slice.
  func image() throws(ImageError) -> Image2D {
    let volume = try OpenVolumes.shared.volume(at: place.file)
    guard number < volume.depth else {
      throw .noPart(path: place.path, reason: "the volume has \(volume.depth) slices, counted from 0")
    }
    let plane = volume.width * volume.height
    // In the order closest to RAS the last voxel of the last row is the patient's front right.
    let samples = Array(volume.samples[number * plane..<(number + 1) * plane].reversed())
    return Image2D(
      width: volume.width, height: volume.height, samples: samples, range: volume.range,
      spacing: PixelSpacing(row: volume.spacing.y, column: volume.spacing.x),
      provenance: Provenance(
        path: place.path, format: volume.provenance.format, bitsPerSample: volume.provenance.bitsPerSample))
  }

  /// What tells the slice apart from others: its sides and samples.
  func content() throws(ImageError) -> Data {
    let image = try image()
    var content = Data("\(image.width) \(image.height) ".utf8)
    image.samples.withUnsafeBytes { content.append(contentsOf: $0) }
    return content
  }
}

/// The volumes that slices were last taken from, each until it changes on the disk: slices are asked for one by one.
///
/// `@unchecked Sendable`: `lock` guards `kept`, and each volume's own lock its reading.
private final class OpenVolumes: @unchecked Sendable {
  static let shared = OpenVolumes()

  /// A volume that is read when it is first asked for; whoever else wants it waits.
  private final class Entry: @unchecked Sendable {
    let path: String
    let changed: Date?
    private let lock = NSLock()
    private var result: Result<Volume3D, ImageError>?

    init(path: String, changed: Date?) { (self.path, self.changed) = (path, changed) }

    func volume() throws(ImageError) -> Volume3D {
      lock.lock()
      defer { lock.unlock() }
      if let result { return try result.get() }
      do {
        let volume = try VolumeReader.read(path).canonical
        result = .success(volume)
        return volume
      } catch {
        result = .failure(error)
        throw error
      }
    }
  }

  /// How many are kept: images and masks of two cases, and of the next ones.
  private static let most = 6
  private let lock = NSLock()
  private var kept: [Entry] = []

  func volume(at path: String) throws(ImageError) -> Volume3D {
    let changed = (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date
    return try entry(path, changed).volume()
  }

  private func entry(_ path: String, _ changed: Date?) -> Entry {
    lock.lock()
    defer { lock.unlock() }
    let found = kept.first { $0.path == path && $0.changed == changed } ?? Entry(path: path, changed: changed)
    kept = kept.filter { $0.path != path }.suffix(Self.most - 1) + [found]
    return found
  }
}
