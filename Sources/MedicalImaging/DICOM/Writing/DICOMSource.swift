import Foundation

/// The DICOM object, or series of objects, that something was made of and that what is written must refer to: whose it is, of
/// which study and series, its slices, and where they lie.
public struct DICOMSource: Equatable, Sendable {
  /// A slice, in the order of the volume's; an image has one.
  struct Slice: Equatable, Sendable {
    let sopClass: String
    let sopInstance: String
    /// The frame within the object, counted from 1; nil where the object has only one.
    let frame: Int?
    /// Where the slice lies; nil for projections.
    let place: SlicePlace?

    /// A reference to the slice (PS3.3, table 10-3).
    var reference: DICOMDataSet {
      var item = DICOMDataSet([.referencedClass: .uid(sopClass), .referencedInstance: .uid(sopInstance)])
      if let frame { item[.referencedFrame] = .integer(frame) }
      return item
    }
  }

  /// The path as it was given.
  public let path: String
  /// The grid of its samples; of a series with the slices from the lowest to the highest, as `VolumeReader` reads it.
  public let grid: ImageGrid
  /// The names of elements of patient and study that break the standard's rules and are not repeated; never their values.
  public var omitted: [String] { identity.omitted }

  let identity: DICOMIdentity
  let study: String
  let series: String
  let seriesNumber: Int
  let modality: String
  /// The source's own, or one that stands for it where it has none.
  let frameOfReference: String
  /// Elements about the source that what is made of it repeats.
  let repeated: DICOMDataSet
  let isBurnedIn: Bool
  let slices: [Slice]
  let pixelSpacing: PixelSpacing?
  let thickness: Double?
  let tilt: Double

  /// Whether the slices lie in the patient, so that a parametric map of them can be told.
  var isPlaced: Bool { slices.allSatisfy { $0.place != nil } }

  /// Whether there is DICOM at a path: a file, or a folder of slices.
  public static func exists(at path: String) -> Bool { DICOMSeries.isFolder(path) || DICOMSeries.isDICOM(path) }

  /// Reads what must be known of a source; its pixels are not decoded.
  /// - Parameter isVolume: whether it is a series, or one image.
  /// - Throws: `ImageError`, as `DICOMSeries.read` and `DICOMImage.read` do, and `ImageError.rejected` for what is no DICOM, and
  ///   where study, series or object have no valid UID, which is named.
  public static func read(_ path: String, isVolume: Bool) throws(ImageError) -> DICOMSource {
    guard exists(at: path) else {
      throw .rejected(path: path, reason: "it is no DICOM, and what goes to an archive belongs to something that is")
    }
    guard isVolume else {
      let file = try Opened(path)
      return try DICOMSource(path, first: file, slices: [file.slice(0)], stack: nil)
    }
    let series = try DICOMSeries.read(path)
    var (slices, first, file) = ([Slice](), Opened?.none, Opened?.none)
    for (name, frame) in zip(series.files, series.frames) {
      if file?.file.path != name { file = try Opened(name) }
      guard let file else { continue }
      slices.append(try file.slice(frame))
      first = first ?? file
      guard file.file.content.text(.study) == first?.file.content.text(.study) else {
        throw .rejected(path: path, reason: "its slices belong to several studies")
      }
    }
    guard let first else { throw .rejected(path: path, reason: "it holds no DICOM images") }
    return try DICOMSource(path, first: first, slices: slices, stack: series.stack)
  }

  /// A file whose slices are looked at.
  private struct Opened {
    let file: DICOMFile
    let header: DICOMHeader
    private let count: Int
    private let groups: FrameGroups

    init(_ path: String) throws(ImageError) {
      file = try DICOMFile(FileContents.read(path), path: path)
      header = DICOMHeader(file)
      count = max(1, Int(exactly: file.content.number(.frameCount) ?? 1) ?? 1)
      guard count <= ImageReader.maximumExtent else { throw .tooLarge(path: path, extent: "\(count) frames") }
      groups = FrameGroups(file, header: header, count: count, isSigned: false)
    }

    func slice(_ frame: Int) throws(ImageError) -> Slice {
      guard header.rows > 0, header.columns > 0, frame < count else { throw file.unsupported("it holds no pixels") }
      return Slice(
        sopClass: try uid(.sopClass, "class"), sopInstance: try uid(.sopInstance, "object"),
        frame: count > 1 ? frame + 1 : nil, place: groups.place(frame))
    }

    func uid(_ tag: DICOMTag, _ name: String) throws(ImageError) -> String {
      guard let uid = file.content.text(tag), DICOMUID.isValid(uid) else {
        throw .rejected(
          path: file.path,
          reason: "the UID of its \(name) \(tag.text) is missing or none, and nothing could be told to belong to it")
      }
      return uid
    }
  }

  private init(_ path: String, first: Opened, slices: [Slice], stack: SliceStack?) throws(ImageError) {
    let (item, header) = (first.file.content, first.header)
    self.path = path
    grid =
      stack.map { ImageGrid(extents: [slices.count, header.rows, header.columns], affine: $0.affine) }
      ?? ImageGrid(width: header.columns, height: header.rows)
    identity = DICOMIdentity(item)
    study = try first.uid(.study, "study")
    series = try first.uid(.series, "series")
    seriesNumber = item.number(.seriesNumber).flatMap { Int(exactly: $0) } ?? 0
    modality = header.modality.flatMap { $0.wholeMatch(of: /[A-Z0-9_ ]{1,16}/) == nil ? nil : $0 } ?? "OT"
    frameOfReference = header.frameOfReference.flatMap { DICOMUID.isValid($0) ? $0 : nil } ?? DICOMUID.fresh()
    repeated = Self.repeated(item, place: slices.first?.place)
    isBurnedIn = item.text(.burnedIn) == "YES"
    self.slices = slices
    pixelSpacing = header.pixelSpacing
    let step = stack.map { stack in stack.affine.spacing.z }
    thickness = header.sliceThickness.flatMap { $0 > 0 ? $0 : nil } ?? step
    tilt = stack?.tilt ?? 0
  }

  /// Parts of the body that have no sides (a part of PS3.16, annex L).
  private static let unpaired: Set<String> = [
    "ABDOMEN", "ABDOMENPELVIS", "AORTA", "BACK", "BLADDER", "BRAIN", "CHEST", "CHESTABDOMEN", "CHESTABDPELVIS",
    "COCCYX",
    "COLON", "CSPINE", "CTSPINE", "ESOPHAGUS", "FACE", "GALLBLADDER", "HEAD", "HEADNECK", "HEART", "JAW", "LARYNX",
    "LIVER",
    "LSPINE", "LSSPINE", "MEDIASTINUM", "NECK", "NECKCHEST", "NECKCHESTABDOMEN", "NECKCHESTABDPELV", "PANCREAS",
    "PELVIS",
    "PHARYNX", "PROSTATE", "RECTUM", "SKULL", "SPINE", "SPLEEN", "SSPINE", "STERNUM", "STOMACH", "THYROID", "TLSPINE",
    "TRACHEA", "TSPINE", "UTERUS", "WHOLEBODY",
  ]

  /// What stays true of an object that is made of this one.
  private static func repeated(_ item: DICOMItem, place: SlicePlace?) -> DICOMDataSet {
    var elements = DICOMDataSet([.lossyCompression: .codes(item.text(.lossyCompression) == "01" ? "01" : "00")])
    if item.text(.lossyCompression) == "01" {
      let ratios = item.numbers(.lossyRatio)
      let methods = item.texts(.lossyMethod).filter { $0.wholeMatch(of: /[A-Z0-9_ ]{1,16}/) != nil }
      if !ratios.isEmpty { elements[.lossyRatio] = .decimals(ratios) }
      if !methods.isEmpty { elements[.lossyMethod] = DICOMValue("CS", Data(methods.joined(separator: "\\").utf8)) }
    }
    if let part = item.text(.bodyPart), part.wholeMatch(of: /[A-Z0-9_ ]{1,16}/) != nil {
      elements[.bodyPart] = .codes(part)
    }
    if let side = item.text(.imageLaterality), ["L", "R", "B", "U"].contains(side) {
      elements[.imageLaterality] = .codes(side)
    } else if let side = item.text(.laterality), ["L", "R"].contains(side) {
      elements[.laterality] = .codes(side)
    } else if !Self.unpaired.contains(item.text(.bodyPart) ?? "") {
      elements[.laterality] = .codes("")  // not known
    }
    let told = item.texts(.patientOrientation)
    let isTold = told.count == 2 && told.allSatisfy { $0.wholeMatch(of: /[ALRPHFTUEBMDC_]{1,16}/) != nil }
    let directions = isTold ? told : place.map { [$0.alongRow, $0.alongColumn].map(\.letters) } ?? []
    elements[.patientOrientation] = DICOMValue("CS", Data(directions.joined(separator: "\\").utf8))
    elements[.recognisable] = .codes(item.text(.recognisable) == "YES" ? "YES" : "NO")
    return elements
  }
}

extension SIMD3<Double> {
  /// The letters of a direction in the patient, the one that it follows most closely first (PS3.3, C.7.6.1.1.1).
  var letters: String {
    let parts = [(x, "L", "R"), (y, "P", "A"), (z, "H", "F")].filter { abs($0.0) > 1e-4 }
    return parts.sorted { abs($0.0) > abs($1.0) }.map { $0.0 > 0 ? $0.1 : $0.2 }.joined()
  }
}
