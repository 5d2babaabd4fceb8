import Foundation
import Testing

@testable import Torch

@Suite("Zip archives")
struct ZipArchiveTests {
  @Test("Records are found by name with and without zip64", arguments: [false, true])
  func contents(zip64: Bool) throws {
    let archive = try ZipArchive(Self.archive(zip64: zip64), path: "a.pth")
    #expect(archive.names == ["a/data.pkl", "b"])
    #expect(try archive.contents(of: "a/data.pkl") == Data([1, 2, 3]))
    #expect(try archive.contents(of: "b") == Data())
    #expect(try archive.contents(of: "c") == nil)
  }

  @Test("Compressed and encrypted records are refused", arguments: [(UInt16(8), UInt16(0)), (0, 1)])
  func compressed(method: UInt16, flags: UInt16) throws {
    let archive = try ZipArchive(Self.archive(method: method, flags: flags), path: "a.pth")
    let error = #expect(throws: SerialisationError.self) { try archive.contents(of: "b") }
    #expect(
      error?.description == "a.pth holds the record b compressed or encrypted, which torch.save never does; save a "
        + "dictionary of tensors in PyTorch, torch.save(model.state_dict(), path), and read that.")
  }

  @Test("A record twice and a zip file without its directory are refused")
  func damaged() throws {
    let twice = #expect(throws: SerialisationError.self) {
      try ZipArchive(Self.archive(secondName: "a/data.pkl"), path: "a.pth")
    }
    #expect(
      twice?.description
        == "a.pth holds the record a/data.pkl twice; the file is damaged, copy or download it again.")
    let cut = #expect(throws: SerialisationError.self) { try ZipArchive(Self.archive().dropLast(10), path: "a.pth") }
    #expect(cut?.reason == "is a zip file without its directory")
  }

  /// Two stored records, three bytes and none, with a comment at the end.
  private static func archive(
    zip64: Bool = false, method: UInt16 = 0, flags: UInt16 = 0, secondName: String = "b"
  ) -> Data {
    var local = Data()
    var central = Data()
    for (name, bytes) in [("a/data.pkl", Data([1, 2, 3])), (secondName, Data())] {
      let offset = local.count
      local += number(UInt32(0x0403_4B50)) + Data(count: 22) + number(UInt16(name.utf8.count)) + number(UInt16(4))
      local += Data(name.utf8) + Data(count: 4) + bytes
      central += number(UInt32(0x0201_4B50)) + Data(count: 4) + number(flags) + number(method) + Data(count: 8)
      let size = zip64 ? UInt32.max : UInt32(bytes.count)
      central += number(size) + number(size) + number(UInt16(name.utf8.count)) + number(UInt16(zip64 ? 32 : 4))
      central += Data(count: 10) + number(zip64 ? UInt32.max : UInt32(offset)) + Data(name.utf8)
      central += number(UInt16(0x5555)) + number(UInt16(0))
      if zip64 {
        central += number(UInt16(1)) + number(UInt16(24)) + number(UInt64(bytes.count)) + number(UInt64(bytes.count))
        central += number(UInt64(offset))
      }
    }
    var end = Data()
    if zip64 {
      end += number(UInt32(0x0606_4B50)) + Data(count: 28) + number(UInt64(2)) + number(UInt64(central.count))
      end += number(UInt64(local.count))
      end += number(UInt32(0x0706_4B50)) + Data(count: 4) + number(UInt64(local.count + central.count)) + Data(count: 4)
    }
    end += number(UInt32(0x0605_4B50)) + Data(count: 6) + number(zip64 ? UInt16.max : 2) + Data(count: 4)
    end += number(zip64 ? UInt32.max : UInt32(local.count)) + number(UInt16(7)) + Data("comment".utf8)
    return local + central + end
  }

  private static func number<T: FixedWidthInteger>(_ value: T) -> Data {
    withUnsafeBytes(of: value.littleEndian) { Data($0) }
  }
}
