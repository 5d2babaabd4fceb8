/// Secondary Capture objects (PS3.3, A.8): pictures of results, and values of projections.
enum SecondaryCapture {
  /// One picture of a source of one image; samples are red, green and blue of each pixel.
  static func colours(_ samples: [UInt8], of source: DICOMSource) -> DICOMDataSet {
    var content = single(of: source)
    content.merge(colours(samples, source))
    return content
  }

  /// A picture of each slice of a series, at its place.
  static func frames(_ samples: [UInt8], of source: DICOMSource) -> DICOMDataSet {
    var content = FrameFunctions.places(of: source)
    content.merge(capture(of: source))
    content.merge(colours(samples, source))
    content.merge([
      .sopClass: .uid("1.2.840.10008.5.1.4.1.1.7.4"), .frameIncrement: .tag(.frameGroups),
    ])
    return content
  }

  /// The values of a map of one image, spread over 16 bits from the smallest to the largest.
  static func values(
    _ map: MedicalImage, displayRange: ClosedRange<Float>, of source: DICOMSource
  ) -> DICOMDataSet {
    let low = Double(map.samples.min() ?? 0), high = Double(map.samples.max() ?? 0)
    // What is stored is what the decimal numbers that are written stand for.
    let intercept = Double(DICOMValue.decimal(low)) ?? low
    let slope = Double(DICOMValue.decimal((high - low) / 65535)).flatMap { $0 > 0 ? $0 : nil } ?? 1
    let stored = map.samples.map { UInt16(min(max(((Double($0) - intercept) / slope).rounded(), 0), 65535)) }
    var content = single(of: source)
    content.merge(ParametricMap.window(displayRange))
    content.merge([
      .samplesPerPixel: .word(1), .photometricInterpretation: .codes("MONOCHROME2"), .bitsAllocated: .word(16),
      .bitsStored: .word(16), .highBit: .word(15), .pixelRepresentation: .word(0),
      .rescaleIntercept: .decimals([intercept]), .rescaleSlope: .decimals([slope]), .rescaleType: .long("US"),
      .pixels: .pixels(stored),
    ])
    return content
  }

  /// What makes a capture of one image, where that lies included.
  private static func single(of source: DICOMSource) -> DICOMDataSet {
    var content = capture(of: source)
    content[.sopClass] = .uid("1.2.840.10008.5.1.4.1.1.7")
    if let spacing = source.pixelSpacing { content[.pixelSpacing] = .decimals([spacing.row, spacing.column]) }
    if let place = source.slices.first?.place {  // C.7.6.2
      content.merge([
        .frameOfReference: .uid(source.frameOfReference), .positionReference: .long(""),
        .pixelSpacing: .decimals([place.spacing.row, place.spacing.column]), .orientation: place.orientation,
        .position: place.positionValue, .sliceThickness: .decimals(source.thickness.map { [$0] } ?? []),
      ])
    }
    return content
  }

  /// Equipment and image (C.8.6.1, C.8.6.2).
  private static func capture(of source: DICOMSource) -> DICOMDataSet {
    DICOMDataSet([
      .imageType: .codes("DERIVED", "SECONDARY"), .conversionType: .codes("WSD"), .captureManufacturer: .long("Norma"),
      .sourceImages: .items(source.slices.map(FrameFunctions.sourceImage)),
    ])
  }

  /// 8 bits of red, green and blue; letters that are burned into the source are in its picture as well.
  private static func colours(_ samples: [UInt8], _ source: DICOMSource) -> DICOMDataSet {
    DICOMDataSet([
      .samplesPerPixel: .word(3), .photometricInterpretation: .codes("RGB"), .planarConfiguration: .word(0),
      .bitsAllocated: .word(8), .bitsStored: .word(8), .highBit: .word(7), .pixelRepresentation: .word(0),
      .burnedIn: .codes(source.isBurnedIn ? "YES" : "NO"), .pixels: .pixels(samples),
    ])
  }
}
