import Foundation

/// An image or a volume in a NumPy file: a whole array, or an entry of its first axis.
///
/// | shape | is |
/// |---|---|
/// | `[h, w]`, `[h, w, 1]`, `[h, w, 3]` | an image, grey or red, green, blue |
/// | `[d, h, w]` | a volume: x runs along the last axis; NumPy tells no place in the patient |
/// | `[n, …]` | n of either, each named by its number |
///
/// Black and white are 0 and 255 of `uint8`, 0 and 65535 of `uint16`, 0 and 1 of `bool`; of all others the smallest and the
/// largest number of the image.
struct NumPyImage {
  private let path: String
  private let array: NumPyArray
  private let index: Int?
  /// The image's own axes.
  let shape: [Int]

  /// Finds the array that a path names.
  /// - Throws: `ImageError`, when the file cannot be read, or has no such array or entry.
  init(at place: ImagePath) throws(ImageError) {
    let file = try NumPyFile.open(place.file)
    let (name, index) = try Self.names(place, of: file)
    guard let array = try file.array(name) else {
      throw .noPart(
        path: place.path,
        reason: "the archive holds the arrays \(file.names.joined(separator: ", ")); name an image as "
          + "\(place.file)#\(file.names.first ?? "images")/0")
    }
    if let index, index >= array.shape.first ?? 0 {
      throw .noPart(path: place.path, reason: "the array's shape is \(Self.text(array.shape)), counted from 0")
    }
    (path, self.array, self.index) = (place.path, array, index)
    shape = index == nil ? array.shape : Array(array.shape.dropFirst())
  }

  /// The array's name, nil for a file of one array, and the number of the image in it, nil for the whole.
  private static func names(
    _ place: ImagePath, of file: NumPyFile.Contents
  ) throws(ImageError) -> (name: String?, index: Int?) {
    guard file.isArchive else { return (nil, try place.index()) }
    guard let part = place.part, !file.names.contains(part) else { return (place.part, nil) }
    guard let slash = part.lastIndex(of: "/"), let index = ImagePath.index(part[part.index(after: slash)...]) else {
      return (part, nil)
    }
    return (String(part[..<slash]), index)
  }

  /// The image.
  /// - Throws: `ImageError`, when there are several or it is a volume, too large, or not all of its numbers are finite.
  var image: Image2D {
    get throws(ImageError) {
      let isImage = shape.count == 2 || shape.count == 3 && Self.isChannels(shape[2])
      if !isImage, shape.count == 3, index != nil { throw .otherKind(path: path, isVolume: true) }
      guard isImage else { throw shapeError("an image") }
      let (samples, range) = try finite()
      let (height, width, channels) = (shape[0], shape[1], shape.count == 3 ? shape[2] : 1)
      let planar = (0..<channels).flatMap { channel in
        channels == 1 ? samples : stride(from: channel, to: samples.count, by: channels).map { samples[$0] }
      }
      return Image2D(
        width: width, height: height, channels: channels, samples: planar, range: range, provenance: provenance)
    }
  }

  /// The volume, its voxels along the patient's axes, a millimetre apart.
  /// - Throws: `ImageError`, when there are several or it is an image, too large, or not all of its numbers are finite.
  var volume: Volume3D {
    get throws(ImageError) {
      if shape.count == 2 || shape.count == 3 && Self.isChannels(shape[2]) {
        throw .otherKind(path: path, isVolume: false)
      }
      guard shape.count == 3 else { throw shapeError("a volume") }
      let (samples, range) = try finite()
      return Volume3D(
        width: shape[2], height: shape[1], depth: shape[0], samples: samples, range: range, provenance: provenance)
    }
  }

  private static func isChannels(_ side: Int) -> Bool { side == 1 || side == 3 }

  private static func text(_ shape: [Int]) -> String { "[\(shape.map(String.init).joined(separator: ", "))]" }

  private var provenance: Provenance {
    Provenance(path: path, format: NumPyFile.format, bitsPerSample: 8 * array.header.width)
  }

  private func shapeError(_ kind: String) -> ImageError {
    guard index == nil, shape.count > 2 else {
      return .unsupported(
        path: path, format: NumPyFile.format, reason: "its shape \(Self.text(shape)) is not that of \(kind)")
    }
    let separator = path.contains("#") ? "/" : "#"
    return .noPart(
      path: path,
      reason: "the array's shape is \(Self.text(shape)); name one of its first axis by its number, from "
        + "\(path)\(separator)0 to \(path)\(separator)\(max(0, shape[0] - 1))")
  }

  /// The samples and the values that count as black and white.
  private func finite() throws(ImageError) -> (samples: [Float], range: ClosedRange<Float>) {
    guard !shape.contains(0) else {
      throw .corrupt(path: path, format: NumPyFile.format, reason: "its shape \(Self.text(shape)) holds no numbers")
    }
    guard shape.allSatisfy({ $0 <= ImageReader.maximumExtent }), shape.reduce(1, *) <= ImageReader.maximumSamples else {
      throw .tooLarge(path: path, extent: "of shape \(Self.text(shape))")
    }
    let samples = array.values(at: index)
    let infinite = samples.count { !$0.isFinite }
    guard infinite == 0 else {
      throw .unsupported(
        path: path, format: NumPyFile.format,
        reason:
          "\(infinite) of its \(samples.count) samples are not finite numbers; replace them by the value that its "
          + "background has")
    }
    switch (array.header.kind, array.header.width) {
    case (.boolean, _): return (samples, 0...1)
    case (.unsigned, 1): return (samples, 0...255)
    case (.unsigned, 2): return (samples, 0...65535)
    default: return (samples, (samples.min() ?? 0)...(samples.max() ?? 0))
    }
  }

  /// What tells the image apart from others: its type, shape and samples.
  var content: Data {
    var content = Data("\(array.header.typeName) \(Self.text(shape))".utf8)
    array.values(at: index).withUnsafeBytes { content.append(contentsOf: $0) }
    return content
  }
}
