import Foundation
import MedicalImaging

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

  /// Opens a data set folder and prepares its images as a configuration says.
  /// - Parameter readsTraining: false leaves the training images out, for evaluation.
  /// - Throws: `DataSetError` for a folder that cannot be used, or when more than 1 % of the training images or all of a
  ///   class cannot be read.
  public init(
    folder: String, configuration: RunConfiguration, readsTraining: Bool = true, progress: ProgressHandler = { _ in }
  ) async throws {
    let data = configuration.data
    var set = try ImageDataSet.open(folder, normalClass: data.normalClass.isEmpty ? nil : data.normalClass)
    if data.limit > 0 { set = try set.limited(to: data.limit, seed: UInt64(configuration.seed)) }
    if data.validationNormal + data.validationAbnormal > 0 {
      set = try set.settingAsideValidation(
        normal: data.validationNormal, abnormal: data.validationAbnormal, seed: UInt64(configuration.seed))
    }
    let items = try set.trainingItems(contamination: data.contamination, seed: UInt64(configuration.seed))
    let specification = configuration.inputSpecification
    let limit = data.memoryLimit * 1_048_576
    func prepare(_ items: [DataItem], _ name: String) async throws -> PreparedImages {
      try await PreparedImages(items, for: specification, memoryLimit: limit) { done in
        progress(WorkProgress("reading \(name) images", done: done, total: items.count, unit: "images"))
      }
    }
    training = try await prepare(readsTraining ? items : [], "training")
    if readsTraining { try training.requireEnough(of: items) }
    let (validationItems, testItems) = (set.items(in: .validation), set.items(in: .test))
    validation = validationItems.isEmpty ? nil : try await prepare(validationItems, "validation")
    test = testItems.isEmpty ? nil : try await prepare(testItems, "test")
    let skipped = [training, validation, test].compactMap { $0 }.flatMap(\.failures).map { "\($0.reason) (skipped)" }
    guard readsTraining else {
      (fingerprint, warnings) = ("", skipped)
      return
    }
    fingerprint = try await ContentIndex(of: items).fingerprint
    warnings = try await ContentIndex(of: items + validationItems + testItems).warnings + skipped
  }

  /// Images that are in memory already, for tests and demonstrations.
  public init(
    training: PreparedImages, validation: PreparedImages? = nil, test: PreparedImages? = nil, fingerprint: String
  ) {
    (self.training, self.validation, self.test) = (training, validation, test)
    (self.fingerprint, warnings) = (fingerprint, [])
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
