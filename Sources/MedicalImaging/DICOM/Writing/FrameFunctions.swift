import Foundation

/// The groups of functions that tell of the frames of a multi-frame object (PS3.3, C.7.6.16), one frame a slice.
enum FrameFunctions {
  /// Where the frames lie: all that a Multi-frame Secondary Capture tells (A.8.5.4).
  static func places(of source: DICOMSource) -> DICOMDataSet {
    DICOMDataSet([
      .frameCount: .integer(source.slices.count), .frameOfReference: .uid(source.frameOfReference),
      .positionReference: .long(""), .sharedGroups: .items(geometry(of: source)),
      .frameGroups: .items(source.slices.map(position)),
    ])
  }

  /// Where the frames lie, what order they have, and what each was made of.
  /// - Parameters:
  ///   - shared: what else holds for all frames.
  ///   - derivation: how the frames were made.
  static func content(
    of source: DICOMSource, shared: DICOMDataSet, derivation: [DICOMTag: DICOMValue]
  ) -> DICOMDataSet {
    let dimension = DICOMUID.fresh()
    var all = shared
    all.merge(geometry(of: source))
    var content = places(of: source)
    content.merge([
      .sharedGroups: .items(all),
      .frameGroups: .items(
        source.slices.enumerated().map { group(of: $0.element, number: $0.offset + 1, derivation: derivation) }),
      .dimensions: .items(DICOMDataSet([.dimensionUID: .uid(dimension)])),
      .dimensionIndices: .items(
        DICOMDataSet([
          .dimensionUID: .uid(dimension), .dimensionPointer: .tag(.position), .dimensionGroup: .tag(.planePosition),
          .dimensionLabel: .long("Position along the normal"),
        ])),
    ])
    if source.tilt < 0.1, source.slices.count > 1 { content[.dimensionKind] = .codes("3D") }
    return content
  }

  /// What the frames have in common (C.7.6.16.2.1, C.7.6.16.2.4).
  private static func geometry(of source: DICOMSource) -> DICOMDataSet {
    guard let place = source.slices.first?.place else { return DICOMDataSet() }
    var measures = DICOMDataSet([.pixelSpacing: .decimals([place.spacing.row, place.spacing.column])])
    if let thickness = source.thickness { measures[.sliceThickness] = .decimals([thickness]) }
    if let affine = source.grid.affine {  // along the normal
      measures[.spacingBetweenSlices] = .decimals([affine.spacing.z * cos(source.tilt * .pi / 180)])
    }
    return DICOMDataSet([
      .pixelMeasures: .items(measures),
      .planeOrientation: .items(DICOMDataSet([.orientation: place.orientation])),
    ])
  }

  /// Where one frame lies (C.7.6.16.2.3).
  private static func position(of slice: DICOMSource.Slice) -> DICOMDataSet {
    var group = DICOMDataSet()
    if let place = slice.place { group[.planePosition] = .items(DICOMDataSet([.position: place.positionValue])) }
    return group
  }

  /// What is told of one frame (C.7.6.16.2.2, C.7.6.16.2.3, C.7.6.16.2.6).
  private static func group(
    of slice: DICOMSource.Slice, number: Int, derivation: [DICOMTag: DICOMValue]
  ) -> DICOMDataSet {
    var derived = DICOMDataSet(derivation)
    derived[.sourceImages] = .items(sourceImage(slice))
    var group = position(of: slice)
    group.merge([
      .frameContent: .items(DICOMDataSet([.dimensionIndexValues: .long(number)])), .derivationImages: .items(derived),
    ])
    return group
  }

  /// A slice as what something was made of, pixel by pixel.
  static func sourceImage(_ slice: DICOMSource.Slice) -> DICOMDataSet {
    var item = slice.reference
    item[.locationsPreserved] = .codes("YES")
    item[.purpose] = .items(.code("121322", "DCM", "Source image for image processing operation"))
    return item
  }
}

extension SlicePlace {
  /// The centre of the first pixel.
  var positionValue: DICOMValue { .decimals([position.x, position.y, position.z]) }
  /// The directions of rows and columns.
  var orientation: DICOMValue {
    .decimals([alongRow.x, alongRow.y, alongRow.z, alongColumn.x, alongColumn.y, alongColumn.z])
  }
}
