/// What a DICOM file tells about its image, without anything that names the patient.
public struct DICOMHeader: Equatable, Sendable {
  /// UID of how the data are written and compressed.
  public let transferSyntax: String
  /// UID of the kind of object.
  public let sopClass: String?
  /// UID of the object.
  public let sopInstance: String?
  /// UID of the study.
  public let study: String?
  /// UID of the series.
  public let series: String?
  /// What the series is called.
  public let seriesDescription: String?
  /// UID of the coordinates that positions are told in.
  public let frameOfReference: String?
  /// For example `CT`, `PT`, `DX`.
  public let modality: String?
  /// For example `MONOCHROME2`; empty where the file does not tell.
  public let photometricInterpretation: String
  /// The number within the series.
  public let instanceNumber: Int?
  /// Columns; 0 where there are no pixels.
  public let columns: Int
  /// Rows; 0 where there are no pixels.
  public let rows: Int
  /// Bits that carry a value.
  public let bitsStored: Int
  /// Millimetres between pixels in the patient.
  public let pixelSpacing: PixelSpacing?
  /// Millimetres between pixels on the detector, which projection radiographs magnify.
  public let imagerPixelSpacing: PixelSpacing?
  /// Millimetres.
  public let sliceThickness: Double?
  /// Millimetres between the centres of neighbouring slices.
  public let spacingBetweenSlices: Double?
  /// What the values of a PET image count, for example `BQML`.
  public let units: String?

  /// Whether values are those of a PET scan, which become standard uptake values; a parametric map of one has its own.
  var isPET: Bool { modality == "PT" && sopClass != ParametricMap.sopClass }

  init(_ file: DICOMFile) {
    let item = file.content
    transferSyntax = file.transferSyntax
    (sopClass, sopInstance) = (item.text(.sopClass), item.text(.sopInstance))
    (study, series) = (item.text(.study), item.text(.series))
    seriesDescription = item.text(.seriesDescription)
    frameOfReference = item.text(.frameOfReference)
    modality = item.text(.modality)
    photometricInterpretation = item.text(.photometricInterpretation) ?? ""
    instanceNumber = item.number(.instanceNumber).flatMap { Int(exactly: $0) }
    columns = Int(item.words(.columns).first ?? 0)
    rows = Int(item.words(.rows).first ?? 0)
    bitsStored = Int(item.words(.bitsStored).first ?? item.words(.bitsAllocated).first ?? 0)
    pixelSpacing = PixelSpacing(item.numbers(.pixelSpacing))
    imagerPixelSpacing = PixelSpacing(item.numbers(.imagerPixelSpacing))
    sliceThickness = item.number(.sliceThickness)
    spacingBetweenSlices = item.number(.spacingBetweenSlices)
    units = item.text(.units)
  }
}

extension PixelSpacing {
  /// The spacing between rows and between columns; nil unless there are two positive numbers.
  init?(_ numbers: [Double]) {
    guard numbers.count == 2, numbers.allSatisfy({ $0 > 0 }) else { return nil }
    self.init(row: numbers[0], column: numbers[1])
  }
}
