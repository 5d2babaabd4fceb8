import Foundation
public import MedicalImaging

/// The images of a run, split and prepared.
public struct TrainingData: Sendable {
  /// Images to train on; labels, where known, are not looked at.
  public let training: PreparedImages
  /// Labelled images set aside; nil without any.
  public let validation: PreparedImages?
  /// The data set's test images; nil without any.
  public let test: PreparedImages?
  /// Content hash over the training images; empty where they were left out.
  public let fingerprint: String
  /// What people should know about the data: duplicates across splits, images that could not be read.
  public let warnings: [String]

  /// Opens a data set and prepares its images as a configuration says.
  /// - Parameters:
  ///   - folder: the data set's folder, its manifest, or a NumPy archive (see `ImageDataSet.open`); or a file that
  ///     `DataPreparation` made of one.
  ///   - readsTraining: false leaves the training images out, for evaluation.
  ///   - earlier: images of another run on the same folder; those that are in memory are not read again.
  ///
  /// Validation and test images without a label are left out, with a warning.
  /// - Throws: `DataSetError` for a data set that cannot be used or has no normal images to train on, or when more than 1 % of the training images or all of a
  ///   class cannot be read; `PreparedDataError` for a prepared file of other input settings.
  public init(
    folder: String, configuration: RunConfiguration, readsTraining: Bool = true, reusing earlier: TrainingData? = nil,
    progress: ProgressHandler = { _ in }
  ) async throws {
    let prepared = try PreparedDataSet.opened(at: folder)
    let set = try configuration.dataSet(in: folder, prepared: prepared)
    let items = readsTraining ? try configuration.trainingItems(of: set) : []
    guard !readsTraining || !items.isEmpty else { throw DataSetError.nothingToTrain(path: folder) }
    let specification = configuration.inputSpecification
    let limit = configuration.data.memoryLimit * 1_048_576
    let known = earlier.map { [$0.training, $0.validation, $0.test].compactMap { $0 } } ?? []
    func prepare(_ items: [DataItem], _ name: String) async throws -> PreparedImages {
      if let prepared { return prepared.images(items, for: specification) }
      return try await PreparedImages(items, for: specification, memoryLimit: limit, reusing: known) { done in
        progress(WorkProgress("reading \(name) images", done: done, total: items.count, unit: "images"))
      }
    }
    training = try await prepare(items, "training")
    try training.requireEnough(of: items)
    let (validationItems, testItems) = (set.labelledItems(in: .validation), set.labelledItems(in: .test))
    let unlabelled = [DataItem.Split.validation, .test].reduce(0) { $0 + set.items(in: $1).count { $0.label == nil } }
    validation = validationItems.isEmpty ? nil : try await prepare(validationItems, "validation")
    test = testItems.isEmpty ? nil : try await prepare(testItems, "test")
    let read = [training, validation, test].compactMap { $0 }
    var skipped = read.flatMap(\.failures).map { "\($0.reason) (skipped)" } + read.flatMap(\.remarks)
    if unlabelled > 0 {
      skipped.append("images without a label in validation and test: \(unlabelled) (left out of all figures)")
    }
    guard readsTraining else {
      (fingerprint, warnings) = ("", skipped)
      return
    }
    func index(_ items: [DataItem]) async throws -> ContentIndex {
      if let prepared { return prepared.contents(of: items) }
      return try await ContentIndex(of: items)
    }
    fingerprint = try await index(items).fingerprint
    warnings = try await index(items + validationItems + testItems).warnings + skipped
  }

  /// Images that are in memory already, for tests and demonstrations.
  public init(
    training: PreparedImages, validation: PreparedImages? = nil, test: PreparedImages? = nil, fingerprint: String
  ) {
    (self.training, self.validation, self.test) = (training, validation, test)
    (self.fingerprint, warnings) = (fingerprint, [])
  }
}

extension RunConfiguration {
  /// The data set in a folder as the run sees it: as many images as its limit, validation images set aside.
  /// - Throws: `DataSetError`, `PreparedDataError`.
  public func dataSet(in folder: String) throws -> ImageDataSet {
    try dataSet(in: folder, prepared: PreparedDataSet.opened(at: folder))
  }

  /// The same, of a file that was opened before; nil: `folder` is no prepared file.
  func dataSet(in folder: String, prepared: PreparedDataSet?) throws -> ImageDataSet {
    try prepared?.check(self)
    if let ensemble = detector.settings as? EnsembleConfiguration {
      return try ensemble.dataSet(in: folder, prepared: prepared)
    }
    var set = try prepared?.dataSet ?? wholeDataSet(in: folder)
    if data.abnormalPool == .halfTest { set = try set.poolingAbnormalTest() }
    if data.limit > 0 { set = try set.limited(to: data.limit, seed: UInt64(seed)) }
    guard data.validationNormal + data.validationAbnormal > 0 else { return set }
    return try set.settingAsideValidation(
      normal: data.validationNormal, abnormal: data.validationAbnormal, seed: UInt64(seed))
  }

  /// The data set in a folder, whole and with the publisher's splits.
  func wholeDataSet(in folder: String) throws -> ImageDataSet {
    func chosen(_ text: String) -> String? { text.isEmpty ? nil : text }
    let set = try ImageDataSet.open(
      folder, as: data.set.isEmpty ? nil : data.publishedSet(), normalClass: chosen(data.normalClass),
      part: chosen(data.part), uncertain: data.uncertain)
    return inputSpecification.isVolume ? set.gatheringSeries() : set
  }

  /// The images of `dataSet(in:)` that the run is trained on.
  /// - Throws: `DataSetError`.
  func trainingItems(of set: ImageDataSet) throws(DataSetError) -> [DataItem] {
    // What the members were trained on, and nothing else.
    if detector.method == .ensemble { return set.items(in: .train) }
    return try set.trainingItems(
      contamination: data.contamination, count: data.trainingImages > 0 ? data.trainingImages : nil, seed: UInt64(seed))
  }
}

extension PreparedImages {
  /// Checks that enough of `items` could be read to train on.
  fileprivate func requireEnough(of items: [DataItem]) throws {
    let failed = Dictionary(failures.map { ($0.item, $0.reason) }) { first, _ in first }
    let results = items.map { item in failed[item].map(Result<Void, ImageError>.failure) ?? .success(()) }
    try DecodingReport(items: items, results: results).requireEnough()
  }
}
