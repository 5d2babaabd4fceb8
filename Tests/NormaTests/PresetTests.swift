import Testing

@testable import Norma

@Suite("Presets")
struct PresetTests {
  @Test("Every preset reads as a valid configuration under the seed 1", arguments: Preset.allCases)
  func presetsAreValid(_ preset: Preset) throws {
    let configuration = try preset.configuration()
    try configuration.validate()
    #expect(configuration.seed == 1)
    #expect(try Preset(named: preset.rawValue.uppercased()) == preset)
  }

  /// One column of the table of settings of the paper and of the official configurations.
  struct Column: Sendable {
    let preset: Preset
    var patchGrid = 2
    var slots = 200
    var memory = SimSIDConfiguration.InpaintMemory.matrix
    var retention = 1.0
    var decoderRetention = 1.0
    var output = SimSIDConfiguration.Output.tanh
    var intensity = InputConfiguration.Intensity.symmetric
    var finalRate = 1e-5
    var period = 300
    var discriminatorFollows = false
    var epochs: Int
    var checkpoint = TrainingConfiguration.CheckpointRule.bestValidation
    var discriminatorChannels = 256
    var sampling = AugmentationConfiguration.Sampling.nearest
  }

  static let columns = [
    Column(
      preset: .simSIDPaper, patchGrid: 4, slots: 100, finalRate: 2e-5, period: 0, discriminatorFollows: true,
      epochs: 200, checkpoint: .last, sampling: .linear),
    Column(preset: .simSIDOfficialZhangLab, memory: .queue, epochs: 1000),
    Column(preset: .simSIDOfficialCheXpert, retention: 0.9, finalRate: 5e-5, epochs: 600),
    Column(preset: .simSIDOfficialCOVIDx, epochs: 300),
    Column(
      preset: .squid, memory: .queue, retention: 0.95, decoderRetention: 0.95, output: .sigmoid, intensity: .unit,
      epochs: 200, discriminatorChannels: 128),
  ]

  @Test("The published presets hold the published numbers", arguments: columns)
  func publishedNumbers(_ column: Column) throws {
    let configuration = try column.preset.configuration()
    guard let settings = configuration.detector.settings as? SimSIDConfiguration else {
      Issue.record("\(column.preset) is no SimSID")
      return
    }
    #expect(settings.patchGrid == column.patchGrid)
    #expect(settings.slots == column.slots)
    #expect(settings.activeItems == 5 && settings.strictThreshold)
    #expect(settings.inpaintMemory == column.memory)
    #expect(settings.decoderMemories == [.windows, .windows] && settings.decoderWindows == 4)
    #expect(settings.inpaintRetention == column.retention)
    #expect(settings.decoderRetention == column.decoderRetention)
    #expect(settings.imageSize == 128 && settings.width == 32)
    #expect(settings.output == column.output)
    #expect(settings.discriminatorChannels == column.discriminatorChannels)
    #expect(settings.learningRate == 1e-4)
    #expect(settings.finalLearningRate == column.finalRate)
    #expect(settings.cosinePeriod == column.period)
    #expect(settings.discriminatorFollowsSchedule == column.discriminatorFollows)
    #expect(settings.weightDecay == 1e-5)
    #expect(settings.criticIterations == 2)
    let weights = settings.lossWeights
    #expect(
      [weights.teacher, weights.student, weights.distillation, weights.generator, weights.discriminator]
        == [0.01, 10, 0.001, 0.005, 0.005])
    #expect(configuration.input.intensity == column.intensity)
    #expect(configuration.training.epochs == column.epochs)
    #expect(configuration.training.batchSize == 16)
    #expect(configuration.training.checkpoint == column.checkpoint)
    #expect(configuration.augmentation.translation == 0.05 && configuration.augmentation.scale == 0.05)
    #expect(configuration.augmentation.interpolation == column.sampling)
    #expect(configuration.data.contamination == 0)
  }

  @Test("The defaults of SimSID are the paper's preset")
  func defaultsArePaper() throws {
    #expect(try Preset.simSIDPaper.configuration().detector == DetectorSettings(SimSIDConfiguration()))
    #expect(
      RunConfiguration(detector: DetectorSettings(.autoencoder)).detector
        == DetectorSettings(AutoencoderConfiguration()))
    #expect(try Preset.bandEnergy.configuration().detector == DetectorSettings(BandEnergyConfiguration()))
  }

  @Test("A preset that does not exist is named with those that do")
  func unknownPreset() {
    let known = Preset.allCases.map(\.rawValue).joined(separator: ", ")
    #expect(throws: ConfigurationError.self) { try Preset(named: "simsid-best") }
    do { _ = try Preset(named: "simsid-best") } catch {
      #expect(error.description == "there is no preset 'simsid-best'; choose one of \(known)")
    }
  }

  @Test("Settings of the command line change a preset")
  func overrides() throws {
    #expect(try Preset.simSIDDemo.configuration(overrides: ["training.epochs=3"]).training.epochs == 3)
  }
}
