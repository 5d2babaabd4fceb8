/// Parametric Map objects (PS3.3, A.75): 32-bit floating-point values where the source's pixels are.
enum ParametricMap {
  static let sopClass = "1.2.840.10008.5.1.4.1.1.30"

  /// The elements of a map on the grid of a source that lies in the patient.
  static func content(
    _ map: MedicalImage, named name: String, displayRange: ClosedRange<Float>, of source: DICOMSource,
    derivation: [DICOMTag: DICOMValue]
  ) -> DICOMDataSet {
    let kind = DICOMValue.codes("DERIVED", "PRIMARY", source.grid.isVolume ? "VOLUME" : "STATIC", "QUANTITY")
    var content = FrameFunctions.content(
      of: source,
      shared: DICOMDataSet([
        .frameWindows: .items(DICOMDataSet(window(displayRange))),
        .mapFrameType: .items(DICOMDataSet([.frameType: kind])),
        .frameTransform: .items(
          DICOMDataSet([.rescaleIntercept: .decimals([0]), .rescaleSlope: .decimals([1]), .rescaleType: .long("US")])),
        .mappings: .items(mapping(map, named: name)),
      ]), derivation: derivation)
    content.merge([
      .sopClass: .uid(sopClass), .imageType: kind, .contentQualification: .codes("RESEARCH"),
      .contentLabel: .codes("ANOMALY_MAP"), .contentDescription: .long("\(name), larger where more unusual"),
      .contentCreator: .name("Norma^Software"), .lutShape: .codes("IDENTITY"), .acquisitionContext: .items(),
      .samplesPerPixel: .word(1), .photometricInterpretation: .codes("MONOCHROME2"), .bitsAllocated: .word(32),
      .floatPixels: .pixels(map.samples),
    ])
    return content
  }

  /// Which values a viewer shows black and white (C.11.2.1.3.2).
  static func window(_ range: ClosedRange<Float>) -> [DICOMTag: DICOMValue] {
    let (low, high) = (Double(range.lowerBound), Double(range.upperBound))
    return [
      .windowCenter: .decimals([low + (high - low) / 2]), .windowWidth: .decimals([max(high - low, 1e-12)]),
      .windowFunction: .codes("LINEAR_EXACT"),
    ]
  }

  /// Stored values are the map's own, without a unit (C.7.6.16.2.11).
  private static func mapping(_ map: MedicalImage, named name: String) -> DICOMDataSet {
    DICOMDataSet([
      .tableExplanation: .long("Anomaly map \(name), no unit"), .mappingLabel: .short("ANOMALY"),
      .firstMapped: .double(Double(map.samples.min() ?? 0)), .lastMapped: .double(Double(map.samples.max() ?? 0)),
      .mappingIntercept: .double(0), .mappingSlope: .double(1),
      .measurementUnits: .items(.code("1", "UCUM", "no units")),
    ])
  }
}
