extension ImageDataSet {
  /// The data set with a test split drawn from `train`: of each label at most `cap` images, and at most a fifth of those
  /// there are, whole patients in the order that `PublishedDataSet.splitSeed` gives. All others stay where they are.
  /// - Parameters:
  ///   - least: images of each finding that are drawn first, if there are five times as many; else a fifth of those there are.
  ///   - findings: what an image shows.
  func settingAsideTest(
    upTo cap: Int, with least: Int = 0, ofEach findings: (DataItem) -> [String] = { _ in [] }
  ) -> ImageDataSet {
    var result = self
    func wanted(_ label: DataItem.Label) -> Int { min(cap, items(in: .train, label: label).count / 5) }
    var generator = SeededGenerator(seed: PublishedDataSet.splitSeed)
    result.movePatients(normal: wanted(.normal), abnormal: wanted(.abnormal), to: .test, &generator) { groups in
      showing(least, ofEach: findings, first: groups)
    }
    return result
  }

  /// Patients in an order in which those come first, as few as will do, that together show each finding in enough images; the
  /// rarest finding is looked for first.
  private func showing(_ least: Int, ofEach findings: (DataItem) -> [String], first groups: [[Int]]) -> [[Int]] {
    let shown = groups.map { group in group.flatMap { findings(items[$0]) } }
    var counts: [String: Int] = [:]
    for finding in shown.joined() { counts[finding, default: 0] += 1 }
    var drawn: [String: Int] = [:]
    var (first, isFirst) = ([Int](), [Bool](repeating: false, count: groups.count))
    for (finding, count) in counts.sorted(by: { ($0.value, $0.key) < ($1.value, $1.key) }) {
      for group in groups.indices where !isFirst[group] && drawn[finding, default: 0] < min(least, count / 5) {
        guard shown[group].contains(finding) else { continue }
        for finding in shown[group] { drawn[finding, default: 0] += 1 }
        isFirst[group] = true
        first.append(group)
      }
    }
    return first.map { groups[$0] } + groups.indices.filter { !isFirst[$0] }.map { groups[$0] }
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
