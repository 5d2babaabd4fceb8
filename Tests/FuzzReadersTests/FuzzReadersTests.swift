import Foundation
import Testing

@testable import FuzzReaders

@Suite("Damaged files")
struct FuzzReadersTests {
  private static let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("MedicalImagingTests/Golden")

  private func seeds(_ seed: UInt64) throws -> Seeds {
    try Seeds(
      folders: ["dicom", "volumes"].map { Self.golden.appendingPathComponent($0).path }, largest: 1 << 14, seed: seed)
  }

  @Test("Readers withstand some hundred damaged files: each is read, or refused with a reason")
  func short() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (seeds, reading) = (try seeds(2), Reading(folder: folder))
    var read = 0
    for number in 0..<400 {
      let (origin, bytes) = seeds.input(number)
      if try reading.read(bytes, of: origin).isRead { read += 1 }
    }
    #expect(50..<350 ~= read)  // neither harmless nor hopeless
  }

  @Test("A number and a seed name a damaged file, another of either another one")
  func seeded() throws {
    let (first, second) = (try seeds(7), try seeds(8))
    #expect((0..<20).allSatisfy { first.input($0).bytes == (try? seeds(7))?.input($0).bytes })
    #expect((0..<20).contains { first.input($0).bytes != second.input($0).bytes })
    #expect(Set((0..<50).map { first.input($0).bytes }).count > 40)
    #expect((0..<50).filter { first.input($0).bytes == first.input($0).origin.bytes }.count < 10)
  }

  @Test("Each kind of damage changes bytes", arguments: Mutator.Kind.allCases)
  func kinds(_ kind: Mutator.Kind) throws {
    let path = kind == .headerField ? "volumes/both.nii" : "dicom/tables.dcm"
    let whole = Array(try Data(contentsOf: Self.golden.appendingPathComponent(path)))
    var mutator = Mutator(.init(seed: 3))
    let damaged = (0..<20).map { _ in
      var bytes = whole
      mutator.change(&bytes, kind, Array(whole.reversed()))
      return bytes
    }
    #expect(damaged.filter { $0 != whole }.count > 10)
  }

  @Test("A claim is what stands in a header, and never more than the bytes can hold")
  func claims() {
    var volume = [UInt8](repeating: 0, count: 1000)
    volume.replaceSubrange(0..<4, with: [0x5C, 1, 0, 0])
    volume.replaceSubrange(40..<48, with: [3, 0, 5, 0, 6, 0, 7, 0])
    #expect(Claim(volume).samples == 210 && Claim(volume).bytes == 1000)
    volume.replaceSubrange(42..<48, with: [0xFF, 0x7F, 0xFF, 0x7F, 0xFF, 0x7F])
    #expect(Claim(volume).samples == 8000)
    var image: [UInt8] = [0x28, 0, 0x10, 0, 0x55, 0x53, 2, 0, 30, 0, 0x28, 0, 0x11, 0, 0x55, 0x53, 2, 0, 20, 0]
    #expect(Claim(image + [UInt8](repeating: 0, count: 100)).samples == 600)
    image += Array("1.2.840.10008.1.2.4.50 ".utf8)
    image[9] = 0xFF
    #expect(Claim(image).samples == 8 * 1032 * image.count)
  }

  @Test("What ends a worker is told, with its number, and the work goes on behind it")
  func supervised() throws {
    func shell(_ script: String) throws -> Supervisor.Summary {
      try Supervisor(worker: { ["/bin/sh", "-c", script, "worker", "\($0)"] }, end: 4).run(from: 0)
    }
    let all = "for n in 0 1 2 3; do [ $n -lt $1 ] || { echo begin $n; "
    let killed = try shell(all + "[ $n = 1 ] && kill -9 $$; echo read $n; }; done")
    #expect(killed.failures == [.init(number: 1, reason: "the reader ended the program with signal 9")])
    #expect(killed.read == 3)
    let slow = try shell(all + "[ $n = 2 ] && { echo failed 2 too slow; exit 1; }; echo refused $n; }; done")
    #expect(slow.failures == [.init(number: 2, reason: "too slow")] && slow.refused == 3)
    let greedy = try shell(all + "echo read $n; echo peak 9; }; done; [ $1 -gt 0 ] || echo failed 0 too much")
    #expect(greedy.failures == [.init(number: 0, reason: "too much")] && greedy.peak == 9 && greedy.read == 4)
    #expect(try shell(all + "echo read $n; }; done").failures.isEmpty)
    #expect(try shell("exit 3").failures.count == 4)
  }
}
