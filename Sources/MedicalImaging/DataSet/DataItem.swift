/// One image or volume of a data set and what is known about it.
public struct DataItem: Codable, Equatable, Hashable, Sendable {
  /// What a detector is to find out.
  public enum Label: String, Codable, CaseIterable, Sendable {
    /// Nothing abnormal in the image.
    case normal
    /// Something abnormal somewhere in the image.
    case abnormal
  }

  /// What the image is used for.
  public enum Split: String, Codable, CaseIterable, Sendable {
    /// Fitting weights.
    case train
    /// Watching training and fixing thresholds.
    case validation
    /// Measuring, once everything is fixed.
    case test
  }

  /// The path relative to the data set's root, with `/` between its parts; the path as given where there is no root.
  public var name: String
  /// The path that opens the image; of one of several images in a file, with its number behind a `#`.
  public var path: String
  /// Normal or abnormal; nil for images that are to be scored without being known.
  public var label: Label?
  /// The class folder's name, for example `PNEUMONIA`; nil where there are no classes.
  public var className: String?
  /// What the image is used for.
  public var split: Split
  /// Whom the image shows, as far as a manifest or the file's name tells; nil otherwise, and the file then counts as its own patient.
  public var patient: String?
  /// The mask of the abnormal pixels, an image of the same size; nil where there is none.
  public var maskPath: String?
  /// Boxes around what is abnormal, where the data set has these instead of masks; nil where there are none.
  public var boxes: [LesionBox]?
  /// The image of another modality on the same grid, for example the CT beside a PET; nil where there is none.
  public var pairedPath: String?
  /// Whatever else a manifest tells, by the names of its columns; cells without text are left out.
  public var attributes: [String: String] = [:]

  /// Creates an item; what is not known stays nil.
  public init(
    name: String, path: String, label: Label? = nil, className: String? = nil, split: Split = .test,
    patient: String? = nil, maskPath: String? = nil, boxes: [LesionBox]? = nil, pairedPath: String? = nil,
    attributes: [String: String] = [:]
  ) {
    self.name = name
    self.path = path
    self.label = label
    self.className = className
    self.split = split
    self.patient = patient
    self.maskPath = maskPath
    self.boxes = boxes
    self.pairedPath = pairedPath
    self.attributes = attributes
  }

  /// Whether it is told which of its pixels are abnormal.
  public var isMarked: Bool { maskPath != nil || boxes != nil }

  /// The order of a data set's items: by split (train, validation, test), then by name.
  static func inOrder(_ first: DataItem, _ second: DataItem) -> Bool {
    (first.split.order, first.name) < (second.split.order, second.name)
  }
}

extension DataItem.Split {
  /// How folders, arrays and manifests spell it, in lower case.
  var spellings: Set<String> {
    switch self {
    case .train: ["train", "training"]
    case .validation: ["val", "valid", "validation"]
    case .test: ["test", "testing"]
    }
  }

  fileprivate var order: Int {
    switch self {
    case .train: 0
    case .validation: 1
    case .test: 2
    }
  }
}
