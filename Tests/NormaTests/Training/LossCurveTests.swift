import Foundation
import Testing

@testable import Norma

@Suite("Curves of a run")
struct LossCurveTests {
  @Test(
    "Losses by stage and epoch, AUROC by set and epoch, an epoch that was run twice as it was last; broken lines are passed over"
  )
  func curves() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(TrainingLog.events(in: folder).isEmpty)
    let log = TrainingLog(in: folder)
    try log.append("epoch", ["stage": "tokens", "epoch": 1, "losses": ["l2": 4.0, "b": 1.0]])
    try log.append("epoch", ["stage": "tokens", "epoch": 2, "losses": ["l2": 3.0]])
    try log.append("epoch", ["stage": "tokens", "epoch": 2, "losses": ["l2": 2.0]])
    try log.append("monitor", ["epoch": 2, "set": "validation", "auroc": ["b": 0.5, "a": 0.75]])
    for auroc in [0.5, 1] { try log.append("monitor", ["epoch": 2, "set": "test", "auroc": ["a": auroc]]) }
    try log.append("monitor", ["epoch": 1, "set": "validation", "auroc": ["a": 0.25]])
    try log.append("epoch", ["stage": "autoencoder", "epoch": 1, "losses": ["l2": 8.0]])
    let handle = try FileHandle(forWritingTo: folder.appendingPathComponent("log.jsonl"))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("{\"event\": \"epo".utf8))
    try handle.close()
    let events = TrainingLog.events(in: folder)
    #expect(
      LossCurve.curves(of: events) == [
        LossCurve(stage: "tokens", loss: "b", points: [.init(epoch: 1, value: 1)]),
        LossCurve(stage: "tokens", loss: "l2", points: [.init(epoch: 1, value: 4), .init(epoch: 2, value: 2)]),
        LossCurve(stage: "autoencoder", loss: "l2", points: [.init(epoch: 1, value: 8)]),
      ])
    #expect(
      LearningCurve.curves(of: events) == [
        LearningCurve(set: "test", score: "a", points: [.init(epoch: 2, value: 1)]),
        LearningCurve(
          set: "validation", score: "a", points: [.init(epoch: 1, value: 0.25), .init(epoch: 2, value: 0.75)]),
        LearningCurve(set: "validation", score: "b", points: [.init(epoch: 2, value: 0.5)]),
      ])
  }
}
