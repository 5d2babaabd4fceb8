import Foundation
import Testing

@testable import Torch

@Suite("Safetensors files")
struct SafetensorsFileTests {
  private typealias Fixtures = SerialisationFixtures

  @Test("Every array and the metadata of a file by the Python library are read")
  func readsGolden() throws {
    let file = try SafetensorsFile(contentsOf: Fixtures.golden("arrays.safetensors"))
    #expect(file.metadata == ["note": "line 1\nline \"2\" µ"])
    let expected = try Fixtures.expected("arrays.safetensors").storedArrays
    #expect(file.arrays().sorted { $0.name < $1.name } == expected.sorted { $0.name < $1.name })
    #expect(file.entries.map(\.name) == file.arrays().map(\.name))
    for array in expected {
      #expect(try file.array(named: array.name) == array)
    }
  }

  @Test("Writing what the Python library wrote gives the same bytes, whatever the order")
  func writesGoldenBytes() throws {
    let golden = try Data(contentsOf: Fixtures.golden("arrays.safetensors"))
    let arrays = try Fixtures.expected("arrays.safetensors").storedArrays
    try Fixtures.inTemporaryFolder { folder in
      let file = folder.appendingPathComponent("written.safetensors")
      for order in [arrays, arrays.reversed()] {
        try SafetensorsFile.write(order, metadata: ["note": "line 1\nline \"2\" µ"], to: file)
        #expect(try Data(contentsOf: file) == golden)
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["written.safetensors"])
    }
  }

  @Test("Metadata of any text survives a round trip; a file may hold no array")
  func metadataRoundTrip() throws {
    let metadata = ["": "", "\u{0}\u{1f}\"\\/\u{8}\u{c}\r\n\t": "ü 中 😀", "b": "{\"a\": [1]}"]
    try Fixtures.inTemporaryFolder { folder in
      let url = folder.appendingPathComponent("file")
      try SafetensorsFile.write([], metadata: metadata, to: url)
      let file = try SafetensorsFile(contentsOf: url)
      #expect(file.metadata == metadata)
      #expect(file.entries.isEmpty)
    }
  }

  @Test("Escaped text in a header is decoded, surrogate pairs included")
  func escapes() throws {
    try Fixtures.inTemporaryFolder { folder in
      let url = folder.appendingPathComponent("file")
      try Self.file(#"{ "__metadata__" : { "\u0041\/" : "\ud83d\ude00" } }  "#).write(to: url)
      #expect(try SafetensorsFile(contentsOf: url).metadata == ["A/": "😀"])
    }
  }

  @Test(
    "A faulty header is refused with its reason",
    arguments: [
      ("", "has a header that is not valid at its byte 0"),
      (" {}", "has a header that is not valid at its byte 0"),
      ("[]", "has a header that is not valid at its byte 0"),
      ("{} x", "has a header that is not valid at its byte 3"),
      (#"{"a":{}"#, "lacks the dtype, shape or data offsets of array \"a\""),
      (#"{"a":{"dtype":"U8","shape":[4]}}"#, "lacks the dtype, shape or data offsets of array \"a\""),
      (
        #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}"#,
        "lacks the dtype, shape or data offsets of array \"a\""
      ),
      (#"{"a":{"dtype":"U8","dtype":"U8"}}"#, "describes array \"a\" with a surplus key \"dtype\""),
      (#"{"a":{"colour":1}}"#, "describes array \"a\" with a surplus key \"colour\""),
      (#"{"a":{"shape":[-1]}}"#, "has a header that is not valid at its byte 15"),
      (#"{"a":{"shape":[1.5]}}"#, "has a header that is not valid at its byte 16"),
      (#"{"a":{"shape":[01]}}"#, "has a header that is not valid at its byte 15"),
      (#"{"a":{"shape":[99999999999999999999]}}"#, "has a header that is not valid at its byte 15"),
      (#"{"__metadata__":{"a":1}}"#, "has a header that is not valid at its byte 21"),
      (#"{"__metadata__":{"a":"\ud83d"}}"#, "has a header that is not valid at its byte 28"),
      (#"{"__metadata__":{"a":"1","a":"2"}}"#, "names \"a\" twice in its metadata"),
      (
        #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,4]}}"#,
        "gives array \"a\" 4 bytes, which do not fit U8 [3]"
      ),
      (
        #"{"a":{"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,4]}}"#,
        "gives array \"a\" 4 bytes, which do not fit F64 [4611686018427387904]"
      ),
      (
        #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}}"#,
        "places array \"a\" at byte 1 instead of 0"
      ),
      (
        #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#,
        "places array \"b\" at byte 2 instead of 3"
      ),
      (
        #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}}"#,
        "names \"a\" twice in its header"
      ),
      (
        #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#,
        "has 4 bytes of arrays where its header describes 3"
      ),
    ])
  func faultyHeader(header: String, reason: String) throws {
    let message = failure(of: Self.file(header, data: Data(count: 4)))
    #expect(message == "a.file \(reason); the file is damaged, copy or download it again.")
  }

  @Test("A type that is not supported is named with those that are")
  func unknownType() throws {
    let header = #"{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}"#
    let message = failure(of: Self.file(header, data: Data(count: 8)))
    #expect(
      message == "a.file stores array \"a\" as C64, which is not supported; "
        + "convert it to one of F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL.")
  }

  @Test("A header longer than the file or the limit is refused", arguments: [17, 100_000_001, UInt64.max])
  func headerLength(length: UInt64) throws {
    var file = Self.file("{}              ")
    file.replaceSubrange(0..<8, with: withUnsafeBytes(of: length.littleEndian) { Data($0) })
    let message = failure(of: file)
    #expect(
      message == "a.file declares a header of \(length) bytes, which its 24 bytes cannot hold; "
        + "check that it is a safetensors file and that it was copied whole.")
  }

  @Test("A file cut anywhere is refused")
  func truncated() throws {
    let golden = try Data(contentsOf: Fixtures.golden("arrays.safetensors"))
    for length in 0..<golden.count {
      let message = failure(of: golden.prefix(length))
      #expect(message != nil, "cut to \(length) bytes")
    }
  }

  @Test("A missing file, a folder and a missing array are named")
  func missing() throws {
    try Fixtures.inTemporaryFolder { folder in
      let path = folder.appendingPathComponent("absent").path
      let absent = #expect(throws: SerialisationError.self) {
        try SafetensorsFile(contentsOf: URL(fileURLWithPath: path))
      }
      #expect(absent?.description == "\(path) does not exist; check the path.")
      let isFolder = #expect(throws: SerialisationError.self) { try SafetensorsFile(contentsOf: folder) }
      #expect(isFolder?.description == "\(folder.path) is a folder; name a file inside it.")
    }
    let golden = Fixtures.golden("arrays.safetensors")
    let noArray = #expect(throws: SerialisationError.self) {
      try SafetensorsFile(contentsOf: golden).array(named: "bias")
    }
    #expect(noArray?.description == "\(golden.path) has no array \"bias\"; check that it was made for this model.")
  }

  @Test("Arrays that cannot be stored are refused and the file before stays as it was")
  func refusesToWrite() throws {
    let one = StoredArray(name: "a", dtype: .uint8, shape: [1], data: Data([7]))
    let faulty = [
      [one, one], [StoredArray(name: "__metadata__", dtype: .uint8, shape: [1], data: Data([7]))],
      [StoredArray(name: "b", dtype: .float32, shape: [2], data: Data([7]))],
      [StoredArray(name: "b", dtype: .uint8, shape: [-1, -1], data: Data([7]))],
    ]
    let reasons = [
      "cannot hold \"a\" twice or under a reserved name; give every array its own name.",
      "cannot hold \"__metadata__\" twice or under a reserved name; give every array its own name.",
      "cannot take array \"b\": 1 bytes do not fit F32 [2]; pass as many bytes as the shape needs.",
      "cannot take array \"b\": 1 bytes do not fit U8 [-1, -1]; pass as many bytes as the shape needs.",
    ]
    try Fixtures.inTemporaryFolder { folder in
      let url = folder.appendingPathComponent("file")
      try SafetensorsFile.write([one], to: url)
      let before = try Data(contentsOf: url)
      for (arrays, reason) in zip(faulty, reasons) {
        let error = #expect(throws: SerialisationError.self) { try SafetensorsFile.write(arrays, to: url) }
        #expect(error?.description == "\(url.path) \(reason)")
      }
      #expect(try Data(contentsOf: url) == before)

      let nowhere = folder.appendingPathComponent("absent/file")
      let error = #expect(throws: SerialisationError.self) { try SafetensorsFile.write([one], to: nowhere) }
      #expect(
        error?.description == "\(nowhere.path) cannot be written; "
          + "check that its folder exists, that you may write there and that the disk is not full.")
      let taken = folder.appendingPathComponent("taken/inside")
      try FileManager.default.createDirectory(at: taken, withIntermediateDirectories: true)
      #expect(throws: SerialisationError.self) {
        try SafetensorsFile.write([one], to: taken.deletingLastPathComponent())
      }
      #expect(try Set(FileManager.default.contentsOfDirectory(atPath: folder.path)) == ["file", "taken"])
    }
  }

  private func failure(of bytes: Data) -> String? {
    Fixtures.failure(of: bytes) { file throws(SerialisationError) in _ = try SafetensorsFile(file) }
  }

  /// A file with that header, its right length before it and `data` behind it.
  private static func file(_ header: String, data: Data = Data()) -> Data {
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) } + Data(header.utf8) + data
  }
}
