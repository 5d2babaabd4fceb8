import MedicalImaging

extension RunConfiguration {
  /// What a fused detector is: its members and their fusion; seed, data, input and quantile are the first member's.
  /// - Throws: `EnsembleError` for members that cannot be fused, `ConfigurationError` for names that are taken twice.
  public static func ensemble(
    of members: [(name: String, checkpoint: Checkpoint)], fusion: EnsembleConfiguration.Fusion
  ) throws -> RunConfiguration {
    guard let first = members.first else { throw EnsembleError.noMembers }
    var settings = EnsembleConfiguration()
    settings.fusion = fusion
    for (name, checkpoint) in members {
      let configuration = checkpoint.metadata.configuration
      guard configuration.detector.method != .ensemble else { throw EnsembleError.nested(name: name) }
      guard
        configuration.inputSpecification.isVolume == first.checkpoint.metadata.configuration.inputSpecification.isVolume
      else { throw EnsembleError.imagesAndVolumes(first.name, name) }
      settings.members.append(.init(name: name, configuration: configuration))
    }
    var configuration = first.checkpoint.metadata.configuration
    configuration.detector = DetectorSettings(settings)
    try configuration.validate()
    return configuration
  }
}

extension EnsembleConfiguration {
  /// The data set as an ensemble sees it: `train` are the images that any member was trained on, `validation` those that some
  /// member set aside and none was trained on, `test` the first member's.
  /// - Throws: `DataSetError`, `PreparedDataError`.
  func dataSet(in folder: String, prepared: PreparedDataSet?) throws -> ImageDataSet {
    let sets = try members.map { try $0.configuration.dataSet(in: folder, prepared: prepared) }
    guard let first = sets.first else { return ImageDataSet(layout: .files, items: []) }
    var places: [String: Int] = [:]
    var items: [DataItem] = []
    func add(_ new: [DataItem]) {
      for item in new where places[item.path] == nil {
        places[item.path] = items.count
        items.append(item)
      }
    }
    for (member, set) in zip(members, sets) { add(try member.configuration.trainingItems(of: set)) }
    for set in sets { add(set.items(in: .validation)) }
    add(first.items(in: .test))
    return ImageDataSet(
      layout: first.layout, items: items.sorted { ($0.split.place, $0.name) < ($1.split.place, $1.name) })
  }
}

extension DataItem.Split {
  fileprivate var place: Int { DataItem.Split.allCases.firstIndex(of: self) ?? 0 }
}

/// Detectors that cannot be fused, in one sentence.
public enum EnsembleError: Error, Equatable, CustomStringConvertible, Sendable {
  /// There is nothing to fuse.
  case noMembers
  /// A member is an ensemble itself.
  case nested(name: String)
  /// One member reads images, another volumes.
  case imagesAndVolumes(_ first: String, _ other: String)
  /// The same file was given twice.
  case twice(path: String)
  /// The images were not prepared for the members.
  case otherImages
  /// A member gives no number for a normal image.
  case noScore(member: String, image: String)

  /// The sentence.
  public var description: String {
    switch self {
    case .noMembers: "there are no detectors to fuse; give one checkpoint or more"
    case .nested(let name): "\(name) is an ensemble itself; fuse its members with the others instead"
    case .imagesAndVolumes(let first, let other):
      "\(first) and \(other) cannot be fused, as one of them scores images and the other volumes; give detectors of one kind"
    case .twice(let path): "\(path) is given twice; give each checkpoint once"
    case .otherImages:
      "the images were prepared for another detector; prepare them for the configuration that RunConfiguration.ensemble gives"
    case .noScore(let member, let image):
      "\(member) gives no finite score for the normal image \(image); leave one of them out"
    }
  }
}
