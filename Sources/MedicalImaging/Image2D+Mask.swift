extension Image2D {
  /// Which pixels a mask marks, row by row: those that are brighter than the middle of the format's range; of NumPy arrays,
  /// which count rather than shine, those above 0.5, as of volumes.
  public var markedPixels: [Bool] {
    let middle = provenance.format == NumPyFile.format ? 0.5 : (range.lowerBound + range.upperBound) / 2
    return grey.samples.map { $0 > middle }
  }
}
