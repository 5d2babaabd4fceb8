import Evaluation
import Foundation
import Torch

// Ensembles of a benchmark's own runs: fused when their members are done.
extension Benchmark {
  /// Fuses and evaluates all ensembles whose members are done, and that are not done themselves.
  /// - Returns: the ensembles that other processes work on; nil when interrupted.
  func fuseEnsembles(
    device: Device, progress: @escaping ProgressHandler, isInterrupted: @escaping () -> Bool
  ) async throws -> [RunKey]? {
    var elsewhere: [RunKey] = []
    for dataSet in configuration.dataSets {
      for level in configuration.contaminations {
        for ensemble in configuration.ensembles where isChosen(ensemble.name) {
          let records = results.records()
          let members = ensemble.members.flatMap { member in
            ensemble.seeds.map {
              RunKey(dataSet: dataSet.name, entry: member, contamination: level, seed: $0)
            }
          }
          guard members.allSatisfy({ isDone($0, records: records) }) else { continue }
          let fusion = Result { try self.fusion(of: ensemble, on: dataSet.name, level) }
          var data: TrainingData?
          for seed in ensemble.seeds {
            guard !isInterrupted() else { return nil }
            let key = RunKey(dataSet: dataSet.name, entry: ensemble.name, contamination: level, seed: seed)
            guard let lock = try RunLock(in: folder(of: key)) else {
              elsewhere.append(key)
              continue
            }
            defer { withExtendedLifetime(lock) {} }
            let known = results.records()
            if isDone(key, records: known), let fusion = try? fusion.get(), known[key]?.fusion == fusion { continue }
            do {
              let fusion = try fusion.get()
              let told: ProgressHandler = { message in
                var message = message
                message.activity = "\(key.title): \(message.activity)"
                progress(message)
              }
              let outcome = try await fuse(
                fusion, key, folder: dataSet.path, data: &data, device: device, progress: told)
              try keep(outcome, of: key) { $0.fusion = fusion }
            } catch { try results.append(RunRecord(key, failure: error)) }
          }
        }
      }
    }
    return elsewhere
  }

  /// Whether the row of an ensemble is of what is asked for, and its members were what their own rows say now.
  func isCurrent(
    _ record: RunRecord, of ensemble: BenchmarkConfiguration.Ensemble, records: [RunKey: RunRecord]
  ) -> Bool {
    guard let fusion = record.fusion, ensemble.fusions.contains(where: { $0.rawValue == fusion.fusion }),
      ensemble.isChosen ? Set(fusion.members).isSubset(of: ensemble.members) : fusion.members == ensemble.members,
      let fused = record.configuration?.detector.settings as? EnsembleConfiguration,
      fused.members.map(\.name) == fusion.members
    else { return false }
    return fused.members.allSatisfy { member in
      let key = RunKey(
        dataSet: record.dataSet, entry: member.name, contamination: record.contamination, seed: record.seed)
      return isDone(key, records: records) && records[key]?.configuration == member.configuration
    }
  }

  /// Who is fused, and how.
  private func fusion(
    of ensemble: BenchmarkConfiguration.Ensemble, on dataSet: String, _ level: Double
  ) throws -> RunRecord.Fusion {
    guard ensemble.isChosen else {
      return RunRecord.Fusion(members: ensemble.members, fusion: ensemble.fusions[0].rawValue)
    }
    let scores = try ensemble.seeds.map { seed in
      try ensemble.members.map { member in
        let place = folder(of: RunKey(dataSet: dataSet, entry: member, contamination: level, seed: seed))
        guard FileManager.default.fileExists(atPath: RunScores.file(of: .validation, in: place).path) else {
          throw EnsembleChoiceError.noValidation(member: member)
        }
        return try RunScores.read(.validation, in: place)
      }
    }
    let choice = try EnsembleChoice(
      among: ensemble.members, scores: scores, fusions: ensemble.fusions, largest: ensemble.largest)
    return RunRecord.Fusion(
      members: choice.members, fusion: choice.fusion.rawValue, combinations: choice.combinations,
      validationAUROC: choice.auroc)
  }

  /// Fuses the detectors of one seed, writes the ensemble's, and evaluates it.
  private func fuse(
    _ fusion: RunRecord.Fusion, _ key: RunKey, folder path: String, data: inout TrainingData?, device: Device,
    progress: @escaping ProgressHandler
  ) async throws -> Trials.Outcome {
    let kind = EnsembleConfiguration.Fusion(rawValue: fusion.fusion) ?? .mean
    let members = try fusion.members.map { member in
      let place = folder(
        of: RunKey(dataSet: key.dataSet, entry: member, contamination: key.contamination, seed: key.seed))
      return (
        name: member, checkpoint: try Checkpoint(contentsOf: place.appendingPathComponent(Trials.model))
      )
    }
    let configuration = try RunConfiguration.ensemble(of: members, fusion: kind)
    let images = try await TrainingData(
      folder: path, configuration: configuration, reusing: data, progress: progress)
    data = images
    let fused = try Checkpoint.fused(members, fusion: kind, on: images, device: device)
    let file = folder(of: key).appendingPathComponent(Trials.model)
    try fused.write(to: file)
    return try Trials.evaluate(file, fused, data: images, device: device, progress: progress)
  }
}
