extension LookupTable {
  /// The table that a descriptor and a palette in segments describe; nil where these do not fit together.
  init?(descriptor: [UInt16], segments: [UInt16]) {
    guard descriptor.count == 3, 1...16 ~= descriptor[2] else { return nil }
    let (count, bits) = (descriptor[0] == 0 ? 1 << 16 : Int(descriptor[0]), Int(descriptor[2]))
    guard let values = Self.values(ofSegments: segments, bits: bits, count: count) else { return nil }
    self.init(first: Int(descriptor[1]), values: values, bits: bits)
  }

  /// The values of a palette that is stored in segments: lists of values, straight lines, and repetitions of segments elsewhere
  /// (DICOM PS3.3, C.7.9.2).
  /// - Parameters:
  ///   - words: the segments; of 8 bits, two entries a word, the lower byte first.
  ///   - count: how many values there must be at least; more are left out.
  /// - Returns: nil where a segment is none of these, ends early, or there are too few values.
  static func values(ofSegments words: [UInt16], bits: Int, count: Int) -> [UInt16]? {
    let entries = bits > 8 ? words : words.flatMap { [$0 & 0xFF, $0 >> 8] }
    var values: [UInt16] = []
    var place = 0
    while values.count < count {
      guard let next = append(to: &values, entries, at: place, bits: bits, repeats: false) else { return nil }
      place = next
    }
    return Array(values.prefix(count))
  }

  /// Appends the values of the segment at a place, at most 2¹⁶ a segment, and gives the place of the next one.
  private static func append(
    to values: inout [UInt16], _ entries: [UInt16], at place: Int, bits: Int, repeats: Bool
  ) -> Int? {
    guard place >= 0, place + 2 < entries.count, values.count <= 1 << 16 else { return nil }
    let (kind, length, first) = (entries[place], Int(entries[place + 1]), place + 2)
    switch kind {
    case 0:
      guard length > 0, first + length <= entries.count else { return nil }
      values += entries[first..<first + length]
      return first + length
    case 1:
      guard length > 0, let start = values.last.map(Double.init) else { return nil }
      let end = Double(entries[first])
      values += (1...length).map {
        UInt16((start + (end - start) * Double($0) / Double(length)).rounded(.toNearestOrEven))
      }
      return first + 1
    case 2:
      // The segments repeated begin at a number of bytes, which takes two words or four bytes; none of them repeats others.
      let width = bits > 8 ? 2 : 4
      guard !repeats, length > 0, first + width <= entries.count else { return nil }
      let bytes = (0..<width).reduce(0) { $0 | Int(entries[first + $1]) << ($1 * (bits > 8 ? 16 : 8)) }
      var other = bits > 8 ? bytes / 2 : bytes
      for _ in 0..<length {
        guard let next = append(to: &values, entries, at: other, bits: bits, repeats: true) else { return nil }
        other = next
      }
      return first + width
    default:
      return nil
    }
  }
}
