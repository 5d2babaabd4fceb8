import Foundation
import MedicalImaging
import Testing

@Suite("Half of the abnormal test images for training")
struct AbnormalPoolTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// One object in MVTec's layout: 6 good images to train on, 3 to test, and defects as told.
  private func object(_ defects: [String: Int]) throws -> ImageDataSet {
    for number in 0..<6 { try folder.picture("train/good/00\(number).png", seed: number) }
    for number in 0..<3 { try folder.picture("test/good/00\(number).png", seed: 10 + number) }
    for (name, count) in defects {
      for number in 0..<count {
        try folder.picture("test/\(name)/00\(number).png", seed: 20 + number)
        try folder.picture("ground_truth/\(name)/00\(number)_mask.png", seed: 30 + number)
      }
    }
    return try ImageDataSet.mvtec(at: folder.path)
  }

  @Test("Of each class half, rounded down, goes to train; all else stays, and so it does every time")
  func halves() throws {
    let set = try object(["cut": 5, "hole": 2, "scratch": 1])
    let pooled = try set.poolingAbnormalTest()
    func count(_ split: DataItem.Split, _ name: String) -> Int {
      pooled.items(in: split).count { $0.className == name }
    }
    #expect(["cut", "hole", "scratch"].map { count(.train, $0) } == [2, 1, 0])
    #expect(["cut", "hole", "scratch", "good"].map { count(.test, $0) } == [3, 1, 1, 3])
    #expect(pooled.items(in: .train, label: .normal) == set.items(in: .train))
    #expect(Set(pooled.items.map(\.path)) == Set(set.items.map(\.path)) && pooled.layout == .mvtec)
    #expect(try set.poolingAbnormalTest() == pooled)
    // None of them is among those that are tested on.
    let trained = try pooled.trainingItems(contamination: 0.5, seed: 3)
    #expect(trained.count == 6 && trained.count { $0.label == .abnormal } == 3)
    #expect(Set(trained.map(\.path)).isDisjoint(with: pooled.items(in: .test).map(\.path)))
  }

  @Test("Without the pool a contamination is refused with what to do; sets of another kind are refused a pool")
  func refusals() throws {
    let set = try object(["cut": 1])
    #expect(
      message { try set.trainingItems(contamination: 0.5, seed: 1) }
        == "A contamination of 0.5 asks for 3 abnormal among 6 training images, but train has 0; add abnormal images to train, "
        + "or ask for a smaller share or for at most 0 training images, or take them from half of the abnormal test images "
        + "(data.abnormalPool=half-test).")
    #expect(
      message { try set.poolingAbnormalTest() }
        == "test has no two abnormal images of one class, so that none can be lent to training; add some, or leave "
        + "data.abnormalPool at train.")
    var own = set
    own.items[own.items.count - 1].split = .train
    own.items[own.items.count - 1].label = .abnormal
    #expect(
      message { try own.poolingAbnormalTest() }
        == "train has 1 abnormal images of its own; leave data.abnormalPool at train.")
  }
}
