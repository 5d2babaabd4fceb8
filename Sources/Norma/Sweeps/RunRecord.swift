public import Evaluation
import Foundation

/// One run of a benchmark, as it stands in `results.jsonl`: what was run, on what, and what came out.
public struct RunRecord: Codable, Equatable, Sendable {
  /// Figures on one set of labelled images.
  public struct Scores: Codable, Equatable, Sendable {
    /// The score that ranks images.
    public var mainScore: String
    /// Figures by score.
    public var figures: [String: ClassificationFigures]
    /// 95 % confidence intervals of AUROC after DeLong by score, where they are defined.
    public var intervals: [String: ConfidenceInterval]

    /// The main score's figures.
    public var main: ClassificationFigures? { figures[mainScore] }
    /// The main score's interval.
    public var interval: ConfidenceInterval? { intervals[mainScore] }

    /// Puts figures together.
    public init(
      mainScore: String, figures: [String: ClassificationFigures], intervals: [String: ConfidenceInterval] = [:]
    ) {
      (self.mainScore, self.figures, self.intervals) = (mainScore, figures, intervals)
    }

    init(_ result: Evaluator.Result) throws {
      var intervals: [String: ConfidenceInterval] = [:]
      for (name, scores) in result.scores {
        let cases = try LabelledScores(scores: scores, labels: result.labels, names: result.names)
        guard min(cases.normalCount, cases.abnormalCount) >= 2 else { continue }
        intervals[name] = try DeLong(cases).interval()
      }
      self.init(mainScore: result.mainScore, figures: result.figures, intervals: intervals)
    }
  }

  /// Figures of one anomaly map.
  public struct Map: Codable, Equatable, Sendable {
    /// The map's name.
    public var name: String
    /// How well it finds what masks mark.
    public var figures: PixelFigures
  }

  /// What an ensemble was made of.
  public struct Fusion: Codable, Equatable, Sendable {
    /// Names of the fused methods.
    public var members: [String]
    /// How their scores were fused.
    public var fusion: String
    /// How many combinations were compared on the validation images; nil where nothing was chosen.
    public var combinations: Int?
    /// The chosen combination's AUROC on the labelled validation images, the mean over seeds; nil where nothing was chosen.
    public var validationAUROC: Double?

    /// Names a combination.
    public init(members: [String], fusion: String, combinations: Int? = nil, validationAUROC: Double? = nil) {
      (self.members, self.fusion) = (members, fusion)
      (self.combinations, self.validationAUROC) = (combinations, validationAUROC)
    }
  }

  /// The data set's name.
  public var dataSet: String
  /// The method's or ensemble's name.
  public var entry: String
  /// The switch's name; nil for the whole method.
  public var ablation: String?
  /// Share of abnormal training images.
  public var contamination: Double
  /// The seed.
  public var seed: Int
  /// The detection method.
  public var method = ""
  /// The run's configuration, that of an ensemble with its members' whole configurations; nil of a failed run.
  public var configuration: RunConfiguration?
  /// Of an ensemble, what it was made of.
  public var fusion: Fusion?
  /// Why the run failed, in one sentence; nil where it did not.
  public var failure: String?
  /// Figures on the test images; nil of a failed run.
  public var test: Scores?
  /// Figures on the labelled validation images; nil without any.
  public var validation: Scores?
  /// Figures of the maps, the default one first; empty without masks.
  public var maps: [Map] = []
  /// Images that were trained on.
  public var trainingImages = 0
  /// Epochs that were trained.
  public var epochs = 0
  /// Seconds of training by the clock.
  public var seconds = 0.0
  /// Seconds of the processor in training; nil where they were not counted.
  public var processorSeconds: Double?
  /// Test images scored per second, all scores of the method.
  public var imagesPerSecond = 0.0
  /// Bytes that the process had resident at most while it trained and evaluated; nil where it did not train or the system
  /// does not tell.
  public var peakMemory: Int?
  /// How the weights were chosen.
  public var checkpointRule = ""
  /// Content hash over the training images.
  public var dataFingerprint = ""
  /// Processor, threads and device of the training.
  public var hardware = ""
  /// Norma's version that trained.
  public var version = ""
  /// What people should know.
  public var warnings: [String] = []

  /// Which run.
  public var key: RunKey {
    RunKey(dataSet: dataSet, entry: entry, ablation: ablation, contamination: contamination, seed: seed)
  }

  /// A run of which nothing is known yet.
  public init(_ key: RunKey) {
    (dataSet, entry, ablation) = (key.dataSet, key.entry, key.ablation)
    (contamination, seed) = (key.contamination, key.seed)
  }

  /// A run that failed.
  init(_ key: RunKey, failure: any Error) {
    self.init(key)
    self.failure = "\(failure)"
  }

  /// A run that is trained and evaluated.
  init(_ key: RunKey, _ outcome: Trials.Outcome) throws {
    self.init(key)
    let (metadata, origin) = (outcome.metadata, outcome.metadata.origin)
    method = metadata.configuration.detector.method.rawValue
    configuration = metadata.configuration
    test = try Scores(outcome.test)
    validation = try outcome.validation.map(Scores.init)
    maps = outcome.localisation.maps.map { Map(name: $0.name, figures: $0.figures) }
    (trainingImages, epochs) = (origin.trainingImages, origin.epochs)
    (seconds, processorSeconds) = (origin.seconds, origin.processorSeconds)
    imagesPerSecond = outcome.imagesPerSecond
    (checkpointRule, dataFingerprint, hardware) = (origin.checkpointRule, origin.dataFingerprint, origin.hardware)
    version = metadata.version
    warnings = outcome.warnings
  }
}
