/// The learning curve of one labelled set: AUROC by score and epoch, read back from a run's log.
public struct LearningCurve: Sendable, Equatable {
  /// The set's name, `validation` or `test`.
  public let set: String
  /// The score's name.
  public let score: String
  /// Epoch (from 1) and AUROC.
  public let points: [EpochValue]

  /// All curves of a log's events, sets and scores by name. An epoch that was run twice counts as it was last.
  static func curves(of events: [[String: Any]]) -> [LearningCurve] {
    EpochValue.series(in: events, named: "monitor", of: "auroc", by: "set").sorted { $0.group < $1.group }.map {
      LearningCurve(set: $0.group, score: $0.name, points: $0.points)
    }
  }
}

/// One loss over the epochs of one stage, read back from a run's log.
public struct LossCurve: Sendable, Equatable {
  /// The stage's name.
  public let stage: String
  /// The loss's name.
  public let loss: String
  /// Epoch (from 1, counted within the stage) and the mean loss of its iterations, in the loss's own unit.
  public let points: [EpochValue]

  /// All curves of a log's events, stages in the order of the log, losses by name. An epoch that was run twice counts as it
  /// was last.
  static func curves(of events: [[String: Any]]) -> [LossCurve] {
    EpochValue.series(in: events, named: "epoch", of: "losses", by: "stage").map {
      LossCurve(stage: $0.group, loss: $0.name, points: $0.points)
    }
  }
}

/// A figure of one epoch.
public struct EpochValue: Sendable, Equatable {
  /// From 1.
  public let epoch: Int
  /// The figure.
  public let value: Double

  /// What events say of every epoch: their groups in the order of the log, in each the figures by name.
  /// - Parameters:
  ///   - event: which events.
  ///   - figures: the key of the figures by name.
  ///   - group: the key of what they belong to.
  fileprivate static func series(
    in events: [[String: Any]], named event: String, of figures: String, by group: String
  ) -> [(group: String, name: String, points: [EpochValue])] {
    var groups: [String] = []
    var values: [String: [String: [Int: Double]]] = [:]
    for entry in events where entry["event"] as? String == event {
      guard let group = entry[group] as? String, let epoch = entry["epoch"] as? Int,
        let figures = entry[figures] as? [String: Double]
      else { continue }
      if values[group] == nil { groups.append(group) }
      for (name, value) in figures { values[group, default: [:]][name, default: [:]][epoch] = value }
    }
    return groups.flatMap { group in
      (values[group] ?? [:]).sorted { $0.key < $1.key }.map { name, epochs in
        (group, name, epochs.sorted { $0.key < $1.key }.map { EpochValue(epoch: $0.key, value: $0.value) })
      }
    }
  }
}
