extension ImageDataSet {
  /// The images to train on: all n normal ones of `train`, or, with a contamination c, ⌊(1 − c) · n⌋ of them and as many
  /// abnormal ones of `train` as keep the number at n (SimSID, §5.3).
  ///
  /// Which images those are is drawn by seed, and with the same seed a larger share contains the abnormal images of a
  /// smaller one. Draw the validation split first: its images are not in `train` any more. The items keep the data set's
  /// order, and their labels, which training must not look at.
  /// - Parameter contamination: c, the share of abnormal images, in `0...1`.
  /// - Throws: `DataSetError`, for a share outside `0...1`, and when `train` has too few abnormal images.
  public func trainingItems(contamination: Double = 0, seed: UInt64) throws(DataSetError) -> [DataItem] {
    guard (0...1).contains(contamination) else {
      throw .shareOutOfRange(name: "The contamination", value: contamination)
    }
    let normal = items(in: .train, label: .normal)
    let abnormal = items(in: .train, label: .abnormal)
    let rounding = 1e-9  // 1 - 0.9 is a little less than 0.1 in binary
    let keptNormal = Int((1 - contamination) * Double(normal.count) + rounding)
    let added = normal.count - keptNormal
    guard added <= abnormal.count else {
      throw .tooFewImages(
        purpose: "The contamination", kind: .abnormal, requested: added, available: abnormal.count)
    }
    var generator = SeededGenerator(seed: seed)
    let chosen = Set(
      generator.shuffled(normal).prefix(keptNormal) + generator.shuffled(abnormal).prefix(added))
    return items.filter(chosen.contains)
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
