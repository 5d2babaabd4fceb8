import Foundation

/// What TensorBoard reads, one message of `event.proto` with what Norma uses of it and of `summary.proto`.
struct Event: Equatable {
  /// What an event tells.
  enum Content: Equatable {
    /// Which version of the format the file has; the first event of every file.
    case fileVersion
    /// A run was resumed: what earlier files have of this step and of later ones is void.
    case resumed
    /// Numbers by tag.
    case scalars([(tag: String, value: Float)])
    /// A grey picture as PNG.
    case picture(tag: String, png: Data, width: Int, height: Int)

    static func == (a: Content, b: Content) -> Bool { a.encoded == b.encoded }
  }

  /// Seconds since 1970.
  let wallTime: Double
  /// Epochs trained.
  let step: Int
  let content: Content

  /// The message.
  var encoded: Data {
    var message = ProtocolMessage()
    message.add(1, wallTime)
    message.add(2, step)
    return message.data + content.encoded
  }
}

extension Event.Content {
  /// The fields of `Event` that hold the content.
  fileprivate var encoded: Data {
    var event = ProtocolMessage()
    switch self {
    case .fileVersion: event.add(3, Data("brain.Event:2".utf8))
    case .resumed:
      var log = ProtocolMessage()
      log.add(1, 1)  // SessionLog.START
      event.add(7, log.data)
    case .scalars(let scalars):
      var summary = ProtocolMessage()
      for (tag, number) in scalars {
        var value = ProtocolMessage()
        value.add(1, Data(tag.utf8))
        value.add(2, number)
        summary.add(1, value.data)
      }
      event.add(5, summary.data)
    case .picture(let tag, let png, let width, let height):
      var image = ProtocolMessage()
      image.add(1, height)
      image.add(2, width)
      image.add(3, 1)  // grey
      image.add(4, png)
      var value = ProtocolMessage()
      value.add(1, Data(tag.utf8))
      value.add(4, image.data)
      var summary = ProtocolMessage()
      summary.add(1, value.data)
      event.add(5, summary.data)
    }
    return event.data
  }
}

/// A message of Protocol Buffers in the making: fields behind one another, each with its number and the kind of its value.
struct ProtocolMessage {
  private(set) var data = Data()

  private enum Kind: UInt64 {
    case variable = 0
    case fixed64 = 1
    case bytes = 2
    case fixed32 = 5
  }

  /// Adds an integer; zero is what a field has that is not there.
  /// - Precondition: it is not negative.
  mutating func add(_ field: Int, _ value: Int) {
    guard value != 0 else { return }
    begin(field, .variable)
    addVariable(UInt64(value))
  }

  /// Adds a number of 64 bits.
  mutating func add(_ field: Int, _ value: Double) {
    begin(field, .fixed64)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
  }

  /// Adds a number of 32 bits.
  mutating func add(_ field: Int, _ value: Float) {
    begin(field, .fixed32)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
  }

  /// Adds bytes, a text or a message.
  mutating func add(_ field: Int, _ value: Data) {
    begin(field, .bytes)
    addVariable(UInt64(value.count))
    data.append(value)
  }

  private mutating func begin(_ field: Int, _ kind: Kind) { addVariable(UInt64(field) << 3 | kind.rawValue) }

  /// Seven bits a byte, the lowest first; all bytes but the last have the highest bit set.
  private mutating func addVariable(_ value: UInt64) {
    var rest = value
    while rest > 0x7F {
      data.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    data.append(UInt8(rest))
  }
}
