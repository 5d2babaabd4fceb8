extension ImageDataSet {
  /// The data set with a test split drawn from `train`: of each label at most `cap` images, and at most a fifth of those
  /// there are, whole patients in the order that `PublishedDataSet.splitSeed` gives. All others stay where they are.
  func settingAsideTest(upTo cap: Int) -> ImageDataSet {
    var result = self
    func wanted(_ label: DataItem.Label) -> Int { min(cap, items(in: .train, label: label).count / 5) }
    var generator = SeededGenerator(seed: PublishedDataSet.splitSeed)
    result.movePatients(normal: wanted(.normal), abnormal: wanted(.abnormal), to: .test, &generator)
    return result
  }

  /// The data set with a fifth of the patients of `train`, rounded down, in `test`, drawn by `PublishedDataSet.splitSeed`.
  func settingAsideTestPatients() -> ImageDataSet {
    var result = self
    var generator = SeededGenerator(seed: PublishedDataSet.splitSeed)
    let groups = generator.shuffled(patientGroups(in: .train))
    for index in groups.prefix(groups.count / 5).joined() { result.items[index].split = .test }
    result.items.sort(by: DataItem.inOrder)
    return result
  }
}
