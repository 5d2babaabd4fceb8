import Foundation

extension ImageDataSet {
  /// The data set with each DICOM series as one item, the folder of its slices: what methods on volumes work on.
  ///
  /// A folder becomes an item when the first of its DICOM files holds one frame; files of other formats, and files of many
  /// frames, stay items of their own. The mask of a folder `test/<class>/scan` is `masks/test/<class>/scan.nii.gz` or a
  /// folder without the ending, and likewise below `paired`. One file of each folder is opened.
  public func gatheringSeries() -> ImageDataSet {
    var gathered: [DataItem] = []
    var seen: [String: Bool] = [:]  // whether a folder is a series
    for item in items {
      let folder = (item.path as NSString).deletingLastPathComponent
      guard VolumeFormat.isNamed(item.name) == false, !folder.isEmpty, DICOMSeries.isDICOM(item.path) else {
        gathered.append(item)
        continue
      }
      if let isSeries = seen[folder] {
        if !isSeries { gathered.append(item) }
        continue
      }
      let isSeries = DICOMSeries.isSlice(item.path)
      seen[folder] = isSeries
      gathered.append(isSeries ? series(in: folder, of: item) : item)
    }
    return ImageDataSet(layout: layout, items: gathered)
  }

  private func series(in folder: String, of slice: DataItem) -> DataItem {
    var item = slice
    item.path = folder
    item.name = (slice.name as NSString).deletingLastPathComponent
    item.patient = PatientName.patient(inFileName: (folder as NSString).lastPathComponent)
    if layout == .files {
      item.pairedPath = Self.pairedPath(of: folder)
    } else {
      let root = String(folder.dropLast(item.name.count))
      func companion(below place: String) -> String? {
        ["", ".nii.gz", ".nii"].lazy.compactMap { Self.companion(of: item.name + $0, below: place, in: root) }.first
      }
      item.maskPath = companion(below: "masks")
      item.pairedPath = companion(below: Self.pairedFolder)
    }
    return item
  }
}
