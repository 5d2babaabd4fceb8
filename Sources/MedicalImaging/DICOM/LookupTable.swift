/// A table from whole numbers to values (DICOM PS3.3, C.11.1 and C.11.2).
public struct LookupTable: Equatable, Sendable {
  /// The number that the first value belongs to; smaller ones get the first value, larger ones than there are the last.
  public let first: Int
  /// The values, at least one.
  public let values: [UInt16]
  /// Bits of a value: values lie in 0 ... 2ᵇ − 1.
  public let bits: Int

  /// Creates a table.
  /// - Precondition: there is a value, and there are 1 to 16 bits.
  public init(first: Int, values: [UInt16], bits: Int) {
    precondition(!values.isEmpty && 1...16 ~= bits)
    (self.first, self.values, self.bits) = (first, values, bits)
  }

  /// The table that a descriptor (count, first number, bits) and data describe; nil where these do not fit together.
  /// - Parameter isSigned: whether the numbers that are looked up can be negative.
  init?(descriptor: [UInt16], data: [UInt16], isSigned: Bool) {
    guard descriptor.count == 3, 1...16 ~= descriptor[2] else { return nil }
    let count = descriptor[0] == 0 ? 1 << 16 : Int(descriptor[0])
    let first = isSigned ? Int(Int16(bitPattern: descriptor[1])) : Int(descriptor[1])
    let bits = Int(descriptor[2])
    if data.count >= count {
      self.init(first: first, values: Array(data.prefix(count)), bits: bits)
    } else if bits <= 8, data.count == (count + 1) / 2 {  // two values a word
      let bytes = data.flatMap { [$0 & 0xFF, $0 >> 8] }
      self.init(first: first, values: Array(bytes.prefix(count)), bits: bits)
    } else {
      return nil
    }
  }

  /// The value of a number.
  public subscript(number: Int) -> UInt16 { values[min(max(number - first, 0), values.count - 1)] }

  /// The largest value there can be.
  public var maximum: Float { Float((1 << bits) - 1) }
}

extension DICOMItem {
  /// The tables of a sequence.
  func tables(_ tag: DICOMTag, isSigned: Bool) throws(ImageError) -> [(table: LookupTable, name: String?)] {
    var tables: [(LookupTable, String?)] = []
    for item in items(tag) {
      let (descriptor, data) = (item.words(.tableDescriptor), item.words(.tableData))
      guard let table = LookupTable(descriptor: descriptor, data: data, isSigned: isSigned) else {
        throw file.damaged("the description of a lookup table and its data do not fit together")
      }
      tables.append((table, item.text(.tableExplanation)))
    }
    return tables
  }
}
