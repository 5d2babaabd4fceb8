import Foundation
import Norma
import Reporting
import Torch

/// How time grows with images, and with tokens where a method has them: measured, fitted by a line, plotted.
struct BenchScaling {
  /// One kind of work over growing amounts.
  struct Curve: Equatable {
    let method: String
    let work: String
    /// What is counted: images or tokens.
    let unit: String
    /// Seconds of every round at each amount, by rising amount.
    let points: [(amount: Int, seconds: [Double])]

    static func == (a: Curve, b: Curve) -> Bool {
      a.work == b.work && a.unit == b.unit && a.points.elementsEqual(b.points) { $0 == $1 }
    }

    var medians: [(x: Double, y: Double)] {
      points.map { (x: Double($0.amount), y: BenchRow.median($0.seconds)) }
    }
    var fit: LineFit? { LineFit(medians) }
  }

  /// Amounts of one kind of work.
  private struct Ladder {
    let work: String
    let unit: String
    var steps: [(amount: Int, run: () throws -> Double)] = []
  }

  private let method: String
  private let ladders: [Ladder]
  private let rounds: Int
  private let console: Console

  init(
    _ configuration: RunConfiguration, tasks: [String], rounds: Int, on device: Device, console: Console
  ) throws {
    (method, self.rounds, self.console) = (configuration.detector.method.rawValue, rounds, console)
    let all =
      if let tokens = configuration.detector.settings as? TokenMaskingConfiguration {
        try Self.overTokens(tokens, configuration.training, on: device)
      } else { try Self.overImages(configuration, on: device) }
    try BenchCommand.check(tasks, among: all.map(\.work), option: "--task")
    ladders = all.filter { tasks.isEmpty || tasks.contains($0.work) }
  }

  /// Training and scoring of 1, 2, 4 and 8 times the images of a cycle, or of a batch.
  private static func overImages(_ configuration: RunConfiguration, on device: Device) throws -> [Ladder] {
    let workload = try Workload(configuration, device: device)
    var (train, score) = (Ladder(work: "train", unit: "images"), Ladder(work: "score", unit: "images"))
    let cycle = try workload.train(cycles: 1).images
    for times in [1, 2, 4, 8] {
      train.steps.append((times * cycle, { try workload.train(cycles: times).seconds }))
      score.steps.append(
        (
          times * configuration.training.batchSize,
          { try workload.score(by: workload.defaultScore, batches: times).seconds }
        ))
    }
    return cycle > 0 ? [train, score] : [score]
  }

  /// Steps of the transformer, healing and whole images with a quarter, half, three quarters and all of the side.
  private static func overTokens(
    _ settings: TokenMaskingConfiguration, _ training: TrainingConfiguration, on device: Device
  ) throws -> [Ladder] {
    let tasks = [TokenMaskingWorkload.Task.train, .heal, .scoreOne]
    var ladders = tasks.map { Ladder(work: $0.rawValue, unit: "tokens") }
    let cell = 1 << settings.autoencoder.levels
    for quarters in 1...4 {
      var settings = settings
      settings.imageSize = max(cell, settings.imageSize * quarters / 4 / cell * cell)
      settings.volume = settings.volume.map { max(cell, $0 * quarters / 4 / cell * cell) }
      let workload = try TokenMaskingWorkload(settings, training: training, device: device)
      for (index, task) in tasks.enumerated() {
        ladders[index].steps.append((workload.tokens, { try workload.run(task, count: 1).seconds }))
      }
    }
    return ladders
  }

  /// Every amount once to warm up, then in turn, round by round.
  func measured() throws -> [Curve] {
    let total = (rounds + 1) * ladders.map(\.steps.count).reduce(0, +)
    var done = 0
    return try ladders.map { ladder in
      var seconds = ladder.steps.map { _ in [Double]() }
      for round in 0...rounds {
        for (index, step) in ladder.steps.enumerated() {
          let took = try step.run()
          if round > 0 { seconds[index].append(took) }
          done += 1
          console.show(WorkProgress(ladder.work, done: done, total: total, unit: "runs"))
        }
      }
      return Curve(
        method: method, work: ladder.work, unit: ladder.unit,
        points: zip(ladder.steps, seconds).map { ($0.amount, $1) })
    }
  }

  // MARK: Writing

  /// `scaling.csv`, a plot for each kind of work, and a line of text or JSON for each.
  static func write(_ curves: [Curve], to folder: String, isJSON: Bool, hardware: String) throws {
    let url = URL(fileURLWithPath: folder)
    let table = url.appendingPathComponent("scaling.csv")
    try OutputFolder.make(for: table)
    try save(csv(curves), to: table)
    if !isJSON { print("\(hardware)") }
    for curve in curves {
      let file = url.appendingPathComponent("scaling-\(curve.work).svg")
      try save(PlotStyle.standalone(plot(curve).svg), to: file)
      if isJSON { try printJSON(object(curve, hardware: hardware)) } else { print("\(line(curve)): \(file.path)") }
    }
  }

  private static func save(_ text: String, to file: URL) throws {
    do { try text.write(to: file, atomically: true, encoding: .utf8) } catch {
      throw OutputError(path: file.path, reason: error.localizedDescription)
    }
  }

  /// A row per kind of work and amount: median, extremes, and the line's height.
  static func csv(_ curves: [Curve]) -> String {
    let rows = curves.flatMap { curve in
      zip(curve.points, curve.medians).map { point, median in
        let fitted = curve.fit.map { "\($0.height(at: median.x))" } ?? ""
        return "\(curve.method),\(curve.work),\(curve.unit),\(point.amount),\(median.y),"
          + "\(point.seconds.min() ?? .nan),\(point.seconds.max() ?? .nan),\(fitted)\n"
      }
    }
    return "method,work,unit,amount,seconds,least,most,fitted\n" + rows.joined()
  }

  static func line(_ curve: Curve) -> String {
    let amounts = curve.points.map(\.amount)
    let range = "\(curve.work), \(amounts.min() ?? 0) to \(amounts.max() ?? 0) \(curve.unit)"
    guard let fit = curve.fit else { return range }
    return range
      + String(format: ": %.3g ms for each, %.3g ms beside, R² %.5f", 1000 * fit.slope, 1000 * fit.intercept, fit.r2)
  }

  static func object(_ curve: Curve, hardware: String) -> [String: Any] {
    var object: [String: Any] = [
      "method": curve.method, "work": curve.work, "unit": curve.unit, "hardware": hardware,
      "amounts": curve.points.map(\.amount), "seconds": curve.medians.map(\.y),
    ]
    if let fit = curve.fit {
      (object["secondsPerUnit"], object["secondsBeside"], object["r2"]) = (fit.slope, fit.intercept, fit.r2)
    }
    return object
  }

  static func plot(_ curve: Curve) -> LinePlot {
    let medians = curve.medians
    var series = [
      LinePlot.Series(
        name: "median of \(curve.points.first?.seconds.count ?? 0) rounds",
        points: medians.map { .init(x: $0.x, y: $0.y) },
        whiskers: curve.points.map { point in
          guard let least = point.seconds.min(), let most = point.seconds.max() else { return nil }
          return least...most
        }, marksPoints: true)
    ]
    if let fit = curve.fit, let last = medians.last {
      series.append(
        .init(
          name: String(format: "line, R² %.4f", fit.r2),
          points: [0, last.x].map { .init(x: $0, y: fit.height(at: $0)) }, isReference: true))
    }
    return LinePlot(
      title: "\(curve.method), \(curve.work): time against \(curve.unit)",
      x: .init(label: curve.unit.prefix(1).uppercased() + curve.unit.dropFirst(), isWhole: true),
      y: .init(label: "Seconds"), series: series)
  }
}
