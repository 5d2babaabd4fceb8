import CMedicalImaging
public import Foundation

/// Writes PNG files: grey or RGB, 8 or 16 bits per sample.
public enum PNG {
  /// The image as the bytes of a PNG file.
  ///
  /// The image's range is spread over the full depth: a sample v becomes (v − lower) / (upper − lower) · (2ᵇ − 1), rounded
  /// to the nearest whole number (halves up) and limited to 0 ... 2ᵇ − 1; a sample that is not a number becomes 0, as does
  /// everything where the range is a single value. Images read from 8- or 16-bit files are therefore written unchanged at
  /// their own depth.
  /// - Parameter bitsPerSample: b, 8 or 16.
  /// - Throws: `ImageError.notEncodable` for another depth, for channels other than 1 or 3, and for an image that is larger
  ///   than can be read back.
  public static func encode(_ image: Image2D, bitsPerSample: Int = 8) throws(ImageError) -> Data {
    guard bitsPerSample == 8 || bitsPerSample == 16 else {
      throw .notEncodable(reason: "\(bitsPerSample) bits per sample were asked for; 8 and 16 are possible")
    }
    guard image.channels == 1 || image.channels == 3 else {
      throw .notEncodable(reason: "it has \(image.channels) channels; 1 and 3 are possible")
    }
    guard max(image.width, image.height) <= ImageReader.maximumExtent,
      image.samples.count <= ImageReader.maximumSamples
    else {
      throw .notEncodable(
        reason: "\(image.width) x \(image.height) pixels are more than \(ImageReader.maximumExtent) a side or "
          + "\(ImageReader.maximumSamples) samples")
    }
    return bitsPerSample == 8
      ? try encode(interleaved(image, as: UInt8.self), of: image, bitsPerSample: 8)
      : try encode(interleaved(image, as: UInt16.self), of: image, bitsPerSample: 16)
  }

  /// Writes the image as a PNG file, under a temporary name that is then renamed, so that no half-written file remains.
  /// - Throws: `ImageError`, as `encode` does, and when the file cannot be written.
  public static func write(_ image: Image2D, to path: String, bitsPerSample: Int = 8) throws(ImageError) {
    try FileContents.write(encode(image, bitsPerSample: bitsPerSample), to: path)
  }

  private static func encode<Sample>(
    _ pixels: [Sample], of image: Image2D, bitsPerSample: Int
  ) throws(ImageError) -> Data {
    var file = cmi_bytes()
    var message = [CChar](repeating: 0, count: CMI_MESSAGE_CAPACITY)
    let status = pixels.withUnsafeBytes {
      cmi_write_png(
        $0.baseAddress, Int32(image.width), Int32(image.height), Int32(image.channels), Int32(bitsPerSample), &file,
        &message)
    }
    defer { cmi_bytes_free(&file) }
    guard status == CMI_OK, let bytes = file.bytes else { throw .notEncodable(reason: sentencePart(message)) }
    return Data(bytes: bytes, count: file.count)
  }

  /// The samples of a pixel side by side, spread over the full depth as `encode` says.
  static func interleaved<Sample: FixedWidthInteger>(_ image: Image2D, as: Sample.Type) -> [Sample] {
    let largest = Double(Sample.max)
    let lower = Double(image.range.lowerBound)
    let extent = Double(image.range.upperBound) - lower
    let plane = image.width * image.height
    return (0..<plane * image.channels).map { index in
      let (pixel, channel) = index.quotientAndRemainder(dividingBy: image.channels)
      let scaled = (Double(image.samples[channel * plane + pixel]) - lower) / extent * largest
      guard extent > 0, !scaled.isNaN else { return 0 }
      return Sample(min(max(scaled.rounded(), 0), largest))
    }
  }
}
