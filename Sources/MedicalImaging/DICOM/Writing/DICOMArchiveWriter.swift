public import Foundation

/// Writes what was found in DICOM images as DICOM that goes back to their archive: the map over the image as Secondary Capture,
/// and the map's values as Parametric Map, or, of a projection, as a grey Secondary Capture.
///
/// What is written keeps patient and study (see `DICOMSource`) and refers to the objects it was made of; it belongs to a series
/// of its own, one of each kind for a source's series and a writer. All identifiers are new.
public struct DICOMArchiveWriter: Sendable {
  /// What made the results (PS3.3, C.7.5.2).
  public struct Equipment: Equatable, Sendable {
    /// The model's name.
    public var model: String
    /// What tells one trained detector from another.
    public var serialNumber: String
    /// The version of the program.
    public var version: String
    /// A sentence that every object carries, for example that it is not for diagnosis.
    public var note: String

    /// Creates a description.
    public init(model: String, serialNumber: String, version: String, note: String) {
      (self.model, self.serialNumber, self.version, self.note) = (model, serialNumber, version, note)
    }
  }

  /// The kinds of series.
  enum Kind: String {
    case overlay, map

    var name: String { self == .overlay ? "anomaly overlay" : "anomaly map" }
    /// What is added to a hundred times the number of the source's series.
    var number: Int { self == .overlay ? 1 : 2 }
  }

  private struct Key: Hashable {
    let kind: Kind
    let study: String
    let series: String
  }

  let equipment: Equipment
  private let moment: DICOMMoment
  private var series: [Key: (uid: String, count: Int)] = [:]

  /// A writer of one run's results.
  public init(equipment: Equipment, date: Date = Date()) {
    (self.equipment, moment) = (equipment, DICOMMoment(date))
  }

  /// Writes pictures, one for each slice of a source, as Secondary Capture (PS3.3, A.8.1), of a series as Multi-frame True Color
  /// Secondary Capture whose frames lie where the slices do (A.8.5).
  /// - Parameters:
  ///   - name: what is laid over the slices.
  ///   - picture: the picture, in colours, of the slice with a number, counted from 0 in the order of `source.grid`.
  /// - Throws: `ImageError.notWritable`, also for a picture of another size, and whatever `picture` throws.
  public mutating func writeOverlay(
    named name: String, of source: DICOMSource, to path: String, picture: (Int) throws -> Image2D
  ) throws {
    var samples: [UInt8] = []
    samples.reserveCapacity(3 * source.grid.count)
    for slice in source.slices.indices {
      let image = try picture(slice)
      guard (image.width, image.height, image.channels) == (source.grid.width, source.grid.height, 3) else {
        throw ImageError.notWritable(path: path, reason: "a picture of \(image.grid) is none of \(source.path)")
      }
      samples += PNG.interleaved(image, as: UInt8.self)
    }
    let content =
      source.grid.isVolume
      ? SecondaryCapture.frames(samples, of: source)
      : SecondaryCapture.colours(samples, of: source)
    try write(content, as: .overlay, named: name, of: source, to: path)
  }

  /// Writes the values of a map on the grid of a source, in any order of voxels: as Parametric Map of 32-bit floating-point
  /// numbers (PS3.3, A.75) where the source lies in the patient. A parametric map must tell positions (A.75.4), which a
  /// projection has not; the map of one is a grey Secondary Capture of 16 bits whose rescale slope and intercept give the values
  /// to within 1/131070 of their extent.
  /// - Parameters:
  ///   - name: what the method calls the map.
  ///   - displayRange: the values that a viewer shows black and white.
  /// - Throws: `ImageError.notWritable`, also for a map on another grid and for values that are not finite.
  public mutating func writeMap(
    _ map: MedicalImage, named name: String, displayRange: ClosedRange<Float>, of source: DICOMSource, to path: String
  ) throws(ImageError) {
    var map = map
    if case .volume(let volume) = map, let affine = source.grid.affine {
      map = .volume(volume.oriented(along: affine.anatomicalAxes))
    }
    guard map.grid.coincides(with: source.grid) else {
      throw .notWritable(
        path: path, reason: "its \(map.grid) do not lie on the grid of \(source.path) (\(source.grid))")
    }
    guard map.samples.allSatisfy(\.isFinite) else {
      throw .notWritable(path: path, reason: "the map holds numbers that are not finite")
    }
    let content =
      source.isPlaced
      ? ParametricMap.content(map, named: name, displayRange: displayRange, of: source, derivation: derivation(name))
      : SecondaryCapture.values(map, displayRange: displayRange, of: source)
    try write(content, as: .map, named: name, of: source, to: path)
  }

  private mutating func write(
    _ content: DICOMDataSet, as kind: Kind, named name: String, of source: DICOMSource, to path: String
  ) throws(ImageError) {
    let key = Key(kind: kind, study: source.study, series: source.series)
    var (uid, count) = series[key] ?? (DICOMUID.fresh(), 0)
    count += 1
    var all = common(kind, name, source)
    all.merge(source.repeated)
    all.merge(source.identity.elements)
    all.merge([
      .sopInstance: .uid(DICOMUID.fresh()), .study: .uid(source.study), .series: .uid(uid),
      .seriesNumber: .integer(
        1...9_999_999 ~= source.seriesNumber ? source.seriesNumber * 100 + kind.number : kind.number),
      .instanceNumber: .integer(count),
    ])
    all.merge(content)
    try all.write(to: path)
    series[key] = (uid, count)
  }

  /// What both kinds have: series, equipment and general image (PS3.3, C.7.3.1, C.7.5.2, C.7.6.1), references (C.12.2).
  private func common(_ kind: Kind, _ name: String, _ source: DICOMSource) -> DICOMDataSet {
    let objects = source.slices.reduce(into: [DICOMDataSet]()) { objects, slice in
      var reference = slice.reference
      reference[.referencedFrame] = nil
      if objects.last != reference { objects.append(reference) }
    }
    var all = DICOMDataSet([
      .instanceCreationDate: .date(moment), .instanceCreationTime: .time(moment),
      .seriesDate: .date(moment), .seriesTime: .time(moment), .contentDate: .date(moment), .contentTime: .time(moment),
      .modality: .codes(source.modality), .manufacturer: .long("Norma"), .manufacturerModel: .long(equipment.model),
      .deviceSerialNumber: .long(equipment.serialNumber), .softwareVersions: .long(equipment.version),
      .seriesDescription: .long("Norma \(kind.name) (research use only)"), .imageComments: .remark(equipment.note),
      .burnedIn: .codes("NO"), .rows: .word(source.grid.height), .columns: .word(source.grid.width),
      .referencedSeries: .items(DICOMDataSet([.series: .uid(source.series), .referencedInstances: .items(objects)])),
    ])
    all.merge(derivation(name))
    return all
  }

  /// How the values came about (PS3.3, C.7.6.1.1.3).
  private func derivation(_ name: String) -> [DICOMTag: DICOMValue] {
    [
      .derivationDescription: .paragraph(
        "Anomaly map '\(name)' by \(equipment.model), Norma \(equipment.version), detector \(equipment.serialNumber). "
          + equipment.note),
      .derivationCodes: .items(.code("ANOMALY", "99NORMA", "Unsupervised anomaly detection")),
    ]
  }
}
