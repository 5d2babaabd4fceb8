import MedicalImaging
import Testing

@Suite("ImageDataSet, splits")
struct SplitTests {
  /// Patients with 1, 2, 3, 1, 2, 3 … images; every fifth file tells no patient.
  private func dataSet(normal: Int, abnormal: Int) -> ImageDataSet {
    var items: [DataItem] = []
    for (label, count) in [(DataItem.Label.normal, normal), (.abnormal, abnormal)] {
      for index in 0..<count {
        let name = "train/\(label.rawValue)/" + String("000\(index)".suffix(4))
        items.append(
          DataItem(
            name: name, path: "/data/" + name, label: label, className: label.rawValue, split: .train,
            patient: index % 5 == 0 ? nil : "\(label.rawValue) \(index * 2 / 3 / 2)"))
      }
    }
    items.append(DataItem(name: "test/normal/0000", path: "/data/test", label: .normal, className: "normal"))
    return ImageDataSet(layout: .classFolders, items: items)
  }

  @Test("A validation split has the numbers asked for, whole patients, and nothing of the test split")
  func validation() throws {
    let whole = dataSet(normal: 300, abnormal: 400)
    for seed in UInt64(0)..<20 {
      let split = try whole.settingAsideValidation(seed: seed)
      #expect(split.items(in: .validation, label: .normal).count == 100)
      #expect(split.items(in: .validation, label: .abnormal).count == 100)
      #expect(split.items(in: .train).count == 500)
      #expect(split.items(in: .test) == whole.items(in: .test))
      let patients = { (split: ImageDataSet, part: DataItem.Split) in Set(split.items(in: part).compactMap(\.patient)) }
      #expect(patients(split, .validation).isDisjoint(with: patients(split, .train)))
      #expect(Set(split.items.map(\.name)) == Set(whole.items.map(\.name)))
    }
  }

  @Test("The same seed gives the same split, another seed another")
  func seed() throws {
    let whole = dataSet(normal: 300, abnormal: 400)
    let split = try whole.settingAsideValidation(seed: 1)
    #expect(try whole.settingAsideValidation(seed: 1) == split)
    #expect(try split.settingAsideValidation(seed: 1) == split)
    #expect(try whole.settingAsideValidation(seed: 2) != split)
  }

  @Test("A patient who does not fit is left out rather than divided, and one with both labels moves whole")
  func largePatients() throws {
    func items(_ label: DataItem.Label, _ patients: [String]) -> [DataItem] {
      patients.enumerated().map { index, patient in
        let name = "train/\(label.rawValue)/\(index)"
        return DataItem(name: name, path: name, label: label, className: "c", split: .train, patient: patient)
      }
    }
    let whole = ImageDataSet(
      layout: .classFolders,
      items: items(.normal, ["a", "a", "a", "b", "b", "b", "c"]) + items(.abnormal, ["b", "c", "d"]))
    for seed in UInt64(0)..<10 {
      let split = try whole.settingAsideValidation(normal: 2, abnormal: 1, seed: seed)
      let chosen = split.items(in: .validation)
      #expect(chosen.map(\.patient) == ["c", "c"] || chosen.map(\.patient) == ["d"])
    }
  }

  @Test("Impossible splits say why")
  func refusals() {
    let whole = dataSet(normal: 100, abnormal: 50)
    #expect(
      message { try whole.settingAsideValidation(seed: 0) }
        == "Validation asks for 100 abnormal images, but train has 50; ask for fewer.")
    #expect(
      message { try whole.settingAsideValidation(abnormal: 0, seed: 0) }
        == "Validation asks for 100 of the 100 normal images in train, which leaves none to train on; ask for fewer.")
    #expect(
      message { try whole.settingAsideValidation(normal: -1, abnormal: 0, seed: 0) }
        == "The number of normal validation images is -1; it must not be negative.")
  }

  @Test(
    "Contamination keeps the number of images and takes ⌊(1 − c) · n⌋ normal ones",
    arguments: [(0, 300, 0), (0.1, 270, 30), (0.25, 225, 75), (0.5, 150, 150), (0.9, 30, 270), (1, 0, 300)])
  func contamination(_ share: Double, _ normal: Int, _ abnormal: Int) throws {
    let items = try dataSet(normal: 300, abnormal: 400).trainingItems(contamination: share, seed: 3)
    #expect(items.count { $0.label == .normal } == normal)
    #expect(items.count { $0.label == .abnormal } == abnormal)
  }

  @Test("Contaminating images are not those of validation, follow the seed, and grow with the share")
  func contaminationChoice() throws {
    let split = try dataSet(normal: 300, abnormal: 400).settingAsideValidation(seed: 8)
    let some = Set(try split.trainingItems(contamination: 0.2, seed: 4).filter { $0.label == .abnormal })
    let more = Set(try split.trainingItems(contamination: 0.5, seed: 4).filter { $0.label == .abnormal })
    #expect(some.count == 40 && more.count == 100)
    #expect(some.isSubset(of: more))
    #expect(more.isDisjoint(with: split.items(in: .validation)))
    #expect(try split.trainingItems(contamination: 0.2, seed: 4) == split.trainingItems(contamination: 0.2, seed: 4))
    #expect(try split.trainingItems(contamination: 0.2, seed: 4) != split.trainingItems(contamination: 0.2, seed: 5))
    #expect(
      message { try dataSet(normal: 300, abnormal: 10).trainingItems(contamination: 0.1, seed: 0) }
        == "A contamination of 0.1 asks for 30 abnormal among 300 training images, but train has 10; add abnormal images to "
        + "train, or ask for a smaller share or for at most 100 training images.")
    #expect(
      message { try split.trainingItems(contamination: 1.5, seed: 0) }
        == "The contamination is 1.5; it must lie between 0 and 1.")
  }

  @Test("The sets of all contaminations are equally large, nested both ways, and hold no image of another split")
  func nestedContaminations() throws {
    let split = try dataSet(normal: 300, abnormal: 400).settingAsideValidation(normal: 50, abnormal: 50, seed: 8)
    let shares = [0, 0.2, 0.33, 0.5, 0.8, 1]
    let levels = try shares.map { try split.trainingItems(contamination: $0, count: 200, seed: 4) }
    for items in levels {
      #expect(items.count == 200 && Set(items).count == 200)
      #expect(items.allSatisfy { $0.split == .train })
    }
    for (smaller, larger) in zip(levels, levels.dropFirst()) {
      let abnormal = [smaller, larger].map { Set($0.filter { $0.label == .abnormal }) }
      let normal = [smaller, larger].map { Set($0.filter { $0.label == .normal }) }
      #expect(abnormal[0].isStrictSubset(of: abnormal[1]) && normal[1].isStrictSubset(of: normal[0]))
    }
    #expect(levels.map { $0.count { $0.label == .abnormal } } == [0, 40, 66, 100, 160, 200])
    #expect(try split.trainingItems(contamination: 1, seed: 4).count == 250)
  }

  @Test("Numbers of training images that train has not got say so")
  func trainingCounts() throws {
    let whole = dataSet(normal: 30, abnormal: 40)
    #expect(try whole.trainingItems(contamination: 0.5, count: 60, seed: 1).count == 60)
    #expect(
      message { try whole.trainingItems(count: 31, seed: 1) }
        == "Training asks for 31 normal images, but train has 30; ask for fewer.")
    #expect(
      message { try whole.trainingItems(contamination: 1, count: 41, seed: 1) }
        == "A contamination of 1.0 asks for 41 abnormal among 41 training images, but train has 40; add abnormal images to "
        + "train, or ask for a smaller share or for at most 40 training images.")
    #expect(
      message { try whole.trainingItems(count: -1, seed: 1) }
        == "The number of training images is -1; it must not be negative.")
  }

  @Test("A limit holds for each label of each split")
  func limit() throws {
    let whole = dataSet(normal: 300, abnormal: 400)
    let limited = try whole.limited(to: 7, seed: 1)
    #expect(limited.items(in: .train, label: .normal).count == 7)
    #expect(limited.items(in: .train, label: .abnormal).count == 7)
    #expect(limited.items(in: .test).count == 1)
    #expect(try Set(limited.items).isSubset(of: whole.limited(to: 20, seed: 1).items))
    #expect(message { try whole.limited(to: -1, seed: 1) } == "The limit is -1; it must not be negative.")
  }
}
