extension ImageDataSet {
  /// The data set with a validation split of this many images drawn from `train`; 100 and 100 are the protocol for
  /// ZhangLab (Xiang et al., SimSID, §4.1).
  ///
  /// Images that were in the validation split go back to `train` first, so that the outcome follows from the files, the
  /// numbers and the seed. Patients (see `DataItem.patient`) are put into a seeded random order and moved whole, each if
  /// it still fits: a patient never is on both sides and the numbers are never exceeded. They fall short only where every
  /// patient that is left has more images than are missing.
  /// - Throws: `DataSetError`, for a negative number, for more images than `train` has, and when no normal image would
  ///   remain to train on.
  public func settingAsideValidation(
    normal: Int = 100, abnormal: Int = 100, seed: UInt64
  ) throws(DataSetError) -> ImageDataSet {
    var result = self
    for index in result.items.indices where result.items[index].split == .validation {
      result.items[index].split = .train
    }
    result.items.sort(by: DataItem.inOrder)
    let trainNormals = result.items(in: .train, label: .normal).count
    let trainAbnormals = result.items(in: .train, label: .abnormal).count
    for (kind, requested, available) in [
      (DataItem.Label.normal, normal, trainNormals), (.abnormal, abnormal, trainAbnormals),
    ] {
      guard requested >= 0 else {
        throw .negativeCount(name: "The number of \(kind.rawValue) validation images", value: requested)
      }
      guard requested <= available else {
        throw .tooFewImages(purpose: "Validation", kind: kind, requested: requested, available: available)
      }
    }
    guard normal == 0 || normal < trainNormals else {
      throw .nothingLeftToTrain(requested: normal, available: trainNormals)
    }

    var generator = SeededGenerator(seed: seed)
    result.movePatients(normal: normal, abnormal: abnormal, to: .validation, &generator)
    return result
  }

  /// Moves whole patients of `train` to another split, in the order that the generator gives, each if its images still fit.
  /// - Parameter arranged: puts the patients, given in that order, into another one.
  mutating func movePatients(
    normal: Int, abnormal: Int, to split: DataItem.Split, _ generator: inout SeededGenerator,
    arranged: ([[Int]]) -> [[Int]] = { $0 }
  ) {
    var missing: [DataItem.Label: Int] = [.normal: normal, .abnormal: abnormal]
    for group in arranged(generator.shuffled(patientGroups(in: .train))) {
      let labels = group.compactMap { items[$0].label }
      let fits = DataItem.Label.allCases.allSatisfy { label in
        labels.count { $0 == label } <= missing[label, default: 0]
      }
      guard fits else { continue }
      for label in labels { missing[label, default: 0] -= 1 }
      for index in group { items[index].split = split }
    }
    items.sort(by: DataItem.inOrder)
  }

  /// Positions of the items of a split, patient by patient, in the order of each patient's first image.
  func patientGroups(in split: DataItem.Split) -> [[Int]] {
    var groups: [[Int]] = []
    var groupOfPatient: [String: Int] = [:]
    for index in items.indices where items[index].split == split {
      if let patient = items[index].patient, let group = groupOfPatient[patient] {
        groups[group].append(index)
      } else {
        if let patient = items[index].patient { groupOfPatient[patient] = groups.count }
        groups.append([index])
      }
    }
    return groups
  }
}
