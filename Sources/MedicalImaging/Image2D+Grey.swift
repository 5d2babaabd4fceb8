extension Image2D {
  /// The image with one channel.
  ///
  /// Three equal channels, the way many archives store radiographs, give exactly that channel. Others give the luma of
  /// ITU-R BT.601, Y = 0.299 R + 0.587 G + 0.114 B, the weights of Pillow's `convert("L")`, which also rounds to whole
  /// numbers; here nothing is rounded. Range, spacing and provenance stay.
  public var grey: Image2D {
    guard channels == 3 else { return self }
    let plane = width * height
    let (red, green, blue) = (samples[..<plane], samples[plane..<2 * plane], samples[(2 * plane)...])
    if red.elementsEqual(green), red.elementsEqual(blue) { return withSamples(Array(red), channels: 1, range: range) }
    let luma = (0..<plane).map { pixel in
      0.299 * samples[pixel] + 0.587 * samples[plane + pixel] + 0.114 * samples[2 * plane + pixel]
    }
    return withSamples(luma, channels: 1, range: range)
  }

  /// The image with its range mapped onto `0...1`: (v − lower) / (upper − lower). Where the range is a single value,
  /// every sample becomes 0.
  public var normalised: Image2D {
    let lower = range.lowerBound
    let extent = range.upperBound - lower
    return withSamples(samples.map { extent > 0 ? ($0 - lower) / extent : 0 }, channels: channels, range: 0...1)
  }

  private func withSamples(_ samples: [Float], channels: Int, range: ClosedRange<Float>) -> Image2D {
    Image2D(
      width: width, height: height, channels: channels, samples: samples, range: range, spacing: spacing,
      provenance: provenance)
  }
}
