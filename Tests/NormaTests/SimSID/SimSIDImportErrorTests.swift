import Foundation
import Testing

@testable import Norma
@testable import Torch

@Suite("What goes wrong in an import is said in one sentence")
struct SimSIDImportErrorTests {
  private func message(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return "no error"
  }

  private func message(
    _ golden: SimSIDGolden = .queueGrid2, _ options: SimSIDImport.Options = SimSIDGolden.queueGrid2.options,
    changing change: (inout [StoredArray], inout [StoredArray]) throws -> Void
  ) -> String {
    message {
      var (model, discriminator) = try golden.weights()
      try change(&model, &discriminator)
      _ = try SimSIDImport.checkpoint(
        SimSIDOfficialWeights(model: model, discriminator: discriminator), options: options)
    }
  }

  private func zeros(_ name: String, _ shape: [Int]) throws -> StoredArray {
    try StoredArray(name: name, .zeros(shape))
  }

  @Test("A file that is not there")
  func missingFile() {
    let golden = SimSIDGolden.queueGrid2
    let path = golden.folder.appendingPathComponent("nothing.pth")
    let found = message { _ = try SimSIDImport.checkpoint(model: path, discriminator: golden.discriminator) }
    #expect(found == "\(path.path) does not exist; check the path.")
  }

  @Test("The two files exchanged")
  func exchanged() {
    let golden = SimSIDGolden.queueGrid2
    let found = message { _ = try SimSIDImport.checkpoint(model: golden.discriminator, discriminator: golden.model) }
    #expect(
      found == "\(golden.discriminator.path) has no entry down_blocks.3.mpconv.conv2.3.weight; "
        + "give model.pth and discriminator.pth of SimSID or SQUID, in this order")
  }

  @Test("A file of another program")
  func foreign() throws {
    let golden = SimSIDGolden.queueGrid2
    let file = golden.folder.appendingPathComponent("golden.safetensors")
    let found = message { _ = try SimSIDImport.checkpoint(model: file, discriminator: golden.discriminator) }
    #expect(
      found == "\(file.path) is no file written by torch.save; check that it is a .pth or .pt file and that it was "
        + "copied whole.")
  }

  @Test("A truncated file, in either format", arguments: [SimSIDGolden.matrixGrid2, .queueGrid2])
  func truncated(_ golden: SimSIDGolden) throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).pth")
    defer { try? FileManager.default.removeItem(at: file) }
    let whole = try Data(contentsOf: golden.model)
    try whole.prefix(whole.count / 2).write(to: file)
    let error = #expect(throws: SerialisationError.self) {
      try SimSIDImport.checkpoint(model: file, discriminator: golden.discriminator)
    }
    #expect(error?.path == file.path)
    #expect(error?.remedy == "the file is damaged, copy or download it again")
  }

  @Test("A missing entry")
  func missingEntry() {
    let found = message { model, _ in model.removeAll { $0.name == "inpaint_block.ff.3.bias" } }
    #expect(
      found == "/data/model.pth has no entry inpaint_block.ff.3.bias; "
        + "give model.pth and discriminator.pth of SimSID or SQUID, in this order")
  }

  @Test("A missing memory block")
  func missingBlock() {
    let found = message { model, _ in model.removeAll { $0.name == "inpaint_block.memory.3.memMatrix" } }
    #expect(
      found == "/data/model.pth has no entry inpaint_block.memory.3.memMatrix; "
        + "give model.pth and discriminator.pth of SimSID or SQUID, in this order")
  }

  @Test("Shapes that do not go together")
  func shapes() throws {
    let remedy = "; give model.pth and discriminator.pth of the same training run"
    let cases: [(key: String, shape: [Int], expected: String)] = [
      ("out_conv.conv.weight", [2, 2, 1, 1], "[1, 2, 1, 1]"),
      ("down_blocks.3.mpconv.conv2.3.weight", [32, 16, 3, 3], "[16 · width, 16 · width, 3, 3]"),
      ("down_blocks.3.mpconv.conv2.3.weight", [32], "[16 · width, 16 · width, 3, 3]"),
      (
        "inpaint_block.attention.in_proj_weight", [30, 10],
        "[3 · C, C], C = 8 · (32 / 16 / grid)² for a grid of 1, 2, 4 or 8"
      ),
      ("inpaint_block.memory.0.memMatrix", [8, 9], "[items, 8]"),
      ("inpaint_block.memory.2.memMatrix", [7, 8], "[8, 8]"),
      (
        "up_blocks.0.conv.conv1.0.weight", [16, 17, 3, 3],
        "[16, 48 with skip connections or 32 without, 3, 3]"
      ),
      ("memory_blocks.0.memory.0.memMatrix", [8, 15], "[items, 64] for 4 blocks, or 64 / n for 1, 4 or 16 blocks"),
    ]
    for (key, shape, expected) in cases {
      let found = message { model, _ in
        model.removeAll { $0.name == key }
        model.append(try zeros(key, shape))
      }
      #expect(
        found == "in /data/model.pth the entry \(key) has the shape \(shape) instead of \(expected)\(remedy)")
    }
  }

  @Test("A discriminator for another image size")
  func otherSize() throws {
    let found = message(.matrixPerPatch, SimSIDGolden.matrixPerPatch.options) { _, discriminator in
      discriminator = try SimSIDGolden.matrixGrid2.weights().discriminator
    }
    #expect(
      found == "in /data/model.pth the entry memory_blocks.0.memory.0.memMatrix has the shape [6, 256] instead of "
        + "[items, 256] for 1 blocks, or 256 / n for 1, 4 or 16 blocks; "
        + "give model.pth and discriminator.pth of the same training run")
  }

  @Test("Entries that Norma has no place for")
  func unknown() {
    let names = (0..<4).map { "memory_blocks.0.memory.\($0).down.weight" }
    let found = message { model, _ in for name in names { model.append(try zeros(name, [2])) } }
    #expect(
      found == "/data/model.pth has entries that are not of a published SimSID or SQUID: "
        + "\(names[0]), \(names[1]), \(names[2]), … (4 in all); train this variant with 'norma train'")
  }

  @Test("Options that do not fit")
  func options() {
    var options = SimSIDGolden.queueGrid2.options
    options.activeItems = 9
    #expect(
      message(.queueGrid2, options) { _, _ in }
        == "configuration key 'detector.activeItems' is 9; it may be 2 to slots (8); with strictThreshold one item fewer "
        + "survives")
  }
}
