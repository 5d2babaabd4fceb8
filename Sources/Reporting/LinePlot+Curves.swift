public import Evaluation

extension LinePlot {
  /// ROC curves, each named with its AUROC and, where given, with its band, and the diagonal of chance.
  public static func roc(
    _ curves: [(name: String, curve: ROCCurve)], bands: [CurveBand?] = [], title: String = "ROC curve"
  ) -> LinePlot {
    LinePlot(
      title: title, x: Axis(label: "False positive rate", range: 0...1),
      y: Axis(label: "True positive rate", range: 0...1),
      series: curves.enumerated().map { index, curve in
        Series(
          name: "\(curve.name), AUROC \(FigureFormat.rate(curve.curve.area))",
          points: curve.curve.points.map { Point(x: $0.falsePositiveRate, y: $0.truePositiveRate) },
          interval: index < bands.count ? bands[index] : nil)
      } + [Series(name: "chance", points: [Point(x: 0, y: 0), Point(x: 1, y: 1)], isReference: true)])
  }

  /// Precision-recall curves as steps, each named with its average precision and, where given, with its band, and the share
  /// of abnormal cases: chance.
  public static func precisionRecall(
    _ curves: [(name: String, curve: PrecisionRecallCurve)], bands: [CurveBand?] = [],
    title: String = "Precision-recall curve"
  ) -> LinePlot {
    let prevalences = curves.map(\.curve.prevalence)
    let chance = prevalences.first.map { prevalence in
      Series(
        name: "chance, \(FigureFormat.rate(prevalence)) abnormal",
        points: [Point(x: 0, y: prevalence), Point(x: 1, y: prevalence)], isReference: true)
    }
    return LinePlot(
      title: title, x: Axis(label: "Recall", range: 0...1), y: Axis(label: "Precision", range: 0...1),
      series: curves.enumerated().map { index, curve in
        Series(
          name: "\(curve.name), AP \(FigureFormat.rate(curve.curve.averagePrecision))",
          points: curve.curve.points.reversed().map { Point(x: $0.recall, y: $0.precision) },
          interpolation: .stepBefore, interval: index < bands.count ? bands[index] : nil)
      } + (Set(prevalences).count == 1 ? [chance].compactMap { $0 } : []))
  }

  /// Reliability diagrams: the share of abnormal cases over their mean probability, bin by bin with Wilson's 95 % intervals,
  /// and the diagonal of perfect calibration.
  public static func calibration(
    _ curves: [(name: String, curve: CalibrationCurve)], title: String = "Calibration"
  ) -> LinePlot {
    LinePlot(
      title: title, x: Axis(label: "Calibrated score", range: 0...1),
      y: Axis(label: "Share of abnormal cases", range: 0...1),
      series: curves.map { name, curve in
        Series(
          name: "\(name), expected error \(FigureFormat.rate(curve.expectedError))",
          points: curve.points.map { Point(x: $0.probability, y: $0.abnormalShare) },
          whiskers: curve.points.map { point in
            let abnormal = Int((point.abnormalShare * Double(point.count)).rounded())
            return (try? ConfidenceInterval(share: abnormal, of: point.count)).map { $0.lower...$0.upper }
          }, remarks: curve.points.map { "\($0.count) case\($0.count == 1 ? "" : "s")" }, marksPoints: true)
      } + [Series(name: "as often as told", points: [Point(x: 0, y: 0), Point(x: 1, y: 1)], isReference: true)])
  }

  /// Free-response curves up to the highest rate that `FROC.score` looks at, each named with that score.
  public static func froc(
    _ curves: [(name: String, curve: FROC)], title: String = "Lesions found (FROC)"
  ) -> LinePlot {
    let limit = FROC.ratesOfScore.max() ?? 8
    return LinePlot(
      title: title, x: Axis(label: "False positives per image", range: 0...limit),
      y: Axis(label: "Share of lesions found", range: 0...1),
      series: curves.map { name, curve in
        let inside = curve.points.filter { $0.falsePositivesPerImage <= limit }
          .map { Point(x: $0.falsePositivesPerImage, y: $0.sensitivity) }
        return Series(
          name: "\(name), mean sensitivity \(FigureFormat.rate(curve.score))",
          points: [Point(x: 0, y: 0)] + inside + [Point(x: limit, y: inside.last?.y ?? 0)], interpolation: .stepAfter)
      })
  }
}
