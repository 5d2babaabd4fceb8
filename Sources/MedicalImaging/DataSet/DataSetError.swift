/// Why a data set cannot be used as asked. Each case prints as one sentence that names the folder or the numbers.
public enum DataSetError: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is no folder at this path.
  case noFolder(path: String)
  /// A file of the data set cannot be read; prints as the file's own sentence.
  case notReadable(ImageError)
  /// An archive's arrays do not make a data set; `reason` says why and what to do.
  case arraysUnusable(path: String, reason: String)
  /// The labels in an archive do not tell by themselves which of them are normal; `labels` are those found.
  case normalLabelsUnclear(path: String, labels: [String])
  /// A manifest that cannot be used; `line` and `column` say where, as far as that is one place.
  case manifest(path: String, line: Int?, column: String?, reason: String)
  /// A published data set that lies otherwise than its publisher ships it; `reason` names file and remedy.
  case published(title: String, path: String, reason: String)
  /// A part was chosen of a data set that has none.
  case noParts(path: String)
  /// Nothing at a path that was to be scored.
  case missing(path: String)
  /// The system does not let the folder be listed.
  case notListable(path: String)
  /// No image files, where there should be some.
  case noImages(path: String)
  /// There is no `train` or `test` folder; `found` are the folders that are there.
  case noSplits(path: String, found: [String])
  /// Images lie in a split's folder itself, not in class folders.
  case noClasses(path: String)
  /// Two folders of a data set mean the same split.
  case repeatedSplit(path: String, folders: [String])
  /// None or several of the classes have a name that means normal.
  case normalClassUnclear(path: String, classes: [String])
  /// The class that was given as normal does not exist.
  case noSuchClass(path: String, name: String, classes: [String])
  /// An abnormal image of an MVTec layout has no mask where it should be.
  case missingMask(image: String, mask: String)
  /// A split asks for more images than there are; `requested` of `available`.
  case tooFewImages(purpose: String, kind: DataItem.Label, requested: Int, available: Int)
  /// A contamination asks for more abnormal images than `train` has, to be so large a share of `images`.
  case tooFewForContamination(share: Double, images: Int, requested: Int, available: Int)
  /// Half of the abnormal test images cannot be lent to training, as `trained` abnormal images are in `train` already, or, where
  /// that is 0, too few are in `test`.
  case noPool(trained: Int)
  /// Setting images aside would leave no normal one for training.
  case nothingLeftToTrain(requested: Int, available: Int)
  /// No image is both normal and in `train`.
  case nothingToTrain(path: String)
  /// A share outside its range.
  case shareOutOfRange(name: String, value: Double)
  /// A negative number of images.
  case negativeCount(name: String, value: Int)
  /// More images than tolerated could not be read; `first` is the first one's sentence.
  case tooManyFailures(failed: Int, attempted: Int, tolerated: Double, first: String)
  /// No image of a class could be read; `first` is the first one's sentence.
  case wholeClassFailed(className: String, attempted: Int, first: String)

  /// The sentence.
  public var description: String {
    switch self {
    case .noFolder(let path):
      "\(path) is not a folder; give the folder that holds the data set, its manifest (.csv, .tsv) or a NumPy archive (.npz)."
    case .notReadable(let error):
      error.description
    case .arraysUnusable(let path, let reason):
      "\(path) cannot be used as a data set: \(reason)."
    case .normalLabelsUnclear(let path, let labels):
      "\(path) does not tell which labels are normal; name them in data.normalClass, separated by commas, among: "
        + "\(labels.joined(separator: ", "))."
    case .manifest(let path, let line, let column, let reason):
      path + (line.map { ", line \($0)" } ?? "") + (column.map { ", column \($0)" } ?? "") + ": \(reason)."
    case .published(let title, let path, let reason):
      "\(path) cannot be read as \(title): \(reason)."
    case .noParts(let path):
      "\(path) has no parts to choose from; leave data.part empty, or name the published data set in data.set."
    case .missing(let path):
      "\(path) does not exist; check the path."
    case .notListable(let path):
      "\(path) cannot be listed; check its permissions."
    case .noImages(let path):
      "\(path) holds no images (\(MedicalImage.fileExtensions.sorted().map { "." + $0 }.joined(separator: ", ")))."
    case .noSplits(let path, let found):
      "\(path) is not a data set: it needs the folder train with one folder per class, and usually test; "
        + "found \(Self.list(found))."
    case .noClasses(let path):
      "\(path) holds images itself; put them into one folder per class, for example \(path)/NORMAL."
    case .repeatedSplit(let path, let folders):
      "\(path) has several folders for the same split (\(Self.list(folders))); keep one."
    case .normalClassUnclear(let path, let classes):
      "\(path) does not tell which class is normal; name it as the normal class, one of: \(Self.list(classes))."
    case .noSuchClass(let path, let name, let classes):
      "\(path) has no class \(name); its classes are: \(Self.list(classes))."
    case .missingMask(let image, let mask):
      "\(image) has no mask; it should be \(mask)."
    case .tooFewImages(let purpose, let kind, let requested, let available):
      "\(purpose) asks for \(requested) \(kind.rawValue) images, but train has \(available); ask for fewer."
    case .tooFewForContamination(let share, let images, let requested, let available):
      "A contamination of \(share) asks for \(requested) abnormal among \(images) training images, but train has "
        + "\(available); add abnormal images to train, or ask for a smaller share or for at most "
        + "\(Int(Double(available) / share)) training images"
        + (available > 0 ? "." : ", or take them from half of the abnormal test images (data.abnormalPool=half-test).")
    case .noPool(let trained):
      trained > 0
        ? "train has \(trained) abnormal images of its own; leave data.abnormalPool at train."
        : "test has no two abnormal images of one class, so that none can be lent to training; add some, or leave "
          + "data.abnormalPool at train."
    case .nothingLeftToTrain(let requested, let available):
      "Validation asks for \(requested) of the \(available) normal images in train, which leaves none to train on; "
        + "ask for fewer."
    case .nothingToTrain(let path):
      "\(path) has no normal images in train; put some there, and label them normal."
    case .shareOutOfRange(let name, let value):
      "\(name) is \(value); it must lie between 0 and 1."
    case .negativeCount(let name, let value):
      "\(name) is \(value); it must not be negative."
    case .tooManyFailures(let failed, let attempted, let tolerated, let first):
      "\(failed) of \(attempted) images could not be read, more than the tolerated \(Self.percent(tolerated)); "
        + "the first: \(first)"
    case .wholeClassFailed(let className, let attempted, let first):
      "None of the \(attempted) images of class \(className) could be read; the first: \(first)"
    }
  }

  private static func list(_ names: [String]) -> String {
    names.isEmpty ? "no folders" : names.joined(separator: ", ")
  }

  private static func percent(_ share: Double) -> String {
    let percent = (share * 1000).rounded() / 10
    return percent == percent.rounded() ? "\(Int(percent)) %" : "\(percent) %"
  }
}
