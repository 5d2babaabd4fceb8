extension Image2D {
  /// Which pixels a mask marks, row by row: those that are brighter than the middle of the format's range.
  public var markedPixels: [Bool] {
    let middle = (range.lowerBound + range.upperBound) / 2
    return grey.samples.map { $0 > middle }
  }
}
