import Testing

@testable import Norma

@Suite("Checks of a SimSID configuration")
struct SimSIDConfigurationTests {
  private func message(_ change: (inout SimSIDConfiguration) -> Void) -> String {
    var configuration = SimSIDConfiguration()
    change(&configuration)
    do { try configuration.validate() } catch { return "\(error)" }
    return "valid"
  }

  @Test("The published preset is valid")
  func published() {
    #expect(message { _ in } == "valid")
  }

  @Test("k below 2 keeps nothing under the strict rule, and 1 is enough without it")
  func activeItems() {
    #expect(
      message { $0.activeItems = 1 }
        == "configuration key 'detector.activeItems' is 1; it may be 2 to slots (100); with strictThreshold one item "
        + "fewer survives")
    #expect(
      message {
        $0.activeItems = 1
        $0.strictThreshold = false
      } == "valid")
    #expect(
      message {
        $0.activeItems = 0
        $0.shrinkage = .none
      } == "valid")
  }

  @Test("Sizes that cannot be built are named")
  func sizes() {
    #expect(message { $0.patchGrid = 3 } == "configuration key 'detector.patchGrid' is 3; it may be 1, 2, 4 or 8")
    #expect(
      message { $0.imageSize = 96 }
        == "configuration key 'detector.imageSize' is 96; it may be a power of two, at least 32, that 16 × patchGrid "
        + "(64) divides")
    #expect(
      message {
        $0.patchGrid = 8
        $0.imageSize = 64
      }
        == "configuration key 'detector.imageSize' is 64; it may be a power of two, at least 32, that 16 × patchGrid "
        + "(128) divides")
    #expect(
      message { $0.decoderWindows = 9 } == "configuration key 'detector.decoderWindows' is 9; it may be 1, 4 or 16")
    #expect(
      message {
        $0.patchGrid = 8
        $0.decoderWindows = 16
      }
        == "configuration key 'detector.decoderWindows' is 16; it may be a grid that divides the first decoder map of "
        + "2 × 2")
    #expect(
      message { $0.width = 5 }
        == "configuration key 'detector.width' is 5; it may be an even number, so that 8 heads divide the attention")
  }

  @Test("Rates and shares outside their range are named")
  func ranges() {
    #expect(
      message { $0.pixelMaskRatio = 1 } == "configuration key 'detector.pixelMaskRatio' is 1.0; it may be 0 to below 1")
    #expect(
      message { $0.finalLearningRate = 1 }
        == "configuration key 'detector.finalLearningRate' is 1.0; it may be 0 to learningRate")
    #expect(
      message { $0.recombinedLevels = 3 } == "configuration key 'detector.recombinedLevels' is 3; it may be 1 or 2")
    #expect(
      message { $0.decoderMemories = [.none] }
        == "configuration key 'detector.decoderMemories' is [\"none\"]; it may be two levels")
  }
}
