/// What a file tells frame by frame: enhanced objects in groups of functions, shared or of each frame (DICOM PS3.3,
/// C.7.6.16), others once for all.
struct FrameGroups {
  private let file: DICOMFile
  private let header: DICOMHeader
  private let shared: DICOMItem?
  private let groups: [DICOMItem]
  private let count: Int
  private let isSigned: Bool

  init(_ file: DICOMFile, header: DICOMHeader, count: Int, isSigned: Bool) {
    (self.file, self.header, self.count, self.isSigned) = (file, header, count, isSigned)
    shared = file.content.items(.sharedGroups).first
    groups = file.content.items(.frameGroups)
  }

  /// The places of the frames.
  func places() -> [SlicePlace?] { (0..<count).map(place) }

  func frames() throws(ImageError) -> [DICOMImage.Frame] {
    var frames: [DICOMImage.Frame] = []
    for frame in 0..<count {
      if frame > 0, groups.isEmpty {  // the same for all, but for the place
        frames.append(.init(place: place(frame), transform: frames[0].transform, windows: frames[0].windows))
        continue
      }
      let transform = try ModalityTransform(item(.frameTransform, of: frame), isSigned: isSigned)
      let windows = try DICOMWindow.windows(
        item(.frameWindows, of: frame), isSigned: isSigned || transform(0) < 0)
      frames.append(.init(place: place(frame), transform: transform, windows: windows))
    }
    return frames
  }

  /// The item that holds a function's elements for a frame.
  private func item(_ group: DICOMTag, of frame: Int) -> DICOMItem {
    let own = frame < groups.count ? groups[frame].items(group).first : nil
    return own ?? shared?.items(group).first ?? file.content
  }

  /// Where a frame lies; nil where the file does not tell.
  func place(_ frame: Int) -> SlicePlace? {
    let spacing = PixelSpacing(item(.pixelMeasures, of: frame).numbers(.pixelSpacing)) ?? header.pixelSpacing
    var place = SlicePlace(
      position: item(.planePosition, of: frame).numbers(.position),
      orientation: item(.planeOrientation, of: frame).numbers(.orientation), spacing: spacing)
    if groups.isEmpty, count > 1 {
      guard let first = place, let offset = offset(of: frame) else { return nil }
      place?.position = first.position + first.normal * offset
    }
    return place
  }

  /// How far a frame lies from the first in a file that tells one position for all: as dose grids do, frame by frame.
  private func offset(of frame: Int) -> Double? {
    let offsets = file.content.numbers(.frameOffsets)
    if offsets.count == count { return offsets[frame] - offsets[0] }
    return header.spacingBetweenSlices.map { Double(frame) * $0 }
  }
}
