import Foundation
import Testing

@testable import Norma

@Suite("Reading configurations")
struct ConfigurationFileTests {
  private func message(_ yaml: String, set overrides: [String] = [], base: RunConfiguration? = nil) -> String {
    do {
      _ = try ConfigurationFile.read(yaml: yaml, source: "run.yaml", base: base, overrides: overrides)
      return "no error"
    } catch { return error.description }
  }

  @Test(
    "An unknown key is named in full, with the nearest known one",
    arguments: [
      ("method: simsid\nsead: 2", "configuration key 'sead' does not exist; did you mean 'seed'?"),
      (
        "method: simsid\ntraining: {epoch: 3}",
        "configuration key 'training.epoch' does not exist; did you mean 'training.epochs'?"
      ),
      (
        "method: simsid\ndetector: {lossWeights: {studnet: 1}}",
        "configuration key 'detector.lossWeights.studnet' does not exist; did you mean 'detector.lossWeights.student'?"
      ),
      (
        "method: simsid\ndetector: {PATCHGRID: 2}",
        "configuration key 'detector.PATCHGRID' does not exist; did you mean 'detector.patchGrid'?"
      ),
      (
        "method: simsid\ninput: {percentile: [1, 99]}",
        "configuration key 'input.percentile' does not exist; did you mean 'input.percentiles'?"
      ),
      (
        "method: simsid\ninput: {clahe: {cliplimit: 0.01}}",
        "configuration key 'input.clahe.cliplimit' does not exist; did you mean 'input.clahe.clipLimit'?"
      ),
      ("method: simsid\nquizzical: 2", "configuration key 'quizzical' does not exist"),
      (
        "method: band-energy\ndetector: {slots: 2}",
        "configuration key 'detector.slots' does not exist"
      ),
    ])
  func unknownKeys(_ yaml: String, _ expected: String) {
    #expect(message(yaml) == expected)
  }

  @Test(
    "A value of the wrong kind is named with the kind that belongs there",
    arguments: [
      ("seed: many", "configuration key 'seed' must be a whole number"),
      ("seed: 1.5", "configuration key 'seed' must be a whole number"),
      ("seed:", "configuration key 'seed' must be a whole number"),
      ("augmentation: {scale: true}", "configuration key 'augmentation.scale' must be a finite number"),
      ("detector: {skips: 1}", "configuration key 'detector.skips' must be true or false"),
      ("data: {normalClass: [a]}", "configuration key 'data.normalClass' must be a text"),
      ("detector: {decoderMemories: windows}", "configuration key 'detector.decoderMemories' must be a list"),
      ("training: 5", "configuration key 'training' must be a group of keys: \(trainingKeys)"),
      (
        "detector: {learningRate: .inf}",
        "configuration key 'detector.learningRate' must be a finite number"
      ),
    ])
  func wrongTypes(_ yaml: String, _ expected: String) {
    #expect(message("method: simsid\n" + yaml) == expected)
  }

  private static let trainingKeys = "batchSize, checkpoint, checkpointInterval, epochs, precision, weightAverage"

  @Test(
    "A choice that does not exist is named with those that do",
    arguments: [
      (
        "training: {checkpoint: best}",
        "configuration key 'training.checkpoint' is best; it may be last, average or bestValidation"
      ),
      (
        "augmentation: {interpolation: 5}",
        "configuration key 'augmentation.interpolation' is 5; it may be nearest or linear"
      ),
      (
        "detector: {decoderMemories: [windows, window]}",
        "configuration key 'detector.decoderMemories[1]' is window; it may be windows, perPatch or none"
      ),
      ("input: {aspect: keep}", "configuration key 'input.aspect' is keep; it may be stretch or pad"),
      ("input: {crop: lung}", "configuration key 'input.crop' is lung; it may be none or body"),
      ("detector: {output: relu}", "configuration key 'detector.output' is relu; it may be tanh or sigmoid"),
    ])
  func wrongChoices(_ yaml: String, _ expected: String) {
    #expect(message("method: simsid\n" + yaml) == expected)
  }

  @Test(
    "A value out of range is named with the range",
    arguments: [
      ("seed: -1", "configuration key 'seed' is -1; it may be 0 or more"),
      ("training: {batchSize: 1}", "configuration key 'training.batchSize' is 1; it may be 2 or more"),
      ("input: {deviations: 0}", "configuration key 'input.deviations' is 0.0; it may be above 0"),
      (
        "input: {percentiles: [99, 1]}",
        "configuration key 'input.percentiles' is [99.0, 1.0]; it may be two ascending numbers of 0 to 100, or empty"
      ),
      (
        "input: {pairedPercentiles: [1, 101]}",
        "configuration key 'input.pairedPercentiles' is [1.0, 101.0]; it may be two ascending numbers of 0 to 100, or empty"
      ),
      (
        "input: {percentiles: [1, 99], window: [0, 15]}",
        "configuration key 'input.percentiles' is [1.0, 99.0]; it may be empty while input.window fixes black and white; "
          + "give one of the two"
      ),
      (
        "input: {clahe: {clipLimit: 2}}",
        "configuration key 'input.clahe.clipLimit' is 2.0; it may be 0 (off) to 1"
      ),
      ("input: {clahe: {tiles: 0}}", "configuration key 'input.clahe.tiles' is 0; it may be 1 to 64"),
      (
        "input: {spacing: [1, 2, 3]}",
        "configuration key 'input.spacing' is [1.0, 2.0, 3.0]; it may be two numbers, for y and x, of 0.001 to 1000 "
          + "millimetres, or empty"
      ),
      ("augmentation: {translation: 0.6}", "configuration key 'augmentation.translation' is 0.6; it may be 0 to 0.5"),
      (
        "training: {checkpoint: average}",
        "configuration key 'training.checkpoint' is average; it may be last or bestValidation while "
          + "training.weightAverage is 0"
      ),
      (
        "training: {checkpoint: bestValidation}",
        "configuration key 'training.checkpoint' is bestValidation; it may be last or average unless "
          + "data.validationNormal and data.validationAbnormal are above 0"
      ),
      (
        "data: {memoryLimit: 9223372036854775807}",
        "configuration key 'data.memoryLimit' is 9223372036854775807; it may be 0 to 1000000000 megabytes"
      ),
      (
        "data: {trainingImages: -1}",
        "configuration key 'data.trainingImages' is -1; it may be 0 (as many as are normal) or a number"
      ),
      ("calibration: {quantile: 1}", "configuration key 'calibration.quantile' is 1.0; it may be 0 to below 1"),
      ("detector: {patchGrid: 3}", "configuration key 'detector.patchGrid' is 3; it may be 1, 2, 4 or 8"),
      (
        "detector: {imageSize: 1099511627776}",
        "configuration key 'detector.imageSize' is 1099511627776; it may be at most 8192"
      ),
    ])
  func valuesOutOfRange(_ yaml: String, _ expected: String) {
    #expect(message("method: simsid\n" + yaml) == expected)
  }

  @Test("Settings of the command line come last and reach into groups")
  func overrides() throws {
    let configuration = try ConfigurationFile.read(
      yaml: "method: simsid\ntraining: {epochs: 3}", source: "run.yaml",
      overrides: [
        "training.epochs=7", "detector.lossWeights.student=2.5", "detector.decoderMemories=[none, perPatch]",
        "data.normalClass=GOOD", "detector.skips=false",
      ])
    var settings = SimSIDConfiguration()
    settings.lossWeights.student = 2.5
    settings.decoderMemories = [.none, .perPatch]
    settings.skips = false
    #expect(configuration.training.epochs == 7)
    #expect(configuration.data.normalClass == "GOOD")
    #expect(configuration.detector == DetectorSettings(settings))
  }

  @Test("A class may be called by a number", arguments: ["0", "12", "0,2"])
  func numberedClass(_ name: String) throws {
    for configuration in [
      try ConfigurationFile.read(yaml: "method: simsid\ndata: {normalClass: \"\(name)\"}", source: "run.yaml"),
      try ConfigurationFile.read(yaml: "method: simsid", source: "run.yaml", overrides: ["data.normalClass=\(name)"]),
    ] {
      #expect(configuration.data.normalClass == name)
      let written = try ConfigurationFile.read(yaml: ConfigurationFile.yaml(configuration), source: "again")
      #expect(written.data.normalClass == name)
    }
  }

  @Test("A setting without key or value is refused", arguments: ["seed", "=5", "training..epochs=5", ".=1", "seed.=1"])
  func badOverrides(_ text: String) {
    #expect(
      message("method: simsid", set: [text])
        == "configuration key '--set' is '\(text)'; it may be KEY=VALUE, for example training.epochs=20")
  }

  @Test("A setting that names no key is as wrong as in a file")
  func unknownOverride() {
    #expect(
      message("method: simsid", set: ["training.epoch=20"])
        == "configuration key 'training.epoch' does not exist; did you mean 'training.epochs'?")
    #expect(message("method: simsid", set: ["seed=[1"]) == "--set seed=[1 is no valid YAML: the value cannot be parsed")
  }

  @Test("Text that is no YAML is named by its source")
  func noYAML() {
    #expect(message("method: [simsid").hasPrefix("run.yaml is no valid YAML: "))
    #expect(message("just words") == "run.yaml is no valid YAML: it holds no keys")
    #expect(message("seed: 1\nseed: 2\nmethod: simsid").hasPrefix("run.yaml is no valid YAML: "))
  }

  @Test("The method must be given and exist")
  func methods() throws {
    let known = DetectionMethod.trainable.map(\.rawValue).joined(separator: ", ")
    #expect(message("seed: 1") == "configuration key 'method' must be given: \(known)")
    #expect(message("") == "configuration key 'method' must be given: \(known)")
    #expect(message("method: simsad") == "there is no method 'simsad'; choose one of \(known)")
    #expect(message("method: 5") == "there is no method '5'; choose one of \(known)")
    let base = RunConfiguration(detector: DetectorSettings(.bandEnergy))
    #expect(
      message("method: simsid", base: base)
        == "configuration key 'method' is simsid; it may be band-energy, the method of what it changes")
    let capitals = try ConfigurationFile.read(yaml: "method: SimSID", source: "run.yaml")
    #expect(capitals == RunConfiguration(detector: DetectorSettings(.simSID)))
  }

  @Test("Changes of a base leave the rest alone")
  func base() throws {
    var base = Fixtures.tinySimSID()
    base.seed = 9
    let changed = try ConfigurationFile.read(yaml: "training: {epochs: 5}", source: "run.yaml", base: base)
    base.training.epochs = 5
    #expect(changed == base)
    #expect(try ConfigurationFile.read(yaml: "", source: "run.yaml", base: base) == base)
  }

  @Test("Every preset, written whole as YAML, reads back as itself", arguments: Preset.allCases)
  func roundTrip(_ preset: Preset) throws {
    var configuration = try preset.configuration()
    configuration.data.normalClass = "no: finding"
    configuration.augmentation.scale = 0.1 + 0.2
    let yaml = try ConfigurationFile.yaml(configuration)
    #expect(try ConfigurationFile.read(yaml: yaml, source: "written") == configuration)
  }

  @Test("YAML is written for people to read")
  func yaml() throws {
    #expect(
      try ConfigurationFile.yaml(RunConfiguration(detector: DetectorSettings(.bandEnergy))) == """
        augmentation:
          horizontalFlip: false
          interpolation: linear
          scale: 0.05
          smallestCrop: 1.0
          translation: 0.05
        calibration:
          moments: training
          quantile: 0.95
        data:
          abnormalPool: train
          contamination: 0.0
          limit: 0
          memoryLimit: 4096
          normalClass: ''
          part: ''
          set: ''
          trainingImages: 0
          uncertain: ignore
          validationAbnormal: 0
          validationNormal: 0
        detector:
          grid: 8
          imageSize: 128
          lowPass: true
          margin: 0
          neighbours: 5
          sigmas: [1.0, 2.0, 4.0, 8.0, 16.0]
        input:
          aspect: stretch
          clahe:
            clipLimit: 0.0
            tiles: 8
          crop: none
          deviations: 3.0
          gather: max
          intensity: symmetric
          overlap: 0.5
          pairedPercentiles: []
          pairedWindow: []
          percentiles: []
          plane: axial
          sliceStep: 1
          spacing: []
          views: whole
          viewsPerImage: 0
          window: []
        method: band-energy
        seed: 1
        training:
          batchSize: 16
          checkpoint: last
          checkpointInterval: 10
          epochs: 200
          precision: float32
          weightAverage: 0.0

        """)
  }

  @Test("A file is read by its path; one that is missing is named")
  func files() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("run.yaml", Data("method: band-energy\nseed: 4\n".utf8))
    #expect(try ConfigurationFile.read(path: path).seed == 4)
    #expect(throws: ConfigurationError.unreadable(path: path + "x")) { try ConfigurationFile.read(path: path + "x") }
    #expect(
      ConfigurationError.unreadable(path: "a.yaml").description
        == "the configuration a.yaml cannot be read; check the path")
  }

  @Test("Only a key that could be meant is suggested")
  func suggestions() {
    #expect(ConfigurationFile.nearest(to: "sed", among: ["seed", "data"]) == "seed")
    #expect(ConfigurationFile.nearest(to: "zzzzzz", among: ["seed", "data"]) == nil)
    #expect(ConfigurationFile.nearest(to: "seed", among: []) == nil)
  }
}
