public import Evaluation

extension LinePlot {
  /// ROC curves, each named with its AUROC, and the diagonal of chance.
  public static func roc(_ curves: [(name: String, curve: ROCCurve)], title: String = "ROC curve") -> LinePlot {
    LinePlot(
      title: title, x: Axis(label: "False positive rate", range: 0...1),
      y: Axis(label: "True positive rate", range: 0...1),
      series: curves.map { name, curve in
        Series(
          name: "\(name), AUROC \(FigureFormat.rate(curve.area))",
          points: curve.points.map { Point(x: $0.falsePositiveRate, y: $0.truePositiveRate) })
      } + [Series(name: "chance", points: [Point(x: 0, y: 0), Point(x: 1, y: 1)], isReference: true)])
  }

  /// Precision-recall curves as steps, each named with its average precision, and the share of abnormal cases: chance.
  public static func precisionRecall(
    _ curves: [(name: String, curve: PrecisionRecallCurve)], title: String = "Precision-recall curve"
  ) -> LinePlot {
    let prevalences = curves.map(\.curve.prevalence)
    let chance = prevalences.first.map { prevalence in
      Series(
        name: "chance, \(FigureFormat.rate(prevalence)) abnormal",
        points: [Point(x: 0, y: prevalence), Point(x: 1, y: prevalence)], isReference: true)
    }
    return LinePlot(
      title: title, x: Axis(label: "Recall", range: 0...1), y: Axis(label: "Precision", range: 0...1),
      series: curves.map { name, curve in
        Series(
          name: "\(name), AP \(FigureFormat.rate(curve.averagePrecision))",
          points: curve.points.reversed().map { Point(x: $0.recall, y: $0.precision) }, interpolation: .stepBefore)
      } + (Set(prevalences).count == 1 ? [chance].compactMap { $0 } : []))
  }
}
