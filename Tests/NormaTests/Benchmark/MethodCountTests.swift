import Testing
import Torch

@testable import Norma

/// What methods ask for, counted while they run, against the shapes of their published networks.
@Suite("Operations of methods")
struct MethodCountTests {
  /// Multiply-adds of scoring one image, by its own score.
  private func counted(_ configuration: RunConfiguration, score: String) throws -> Double {
    let workload = try Workload(configuration, device: .cpu)
    _ = try workload.scoreEach(by: score, count: 0)  // builds the network
    let (done, count) = try OperationCount.of { try workload.scoreEach(by: score, count: 1) }
    #expect(done.images == 1)
    #expect(count.reducedMultiplyAdds == 0)
    return Double(count.multiplyAdds)
  }

  /// Three 3×3 convolutions, the first of which changes the channels; `side` is their results'.
  private func doubleConvolution(_ inputs: Int, _ outputs: Int, side: Int) -> Int {
    9 * side * side * outputs * (inputs + 2 * outputs)
  }

  @Test("SimSID's score takes encoder, memories, student and discriminator, and no teacher: 4.7 G at 128×128")
  func simSID() throws {
    var configuration = try Preset.simSIDPaper.configuration()
    configuration.training.batchSize = 2
    let patches = 16
    let levels = [(1, 32, 32), (32, 64, 16), (64, 128, 8), (128, 256, 4), (256, 512, 2)]
    let encoder = levels.map { patches * doubleConvolution($0.0, $0.1, side: $0.2) }.reduce(0, +)
    let patchwise = doubleConvolution(768, 256, side: 4) + doubleConvolution(384, 128, side: 8)
    let whole = doubleConvolution(128, 64, side: 64) + doubleConvolution(64, 32, side: 128)
    let decoder = patches * patchwise + whole + 32 * 128 * 128
    // 100 items of 512 numbers for each patch, and of 1,024 and 2,048 for each of its four windows, compared and mixed.
    let memories = patches * 2 * 100 * (512 + 4 * 1024 + 4 * 2048)
    let layers = [(1, 16, 64), (16, 32, 32), (32, 64, 16), (64, 128, 8), (128, 256, 4)]
    let discriminator = layers.map { 25 * $0.0 * $0.1 * $0.2 * $0.2 }.reduce(4096, +)
    // In-painting: reducing and expanding channels (with 5 of the place), query and result of the attention, keys and
    // values of 8 neighbours, the attention itself, and the layers after it.
    let channels = 4 * 512 * (128 + 133)
    let attention = 2 * 512 * 512 + 8 * 2 * 512 * 512 + 8 * 2 * 512 + 2 * 512 * 128
    let expected = encoder + decoder + memories + discriminator + patches * (channels + attention)
    let found = try counted(configuration, score: SimSIDScore.reconstructionLogit.rawValue)
    #expect(found == Double(expected))
  }

  @Test("MemMC-MAE's score takes encoder and decoder once for each mask: 28 G at 224×224")
  func memMCMAE() throws {
    var configuration = try Preset.memMCMAEPaper.configuration()
    var settings = try #require(configuration.detector.settings as? MemMCMAEConfiguration)
    (settings.imageSize, settings.masks) = (224, 1)
    configuration.detector = DetectorSettings(settings)
    configuration.training.batchSize = 1
    let (all, visible, width, inner) = (196, 49, 768, 512)
    let encoder = 12 * (12 * visible * width * width + 2 * visible * (visible + 40) * width)
    let levels = 12 * visible * width * inner
    let reading = 2 * visible * inner * inner + 2 * all * visible * inner + all * inner * inner
    let gates = 2 * all * inner * inner
    let own = 13 * all * inner * inner + 2 * all * all * inner  // self-attention, feed-forward, and queries
    let block = own + 12 * (reading + gates)
    let ends = visible * 256 * width + all * inner * 256
    let expected = Double(encoder + levels + 8 * block + ends)
    #expect(abs(expected - 28e9) < 0.5e9)
    let found = try counted(configuration, score: MemMCMAEScore.multiScaleSimilarity.rawValue)
    #expect(abs(found - expected) < 0.01 * expected, "\(found) and \(expected)")
  }
}
