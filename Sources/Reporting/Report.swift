public import Evaluation
public import MedicalImaging

/// Everything a report page shows. Parts that are empty or nil are left out of the page.
public struct Report: Sendable {
  /// The page's heading.
  public var title: String
  /// One sentence below it: what was evaluated on what.
  public var subtitle: String
  /// The figures to see first.
  public var headlines: [Headline] = []
  /// All figures: with their uncertainty, per method or score, per threshold.
  public var figures: [FigureTable] = []
  /// ROC, precision-recall, calibration and whatever else is drawn.
  public var plots: [Plot] = []
  /// What was called what at one threshold.
  public var confusion: Confusion?
  /// Figures of anomaly maps against masks.
  public var localisation: [FigureTable] = []
  /// Figures of parts of the cases.
  public var subgroups: [FigureTable] = []
  /// Tests of differences between methods.
  public var comparisons: [FigureTable] = []
  /// Losses and figures over the epochs.
  public var learningCurves: [LinePlot] = []
  /// Example cases, in the order of the page.
  public var caseGroups: [CaseGroup] = []
  /// The colours of the cases' overlays.
  public var mapLegend: MapLegend?
  /// How the figures came about.
  public var record = Record()
  /// The configuration, as text. It is shown whole: leave out what readers must not see.
  public var configuration: String?
  /// Whether the names of cases are shown; they may identify patients. Otherwise cases are numbered.
  public var showsNames = false

  /// Starts a report; the rest is filled in through its properties.
  public init(title: String, subtitle: String = "") {
    self.title = title
    self.subtitle = subtitle
  }

  /// A figure in large type.
  public struct Headline: Equatable, Sendable {
    /// What it is, for example `AUROC`.
    public var name: String
    /// Its value as people read it, for example `0.912`.
    public var value: String
    /// How uncertain it is, in small type behind it: `± 0.008` or `0.880 to 0.940`; or nil.
    public var spread: String?
    /// A few words more, one line each.
    public var notes: [String]

    /// Creates a headline figure.
    public init(name: String, value: String, spread: String? = nil, notes: [String] = []) {
      (self.name, self.value, self.spread, self.notes) = (name, value, spread, notes)
    }

    /// The mean over trials with its deviation.
    public init(name: String, statistic: TrialStatistic, notes: [String] = []) {
      self.init(
        name: name, value: FigureFormat.rate(statistic.mean),
        spread: statistic.standardDeviation.map { "± \(FigureFormat.rate($0))" }, notes: notes)
    }

    /// A figure with its interval; where there is none, the reason is the last note.
    public init(name: String, estimate: Estimate, notes: [String] = []) {
      self.init(
        name: name, value: FigureFormat.rate(estimate.value), spread: estimate.interval.map(FigureFormat.interval),
        notes: notes + (estimate.reason.map { [$0] } ?? []))
    }
  }

  /// Something drawn.
  public enum Plot: Sendable {
    /// Lines over two axes.
    case lines(LinePlot)
    /// Two histograms.
    case histogram(Histogram)

    /// The plot as an `<svg>` element for a page that holds `PlotStyle.css`.
    public var svg: String {
      switch self {
      case .lines(let plot): plot.svg
      case .histogram(let histogram): histogram.svg
      }
    }
  }

  /// The confusion matrix at one threshold.
  public struct Confusion: Equatable, Sendable {
    /// The threshold, the rule that chose it, and the counts.
    public var point: OperatingPoint

    /// Shows an operating point's counts.
    public init(_ point: OperatingPoint) { self.point = point }
  }

  /// Cases that are shown for the same reason.
  public struct CaseGroup: Equatable, Sendable {
    /// What they have in common, for example `Worst misses`.
    public var title: String
    /// A sentence about them; or nil.
    public var note: String?
    /// The cases in order; may be empty where the note says why.
    public var cases: [Case]

    /// Creates a group.
    public init(title: String, note: String? = nil, cases: [Case]) {
      (self.title, self.note, self.cases) = (title, note, cases)
    }
  }

  /// One case with its pictures.
  public struct Case: Equatable, Sendable {
    /// What the case is called; shown only where the report shows names.
    public var name: String
    /// Its anomaly score.
    public var score: Double
    /// The truth; nil where it is not known.
    public var isAbnormal: Bool?
    /// A sentence about it, always shown; or nil.
    public var caption: String?
    /// Its pictures from left to right, usually input, reconstruction and overlay.
    public var pictures: [Picture]

    /// Creates a case.
    public init(name: String, score: Double, isAbnormal: Bool?, caption: String? = nil, pictures: [Picture]) {
      self.name = name
      self.score = score
      self.isAbnormal = isAbnormal
      self.caption = caption
      self.pictures = pictures
    }
  }

  /// A picture with what it shows.
  public struct Picture: Equatable, Sendable {
    /// For example `Input`; always shown.
    public var caption: String
    /// Grey or RGB; its range is black to white.
    public var image: Image2D

    /// Creates a picture.
    public init(caption: String, image: Image2D) {
      self.caption = caption
      self.image = image
    }
  }

  /// Which colour stands for which anomaly.
  public struct MapLegend: Equatable, Sendable {
    /// The colours.
    public var colourMap: ColourMap
    /// Map values of the first and the last colour.
    public var range: ClosedRange<Float>
    /// A few words more, for example `shared by all cases`; or nil.
    public var note: String?

    /// Creates a legend.
    public init(colourMap: ColourMap = .ember, range: ClosedRange<Float>, note: String? = nil) {
      self.colourMap = colourMap
      self.range = range
      self.note = note
    }
  }

  /// How the figures came about: what another person needs to get them again.
  public struct Record: Sendable {
    /// The program's version or commit.
    public var version: String?
    /// When the page was made.
    public var date: String?
    /// The seeds of the trials.
    public var seeds: [UInt64]
    /// The fingerprint of the data.
    public var dataFingerprint: String?
    /// Processor, accelerator and memory.
    public var hardware: String?
    /// How long training and scoring took.
    public var duration: Duration?
    /// How the checkpoint was picked, and whether labels took part.
    public var checkpointRule: String?
    /// What else is worth keeping, for example the command line.
    public var more: [(name: String, value: String)]

    /// Creates a record; what is not known stays nil.
    public init(
      version: String? = nil, date: String? = nil, seeds: [UInt64] = [], dataFingerprint: String? = nil,
      hardware: String? = nil, duration: Duration? = nil, checkpointRule: String? = nil,
      more: [(name: String, value: String)] = []
    ) {
      self.version = version
      self.date = date
      self.seeds = seeds
      self.dataFingerprint = dataFingerprint
      self.hardware = hardware
      self.duration = duration
      self.checkpointRule = checkpointRule
      self.more = more
    }

    /// The fields that are known, with their names.
    var fields: [(name: String, value: String)] {
      let known: [(String, String?)] = [
        ("Version", version), ("Date", date),
        (seeds.count == 1 ? "Seed" : "Seeds", seeds.isEmpty ? nil : seeds.map(String.init).joined(separator: ", ")),
        ("Data fingerprint", dataFingerprint), ("Hardware", hardware),
        ("Duration", duration.map(FigureFormat.duration)), ("Checkpoint picked by", checkpointRule),
      ]
      return known.compactMap { name, value in value.map { (name, $0) } } + more
    }
  }
}
