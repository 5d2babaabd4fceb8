import Foundation

/// AutoPET: Gatidis, Hepp, Früh et al., "A whole-body FDG-PET/CT dataset with manually annotated tumor lesions", Scientific
/// Data 9, 2022; TCIA FDG-PET-CT-Lesions, and the nnU-Net copy of the challenges from 2024 on, with PSMA.
///
/// | copy | layout |
/// |---|---|
/// | TCIA as NIfTI | `PETCT_<patient>/<study>/SUV.nii.gz`, `CTres.nii.gz` (CT on the grid of the PET), `SEG.nii.gz` |
/// | nnU-Net | `imagesTr/<tracer>_<patient>_<study>_0001.nii.gz` (SUV), `…_0000.nii.gz` (CT), `labelsTr/<tracer>_<patient>_<study>.nii.gz` |
///
/// Normal: the mask is empty. The table's column `diagnosis` is not used: it tells the patient's disease, and not whether
/// this study shows it. Every mask is therefore read when the data set is opened, which takes a while; `norma data prepare`
/// does it once. There is no published split for anomaly detection: 100 studies of each kind, or a fifth of a smaller copy,
/// are drawn by seed, patient by patient, to test. The CT is the paired volume.
enum AutoPET: PublishedLayout {
  static let title = "AutoPET"
  static let source = "Gatidis et al., Scientific Data 9, 2022"
  static let files =
    "PETCT_<patient>/<study>/SUV.nii.gz, CTres.nii.gz and SEG.nii.gz; or imagesTr/*_0000.nii.gz, *_0001.nii.gz and "
    + "labelsTr/*.nii.gz"
  static let protocolNote =
    "volumes; normal: the lesion mask is empty; CT paired; 100 + 100 test studies drawn by patient, no published split"

  private static let inner = "FDG-PET-CT-Lesions"

  static func isRecognised(at root: String) -> Bool {
    guard let listing = try? FolderListing(folder(root)) else { return false }
    return listing.folders.contains { $0.hasPrefix("PETCT_") } || tracerCases(in: root).contains { isTracer($0) }
  }

  static func dataSet(at root: String, _ choices: DataSetChoices) throws(DataSetError) -> ImageDataSet {
    let studies =
      FolderListing.isFolder(FolderListing.join(root, "imagesTr"))
      ? try challengeStudies(in: root) : try archiveStudies(in: folder(root))
    guard !studies.isEmpty else { throw mistake(root, "it has no studies; it should hold \(files)") }
    for path in studies.flatMap({ [$0.path, $0.pairedPath, $0.maskPath].compactMap { $0 } })
    where !FileManager.default.fileExists(atPath: path) {
      throw mistake(root, "\(path) does not exist; it holds \(files)")
    }
    let marked: [Result<Bool, ImageError>] = concurrentResults(studies.map { $0.maskPath ?? "" }) {
      path throws(ImageError) in
      try VolumeReader.read(path).samples.contains { $0 > 0.5 }
    }
    var items: [DataItem] = []
    for (study, isMarked) in zip(studies, marked) {
      var item = study
      do { item.label = try isMarked.get() ? .abnormal : .normal } catch { throw .notReadable(error) }
      item.className = item.label == .normal ? "without lesions" : "with lesions"
      if item.label == .normal { item.maskPath = nil }
      items.append(item)
    }
    return try dataSet(of: items, at: root).settingAsideTest(upTo: 100)
  }

  private static func archiveStudies(in root: String) throws(DataSetError) -> [DataItem] {
    var items: [DataItem] = []
    for patient in try FolderListing(root).folders where patient.hasPrefix("PETCT_") {
      let patientFolder = FolderListing.join(root, patient)
      for study in try FolderListing(patientFolder).folders {
        let folder = FolderListing.join(patientFolder, study)
        func file(_ name: String) -> String { FolderListing.join(folder, name) }
        items.append(
          DataItem(
            name: "\(patient)/\(study)/SUV.nii.gz", path: file("SUV.nii.gz"), split: .train, patient: patient,
            maskPath: file("SEG.nii.gz"), pairedPath: file("CTres.nii.gz")))
      }
    }
    return items
  }

  private static func challengeStudies(in root: String) throws(DataSetError) -> [DataItem] {
    let images = FolderListing.join(root, "imagesTr")
    return tracerCases(in: root).map { study in
      let parts = study.split(separator: "_", maxSplits: 2)
      return DataItem(
        name: "imagesTr/\(study)_0001.nii.gz", path: FolderListing.join(images, "\(study)_0001.nii.gz"), split: .train,
        patient: parts.prefix(2).joined(separator: "_"),
        maskPath: FolderListing.join(root, "labelsTr/\(study).nii.gz"),
        pairedPath: FolderListing.join(images, "\(study)_0000.nii.gz"))
    }
  }

  /// The cases of nnU-Net's folder of images.
  private static func tracerCases(in root: String) -> [String] {
    let files = (try? FolderListing(FolderListing.join(root, "imagesTr")))?.files ?? []
    return files.filter { $0.hasSuffix("_0001.nii.gz") }.map { String($0.dropLast("_0001.nii.gz".count)) }
  }

  private static func isTracer(_ name: String) -> Bool { name.hasPrefix("fdg_") || name.hasPrefix("psma_") }

  /// The archive unpacks into a folder of its own.
  private static func folder(_ root: String) -> String {
    let folder = FolderListing.join(root, inner)
    return FolderListing.isFolder(folder) ? folder : root
  }
}
