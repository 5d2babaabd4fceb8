/// Data sets that are read as their publishers ship them, with the protocol that they are used by.
///
/// Each knows its files, which of its images are normal, and how they are split; see the reader of each. Where the
/// publisher has no test split of normal and abnormal images, whole patients are drawn for it by `splitSeed`, whatever the
/// run's own seed is, so that all runs are measured on the same images.
public enum PublishedDataSet: String, Codable, CaseIterable, Sendable {
  /// Paediatric chest radiographs (Kermany et al. 2018).
  case zhangLab = "zhanglab"
  /// Chest radiographs of Stanford (Irvin et al. 2019).
  case cheXpert = "chexpert"
  /// Chest radiographs with COVID-19 (Wang et al. 2020).
  case covidx
  /// Chest radiographs of the RSNA pneumonia challenge (Shih et al. 2019).
  case rsnaPneumonia = "rsna-pneumonia"
  /// Chest radiographs of VinBigData (Nguyen et al. 2022).
  case vinDrCXR = "vindr-cxr"
  /// Endoscopy of the gut (Borgli et al. 2020).
  case hyperKvasir = "hyper-kvasir"
  /// Whole-body PET/CT with lesion masks (Gatidis et al. 2022).
  case autoPET = "autopet"
  /// Slices of brain MRI with tumour masks (Baid et al. 2021).
  case braTS = "brats"
  /// Objects and textures with defects (Bergmann et al. 2019).
  case mvtecAD = "mvtec-ad"
  /// Small images and volumes of many kinds (Yang et al. 2023).
  case medMNIST = "medmnist"

  /// Seeds the splits that publishers leave to their readers.
  public static let splitSeed: UInt64 = 1

  /// The usual name.
  public var title: String { layout.title }
  /// The publication.
  public var source: String { layout.source }
  /// What lies where below the folder that is given.
  public var files: String { layout.files }
  /// Which images are normal, and what is trained and tested on.
  public var protocolNote: String { layout.protocolNote }
  /// What `data.part` chooses; nil where there is nothing to choose.
  public var parts: String? { layout.parts }

  /// The data set that a folder or file is laid out as, where no other layout is read from it; nil otherwise.
  public static func recognised(at root: String) -> PublishedDataSet? {
    allCases.first { $0.layout.isRecognised(at: root) }
  }

  /// The data set at a path.
  /// - Throws: `DataSetError`, naming what is missing where, and for choices that the data set does not have.
  func dataSet(at root: String, _ choices: DataSetChoices) throws(DataSetError) -> ImageDataSet {
    if choices.part != nil, parts == nil {
      throw .published(title: title, path: root, reason: "it has no parts to choose from; leave data.part empty")
    }
    if choices.normalClass != nil, !layout.takesNormalClass {
      throw .published(
        title: title, path: root, reason: "its own labels tell which images are normal; leave data.normalClass empty")
    }
    return try layout.dataSet(at: root, choices)
  }

  private var layout: any PublishedLayout.Type {
    switch self {
    case .zhangLab: ZhangLab.self
    case .cheXpert: CheXpert.self
    case .covidx: COVIDx.self
    case .rsnaPneumonia: RSNAPneumonia.self
    case .vinDrCXR: VinDrCXR.self
    case .hyperKvasir: HyperKvasir.self
    case .autoPET: AutoPET.self
    case .braTS: BraTS.self
    case .mvtecAD: MVTecAD.self
    case .medMNIST: MedMNIST.self
    }
  }
}

/// What an image is whose reports are uncertain about its findings, and certain about none (CheXpert's −1). The policies are
/// named as for classifiers (Irvin et al. 2019, §3).
public enum UncertainFindings: String, Codable, CaseIterable, Sendable {
  /// U-Ignore: neither normal nor abnormal; the image is left out.
  case ignore
  /// U-Zeros: uncertain findings count as absent; the image is normal.
  case zeros
  /// U-Ones: uncertain findings count as present; the image is abnormal.
  case ones
}

/// What is chosen among the images of a data set.
struct DataSetChoices {
  var normalClass: String?
  var part: String?
  var uncertain = UncertainFindings.ignore
}

/// A reader of one published data set.
protocol PublishedLayout {
  static var title: String { get }
  static var source: String { get }
  static var files: String { get }
  static var protocolNote: String { get }
  static var parts: String? { get }
  static var takesNormalClass: Bool { get }
  static func isRecognised(at root: String) -> Bool
  static func dataSet(at root: String, _ choices: DataSetChoices) throws(DataSetError) -> ImageDataSet
}

extension PublishedLayout {
  static var parts: String? { nil }
  static var takesNormalClass: Bool { false }

  /// The data set of these items, in order.
  static func dataSet(of items: [DataItem], at root: String) throws(DataSetError) -> ImageDataSet {
    guard !items.isEmpty else { throw mistake(root, "it has no images; it should hold \(files)") }
    return ImageDataSet(layout: .published, items: items.sorted(by: DataItem.inOrder))
  }

  static func mistake(_ path: String, _ reason: String) -> DataSetError {
    .published(title: title, path: path, reason: reason)
  }
}
