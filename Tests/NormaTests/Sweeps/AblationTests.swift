import Testing

@testable import Norma

@Suite("Switches of methods")
struct AblationTests {
  /// Every switch with a preset of its method.
  static let cases = Preset.allCases.flatMap { preset -> [(Preset, Ablation)] in
    guard let method = try? preset.configuration().detector.method else { return [] }
    return method.ablations.map { (preset, $0) }
  }

  @Test("Every switch fits every preset of its method but for grids of patches that are too fine", arguments: cases)
  func fits(_ preset: Preset, _ ablation: Ablation) throws {
    let configuration = try preset.configuration()
    do {
      let changed = try ablation.applied(to: configuration)
      try changed.validate()
      #expect(changed.detector.method == configuration.detector.method && changed.seed == configuration.seed)
      #expect(ablation.changes(configuration) == (changed != configuration))
    } catch {
      // A side of 64 has no 8×8 patches whose maps halve four times.
      #expect(ablation.name.hasPrefix("grid-"), "\(preset) \(ablation.name): \(error)")
      #expect(!ablation.changes(configuration))
    }
  }

  @Test("Every switch changes a preset of its method", arguments: DetectionMethod.allCases)
  func changes(_ method: DetectionMethod) throws {
    let presets = try Preset.allCases.map { try $0.configuration() }.filter { $0.detector.method == method }
    for ablation in method.ablations {
      #expect(presets.contains { ablation.changes($0) }, "\(ablation.name)")
      #expect(!ablation.summary.isEmpty && ablation.summary.hasSuffix(".") && !ablation.settings.isEmpty)
      #expect(try method.ablation(named: ablation.name.uppercased()) == ablation)
    }
    #expect(Set(method.ablations.map(\.name)).count == method.ablations.count)
    #expect(Set(method.ablations.map(\.settings)).count == method.ablations.count)
  }

  @Test("The rows of SimSID's Table II are there, and set what they name")
  func tableII() throws {
    let rows = SimSIDConfiguration.ablations.filter { $0.source.hasPrefix("Table II") }
    #expect(rows.count == 13)
    func settings(_ name: String) throws -> SimSIDConfiguration {
      let changed = try DetectionMethod.simSID.ablation(named: name)
        .applied(to: Preset.simSIDLaptop64.configuration())
      return try #require(changed.detector.settings as? SimSIDConfiguration)
    }
    #expect(try !settings("no-spatial-memory").spaceAware)
    #expect(try !settings("no-skips").skips)
    #expect(try settings("no-inpainting").inpainting == .off)
    #expect(try settings("memory-without-neighbours").inpainting == .memoryOnly)
    #expect(try settings("no-decoder-memory").decoderMemories == [.none, .none])
    #expect(try !settings("no-distillation").distillation)
    #expect(try settings("no-stop-gradient").teacherStopGradient == .skips)
    #expect(try settings("no-stop-gradient-at-all").teacherStopGradient == .none)
    #expect(try settings("no-shrinkage").shrinkage == .none)
    #expect(try settings("hard-shrinkage").shrinkage == .hard)
    #expect(try settings("memory-queue").inpaintMemory == .queue)
    #expect(try settings("convolution").inpaintMixer == .convolution)
    let pixels = try settings("pixel-inpainting")
    #expect(pixels.inpainting == .off && pixels.pixelMaskRatio == 0.25)
  }

  @Test("A name that is none is told with those that are")
  func unknown() {
    let error = #expect(throws: ConfigurationError.self) { try DetectionMethod.memMCMAE.ablation(named: "no-memry") }
    #expect(
      error?.description.hasPrefix("there is no ablation of memmc-mae 'no-memry'; choose one of no-memory, ") == true)
    #expect(throws: ConfigurationError.self) { try DetectionMethod.bandEnergy.ablation(named: "all") }
  }
}
