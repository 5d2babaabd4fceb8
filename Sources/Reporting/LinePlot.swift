public import Evaluation

/// Lines over two axes, as SVG: ROC and precision-recall curves, learning curves.
public struct LinePlot: Equatable, Sendable {
  /// A point of a line, in the units of the axes. Points that are not finite interrupt the line.
  public struct Point: Equatable, Sendable {
    /// Along the horizontal axis.
    public var x: Double
    /// Along the vertical axis.
    public var y: Double

    /// Creates a point.
    public init(x: Double, y: Double) {
      self.x = x
      self.y = y
    }
  }

  /// How points are joined.
  public enum Interpolation: Sendable {
    /// Straight from point to point.
    case straight
    /// First to the new height, then across: the height at x holds back to the previous point.
    case stepBefore
    /// First across, then to the new height: the height at x holds up to the next point.
    case stepAfter
  }

  /// One line.
  public struct Series: Equatable, Sendable {
    /// What the legend says.
    public var name: String
    /// The points, in drawing order.
    public var points: [Point]
    /// How they are joined.
    public var interpolation: Interpolation
    /// A reference, such as chance: thin, dashed and grey.
    public var isReference: Bool
    /// How far a band reaches above and below each point, such as a standard deviation; empty: there is no band.
    public var spreads: [Double]
    /// A band on a grid of its own, such as a bootstrap's; takes the place of `spreads`.
    public var interval: CurveBand?
    /// From where to where a whisker reaches at each point, such as an interval; empty: there are none.
    public var whiskers: [ClosedRange<Double>?]
    /// What a resting pointer is told about each point beside its values; empty: nothing.
    public var remarks: [String]
    /// Whether points are marked: where they are few, and the line between them is a guide to the eye.
    public var marksPoints: Bool

    /// Creates a line.
    public init(
      name: String, points: [Point], interpolation: Interpolation = .straight, isReference: Bool = false,
      spreads: [Double] = [], interval: CurveBand? = nil, whiskers: [ClosedRange<Double>?] = [], remarks: [String] = [],
      marksPoints: Bool = false
    ) {
      (self.interval, self.whiskers, self.remarks) = (interval, whiskers, remarks)
      self.name = name
      self.points = points
      self.interpolation = interpolation
      self.isReference = isReference
      self.spreads = spreads
      self.marksPoints = marksPoints
    }

    /// The ends of the band at every point that has one.
    var band: [(x: Double, lower: Double, upper: Double)] {
      if let interval { return interval.points.map { (x: $0.x, lower: $0.lower, upper: $0.upper) } }
      return zip(points, spreads).filter { $0.x.isFinite && $0.y.isFinite && $1.isFinite }.map {
        (x: $0.x, lower: $0.y - $1, upper: $0.y + $1)
      }
    }
  }

  /// One axis.
  public struct Axis: Equatable, Sendable {
    /// What it shows, with its unit.
    public var label: String
    /// From where to where; nil follows the data, upwards and downwards to round numbers.
    public var range: ClosedRange<Double>?
    /// Whether it counts, such as epochs: only whole numbers are labelled.
    public var isWhole: Bool

    /// Creates an axis.
    public init(label: String, range: ClosedRange<Double>? = nil, isWhole: Bool = false) {
      self.label = label
      self.isWhole = isWhole
      self.range = range
    }
  }

  /// The heading.
  public var title: String
  /// The horizontal axis.
  public var x: Axis
  /// The vertical axis.
  public var y: Axis
  /// The lines, in the order of the legend.
  public var series: [Series]

  /// Creates a plot.
  public init(title: String, x: Axis, y: Axis, series: [Series]) {
    self.title = title
    self.x = x
    self.y = y
    self.series = series
  }
}
