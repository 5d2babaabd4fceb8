import Foundation

/// Axial slices of BraTS 2020, 2021 and 2023: Baid, Ghodasara, Mohan et al., "The RSNA-ASNR-MICCAI BraTS 2021 benchmark",
/// 2021; Menze et al., IEEE TMI 34(10), 2015.
///
/// Layout: `<case>/<case>_flair.nii.gz`, `_t1`, `_t1ce`, `_t2` and `_seg`, of 2023 `<case>-t2f.nii.gz`, `-t1n`, `-t1c`,
/// `-t2w` and `-seg`.
///
/// An item is a slice (`…_flair.nii.gz#z78`, see `VolumeSlice`), of the sequence FLAIR unless `data.part` names another.
/// Slices with less than half as much brain (voxels that are not 0) as the case's largest slice are left out. Abnormal: the
/// mask marks a voxel of the slice; normal: it marks none. All patients have a tumour, so normal slices are those that do
/// not show it, as in BMAD (Bao et al. 2024) and others; some will show its effects. There is no common split: a fifth of
/// the patients, drawn by seed, with all their slices, are tested on. Every case is read when the data set is opened, which
/// takes a while; `norma data prepare` does it once.
enum BraTS: PublishedLayout {
  static let title = "BraTS slices"
  static let source = "Baid et al. 2021; Menze et al., IEEE TMI 34(10), 2015"
  static let files =
    "<case>/<case>_flair.nii.gz, _t1, _t1ce, _t2 and _seg; of 2023 <case>-t2f.nii.gz, -t1n, -t1c, -t2w, -seg"
  static let protocolNote =
    "axial slices with enough brain; normal: no tumour in the slice (as in BMAD, Bao et al. 2024); a fifth of the patients test"
  static let parts: String? = "the sequence: flair (without a choice), t1, t1ce or t2; of 2023 t2f, t1n, t1c or t2w"

  /// FLAIR, 2021's name and 2023's.
  private static let sequences = ["flair": "t2f", "t1": "t1n", "t1ce": "t1c", "t2": "t2w"]

  static func isRecognised(at root: String) -> Bool {
    guard let listing = try? FolderListing(root) else { return false }
    return listing.folders.contains { mask(of: $0, in: root) != nil && $0.lowercased().hasPrefix("brats") }
  }

  static func dataSet(at root: String, _ choices: DataSetChoices) throws(DataSetError) -> ImageDataSet {
    let wanted = (choices.part ?? "flair").lowercased()
    guard let sequence = sequences.first(where: { wanted == $0.key || wanted == $0.value }) else {
      throw mistake(root, "\(wanted) is no sequence; data.part is flair, t1, t1ce or t2")
    }
    let cases = try FolderListing(root).folders.compactMap { name in mask(of: name, in: root).map { (name, $0) } }
    guard !cases.isEmpty else { throw mistake(root, "it has no cases; it should hold \(files)") }
    let found: [Result<[DataItem], ImageError>] = concurrentResults(cases) { name, mask throws(ImageError) in
      let separator = mask.hasSuffix("_seg.nii.gz") ? "_\(sequence.key)" : "-\(sequence.value)"
      return try slices(of: name, "\(name)/\(name)\(separator).nii.gz", mask: mask, root: root)
    }
    var items: [DataItem] = []
    for slices in found {
      do { items += try slices.get() } catch { throw .notReadable(error) }
    }
    return try dataSet(of: items, at: root).settingAsideTestPatients()
  }

  private static func slices(
    of patient: String, _ name: String, mask: String, root: String
  ) throws(ImageError) -> [DataItem] {
    let path = FolderListing.join(root, name)
    let (volume, marks) = (try VolumeReader.read(path).canonical, try VolumeReader.read(mask).canonical)
    guard marks.grid.coincides(with: volume.grid) else {
      throw .rejected(path: mask, reason: "its \(marks.grid) do not lie on the grid of \(path) (\(volume.grid))")
    }
    let plane = volume.width * volume.height
    let brain = (0..<volume.depth).map { z in volume.samples[z * plane..<(z + 1) * plane].count { $0 != 0 } }
    let enough = max(1, ((brain.max() ?? 0) + 1) / 2)
    return brain.indices.filter { brain[$0] >= enough }.map { z in
      let isMarked = marks.samples[z * plane..<(z + 1) * plane].contains { $0 > 0.5 }
      let number = String(z)
      let padded = String(repeating: "0", count: max(0, String(volume.depth - 1).count - number.count)) + number
      return DataItem(
        name: "\(name)#z\(padded)", path: "\(path)#z\(z)", label: isMarked ? .abnormal : .normal,
        className: isMarked ? "tumour" : "no tumour", split: .train, patient: patient,
        maskPath: isMarked ? "\(mask)#z\(z)" : nil)
    }
  }

  private static func mask(of name: String, in root: String) -> String? {
    ["_seg", "-seg"].map { FolderListing.join(root, "\(name)/\(name)\($0).nii.gz") }
      .first(where: FileManager.default.fileExists)
  }
}
