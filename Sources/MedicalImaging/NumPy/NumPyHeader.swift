import Foundation

/// What an array in NumPy's format says about itself (NumPy enhancement proposal 1, versions 1 to 3).
struct NumPyHeader: Equatable, Sendable {
  /// The numbers of an array.
  enum Kind: Character, Sendable {
    case boolean = "b"
    case integer = "i"
    case unsigned = "u"
    case floating = "f"
  }

  /// What its numbers are.
  let kind: Kind
  /// Bytes of a number.
  let width: Int
  /// Whether numbers begin with their highest byte.
  let isBigEndian: Bool
  /// Whether the first axis runs fastest.
  let isFortranOrder: Bool
  /// Extents, as NumPy has them.
  let shape: [Int]
  /// Bytes before the first number.
  let length: Int

  /// How NumPy calls the numbers, for example `uint8`.
  var typeName: String {
    switch kind {
    case .boolean: "bool"
    case .integer: "int\(8 * width)"
    case .unsigned: "uint\(8 * width)"
    case .floating: "float\(8 * width)"
    }
  }

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Reads the header at the beginning of an array.
  /// - Parameter path: the file, or the array in an archive, for messages.
  /// - Throws: `ImageError`, for a header that is damaged or one of numbers that are not read.
  init(_ data: Data, path: String) throws(ImageError) {
    func damaged(_ reason: String) -> ImageError { .corrupt(path: path, format: NumPyFile.format, reason: reason) }
    var cursor = ByteCursor(data)
    guard cursor.bytes(6).map(Array.init) == Self.magic, let version = cursor.bytes(2)?.first else {
      throw damaged("it does not begin with NumPy's mark")
    }
    guard (1...3).contains(version) else {
      throw .unsupported(
        path: path, format: NumPyFile.format,
        reason: "version \(version) of the format is not known; write version 1 to 3")
    }
    let count = version == 1 ? cursor.integer(UInt16.self).map(Int.init) : cursor.integer(UInt32.self).map(Int.init)
    guard let count, let bytes = cursor.bytes(count), let text = String(data: bytes, encoding: .isoLatin1) else {
      throw damaged("the file ends within its header")
    }
    guard let order = text.firstMatch(of: /['"]fortran_order['"]\s*:\s*(True|False)/),
      let sides = text.firstMatch(of: /['"]shape['"]\s*:\s*\(([0-9L,\s]*)\)/),
      text.contains(/['"]descr['"]\s*:/)
    else { throw damaged("its header lacks descr, fortran_order or shape") }
    let shape = sides.1.split(separator: ",").map { $0.filter(\.isNumber) }.filter { !$0.isEmpty }.map { Int($0) }
    guard shape.allSatisfy({ $0 != nil }) else { throw damaged("its shape (\(sides.1)) is no shape") }
    (kind, width, isBigEndian) = try Self.numbers(text, path: path)
    (isFortranOrder, self.shape, length) = (order.1 == "True", shape.compactMap { $0 }, cursor.position)
  }

  /// Kind, bytes and byte order, as `descr` tells them.
  private static func numbers(
    _ text: String, path: String
  ) throws(ImageError) -> (kind: Kind, width: Int, isBigEndian: Bool) {
    let widths: [Kind: [Int]] = [
      .boolean: [1], .integer: [1, 2, 4, 8], .unsigned: [1, 2, 4, 8], .floating: [2, 4, 8],
    ]
    guard let match = text.firstMatch(of: /['"]descr['"]\s*:\s*['"]([<>|=]?)([a-zA-Z])([0-9]*)/) else {
      throw refusal("records of several fields", path: path)
    }
    guard let kind = match.2.first.flatMap(Kind.init(rawValue:)), let width = Int(match.3),
      widths[kind]?.contains(width) == true
    else {
      let names: [Substring: String] = [
        "c": "complex numbers", "O": "Python objects", "U": "texts", "S": "texts", "V": "raw bytes", "M": "times",
        "m": "times", "f": "floating-point numbers of \(match.3) bytes",
      ]
      throw refusal(names[match.2] ?? "of the type \(match.2)\(match.3)", path: path)
    }
    return (kind, width, match.1 == ">")
  }

  private static func refusal(_ kind: String, path: String) -> ImageError {
    .unsupported(
      path: path, format: NumPyFile.format,
      reason: "its elements are \(kind); store bool, int, uint of 8 to 64 bits or float of 16 to 64 bits")
  }
}
