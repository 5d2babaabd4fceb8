extension ImageDataSet {
  /// The n images to train on: normal ones of `train`, or, with a contamination c, ⌊(1 − c) · n⌋ of them and as many
  /// abnormal ones of `train` as keep the number at n (SimSID, §5.3). Images of other splits are never among them.
  ///
  /// Which images those are is drawn by seed, and with the same seed a larger share contains the abnormal images of a
  /// smaller one, and none but its normal ones. Draw the validation split first: its images are not in `train` any more. The
  /// items keep the data set's order, and their labels, which training must not look at.
  /// - Parameters:
  ///   - contamination: c, the share of abnormal images, in `0...1`.
  ///   - count: n; nil: as many as `train` has normal ones.
  /// - Throws: `DataSetError`, for a share outside `0...1`, and when `train` has too few normal or abnormal images.
  public func trainingItems(
    contamination: Double = 0, count: Int? = nil, seed: UInt64
  ) throws(DataSetError) -> [DataItem] {
    guard (0...1).contains(contamination) else {
      throw .shareOutOfRange(name: "The contamination", value: contamination)
    }
    let normal = items(in: .train, label: .normal)
    let abnormal = items(in: .train, label: .abnormal)
    let count = count ?? normal.count
    guard count >= 0 else { throw .negativeCount(name: "The number of training images", value: count) }
    let rounding = 1e-9  // 1 - 0.9 is a little less than 0.1 in binary
    let keptNormal = Int((1 - contamination) * Double(count) + rounding)
    let added = count - keptNormal
    guard keptNormal <= normal.count else {
      throw .tooFewImages(purpose: "Training", kind: .normal, requested: keptNormal, available: normal.count)
    }
    guard added <= abnormal.count else {
      throw .tooFewForContamination(
        share: contamination, images: count, requested: added, available: abnormal.count)
    }
    var generator = SeededGenerator(seed: seed)
    let chosen = Set(
      generator.shuffled(normal).prefix(keptNormal) + generator.shuffled(abnormal).prefix(added))
    return items.filter(chosen.contains)
  }

  /// The data set with half of the abnormal test images, rounded down, in `train`: a pool to contaminate training with where the
  /// publisher's training split has normal images alone, as in MVTec AD. Of each class half is taken, whole patients in the
  /// order that `PublishedDataSet.splitSeed` gives, so that the images that stay are the same in all runs.
  /// - Throws: `DataSetError.noPool`, when `train` has abnormal images of its own, or no class two abnormal test images.
  public func poolingAbnormalTest() throws(DataSetError) -> ImageDataSet {
    let own = items(in: .train, label: .abnormal).count
    guard own == 0 else { throw .noPool(trained: own) }
    var result = self
    var generator = SeededGenerator(seed: PublishedDataSet.splitSeed)
    let groups = generator.shuffled(patientGroups(in: .test)).filter { group in
      group.allSatisfy { items[$0].label == .abnormal }
    }
    var left: [String: Int] = [:]
    for item in items(in: .test, label: .abnormal) { left[item.className ?? "", default: 0] += 1 }
    left = left.mapValues { $0 / 2 }
    for group in groups {
      var needed: [String: Int] = [:]
      for index in group { needed[items[index].className ?? "", default: 0] += 1 }
      guard needed.allSatisfy({ $1 <= left[$0, default: 0] }) else { continue }
      for (name, count) in needed { left[name, default: 0] -= count }
      for index in group { result.items[index].split = .train }
    }
    guard !result.items(in: .train, label: .abnormal).isEmpty else { throw .noPool(trained: 0) }
    result.items.sort(by: DataItem.inOrder)
    return result
  }

  /// The data set with at most this many images of each label in each split, drawn by seed: for quick runs. With the same
  /// seed a larger number contains the images of a smaller one.
  /// - Throws: `DataSetError`, for a negative number.
  public func limited(to count: Int, seed: UInt64) throws(DataSetError) -> ImageDataSet {
    guard count >= 0 else { throw .negativeCount(name: "The limit", value: count) }
    var generator = SeededGenerator(seed: seed)
    var chosen: Set<DataItem> = []
    for split in DataItem.Split.allCases {
      for label in DataItem.Label.allCases.map(Optional.some) + [nil] {
        let group = items.filter { $0.split == split && $0.label == label }
        chosen.formUnion(generator.shuffled(group).prefix(count))
      }
    }
    return ImageDataSet(layout: layout, items: items.filter(chosen.contains))
  }
}
