extension Image2D {
  /// Which pixels a mask marks, row by row: those that are brighter than the middle of the format's range; of NumPy arrays
  /// and slices of NIfTI volumes, which count rather than shine, those above 0.5, as of volumes.
  public var markedPixels: [Bool] {
    let counts = [NumPyFile.format, VolumeFormat.nifti.rawValue]
    let middle = counts.contains(provenance.format ?? "") ? 0.5 : (range.lowerBound + range.upperBound) / 2
    return grey.samples.map { $0 > middle }
  }
}
