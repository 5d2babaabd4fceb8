/// Where a network's samples lie along one axis of an image.
///
/// A range of the image's samples becomes, by resampling, a number of samples that lie somewhere in the network's; what stands
/// out is cut off, what they do not reach is padding. All numbers are whole, so that the way back is the way there.
struct AxisPlacement: Equatable, Sendable {
  /// The image's samples along the axis.
  let extent: Int
  /// Those that are resampled.
  let source: Range<Int>
  /// The samples that they become.
  let resampled: Int
  /// The network's samples along the axis.
  let count: Int
  /// Which of the network's samples the first resampled one is; negative where it is cut off.
  let offset: Int

  /// - Parameter offset: nil puts the middle of what is resampled in the network's middle.
  /// - Precondition: `source` is a part of the image's samples that is not empty, both counts are positive, and some resampled
  ///   sample lies among the network's.
  init(extent: Int, source: Range<Int>, resampled: Int, count: Int, offset: Int? = nil) {
    let offset = offset ?? (count - resampled) >> 1
    precondition(!source.isEmpty && source.lowerBound >= 0 && source.upperBound <= extent)
    precondition(resampled > 0 && count > 0 && offset < count && offset + resampled > 0)
    (self.extent, self.source, self.resampled, self.count) = (extent, source, resampled, count)
    self.offset = offset
  }

  /// The resampled samples that the network has.
  var kept: Range<Int> { max(0, -offset)..<min(resampled, count - offset) }
  /// The network's samples that show the image; the others are padding.
  var covered: Range<Int> { kept.lowerBound + offset..<kept.upperBound + offset }
  /// The image's samples that the network sees, wholly or in part.
  var seen: Range<Int> {
    let lower = kept.lowerBound * source.count / resampled
    let upper = (kept.upperBound * source.count + resampled - 1) / resampled
    return source.lowerBound + lower..<source.lowerBound + upper
  }

  /// Whether the image's samples, all of them, become the network's, all of them.
  var isStretched: Bool { source.count == extent && offset == 0 && resampled == count }
  /// Whether the network sees all of the image's samples.
  var seesWhole: Bool { source.count == extent && kept.count == resampled }

  /// The samples of a map that show the image, of `count` in all over the same stretch as the network's.
  func covered(of count: Int) -> Range<Int> {
    let upper = (covered.upperBound * count + self.count - 1) / self.count
    return covered.lowerBound * count / self.count..<upper
  }

  /// How the image's samples that the network sees are read in a map of `count` samples over the same stretch as the
  /// network's: the two samples beside each, and how far it lies towards the second. No sample of the padding is read.
  func taps(in count: Int) -> (first: [Int], second: [Int], shares: [Float]) {
    let readable = covered(of: count)
    let last = readable.upperBound - 1
    let places = seen.map { sample in
      let resampled = (Double(sample - source.lowerBound) + 0.5) * Double(resampled) / Double(source.count)
      let place = (resampled + Double(offset)) * Double(count) / Double(self.count) - 0.5
      return min(max(place, Double(readable.lowerBound)), Double(last))
    }
    return (
      places.map { Int($0) }, places.map { min(Int($0) + 1, last) },
      places.map { Float($0 - $0.rounded(.down)) }
    )
  }
}
