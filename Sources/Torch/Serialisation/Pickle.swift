import Foundation

/// Runs the instructions of a pickle to rebuild its data, and only data: it can call nothing, and a name outside
/// `PickleGlobal` ends it with an error.
struct PickleMachine {
  private var reader: ByteReader
  private var stack: [PickleValue] = []
  /// Heights of the stack at each open mark.
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  private var objects: [PickleObject] = []

  /// Reads the pickle at the reader's position and moves the reader behind it.
  /// - Throws: `SerialisationError` when the pickle is damaged, or asks for anything but data.
  static func read(_ reader: inout ByteReader) throws(SerialisationError) -> PickleDocument {
    var machine = PickleMachine(reader: reader)
    while try machine.step() {}
    let root = try machine.popped()
    reader = machine.reader
    return PickleDocument(root: root, objects: machine.objects)
  }

  private init(reader: ByteReader) {
    self.reader = reader
  }

  /// Runs one instruction; false after the last one.
  private mutating func step() throws(SerialisationError) -> Bool {
    let byte = try reader.integer(UInt8.self)
    guard let opcode = PickleOpcode(rawValue: byte) else {
      throw .unsupported(
        reader.path, "holds a pickle with instruction 0x\(String(byte, radix: 16)), which is not for tensors")
    }
    switch opcode {
    case .stop: return false
    case .proto: _ = try reader.integer(UInt8.self)
    case .frame: _ = try reader.integer(UInt64.self)
    case .mark: marks.append(stack.count)
    case .pop:
      // As in Python: with nothing above the mark, the mark itself goes.
      if stack.count == marks.last { marks.removeLast() } else { _ = try popped() }
    case .popMark: _ = try poppedToMark()
    case .dup: stack.append(try top())
    case .binPut: memo[try count(UInt8.self)] = try top()
    case .longBinPut: memo[try count(UInt32.self)] = try top()
    case .memoize: memo[memo.count] = try top()
    case .binGet: stack.append(try recalled(try count(UInt8.self)))
    case .longBinGet: stack.append(try recalled(try count(UInt32.self)))
    case .global, .stackGlobal, .reduce, .build, .binPersID: try refer(opcode)
    case .emptyTuple, .tuple, .tuple1, .tuple2, .tuple3, .emptyList, .list, .emptyDict, .dict, .emptySet, .frozenSet:
      try assemble(opcode)
    case .append, .appends, .addItems, .setItem, .setItems: try extend(opcode)
    default: stack.append(try scalar(opcode))
    }
    return true
  }

  // MARK: Values

  private mutating func scalar(_ opcode: PickleOpcode) throws(SerialisationError) -> PickleValue {
    switch opcode {
    case .newTrue: .bool(true)
    case .newFalse: .bool(false)
    case .binInt: .integer(Int(try reader.integer(Int32.self)))
    case .binInt1: .integer(try count(UInt8.self))
    case .binInt2: .integer(try count(UInt16.self))
    case .long1: integer(try reader.bytes(try count(UInt8.self)))
    case .long4: integer(try reader.bytes(try count(UInt32.self)))
    case .binFloat: .real(Double(bitPattern: try reader.integer(UInt64.self).byteSwapped))
    case .binString, .binUnicode: try text(try count(UInt32.self))
    case .shortBinString, .shortBinUnicode: try text(try count(UInt8.self))
    case .binUnicode8: try text(try count(UInt64.self))
    case .binBytes: .bytes(try reader.bytes(try count(UInt32.self)))
    case .shortBinBytes: .bytes(try reader.bytes(try count(UInt8.self)))
    case .binBytes8: .bytes(try reader.bytes(try count(UInt64.self)))
    default: .none
    }
  }

  /// A length or index of the given width.
  private mutating func count<T>(_ type: T.Type) throws(SerialisationError) -> Int
  where T: FixedWidthInteger & BitwiseCopyable {
    guard let count = Int(exactly: try reader.integer(type)) else { throw broken("has a length out of range") }
    return count
  }

  /// An integer from little-endian two's complement; no bytes stand for 0.
  private func integer(_ bytes: Data) -> PickleValue {
    guard bytes.count <= 8 else { return .longInteger(bytes) }
    var value = bytes.last.map { $0 >= 0x80 ? -1 : 0 } ?? 0
    for byte in bytes.reversed() { value = value << 8 | Int(byte) }
    return .integer(value)
  }

  private mutating func text(_ length: Int) throws(SerialisationError) -> PickleValue {
    guard let text = try reader.bytes(length).text else { throw broken("has text that is not UTF-8") }
    return .text(text)
  }

  // MARK: Compounds

  private mutating func make(_ kind: PickleObject.Kind, _ items: [PickleValue] = []) {
    objects.append(PickleObject(kind: kind, items: items))
    stack.append(.object(objects.count - 1))
  }

  private mutating func assemble(_ opcode: PickleOpcode) throws(SerialisationError) {
    switch opcode {
    case .tuple: make(.tuple, try poppedToMark())
    case .tuple1: make(.tuple, try popped(1))
    case .tuple2: make(.tuple, try popped(2))
    case .tuple3: make(.tuple, try popped(3))
    case .emptyList, .emptySet: make(.list)
    case .list, .frozenSet: make(.list, try poppedToMark())
    case .emptyDict: make(.dictionary)
    case .dict: make(.dictionary, try pairs(try poppedToMark()))
    default: make(.tuple)
    }
  }

  private mutating func extend(_ opcode: PickleOpcode) throws(SerialisationError) {
    switch opcode {
    case .setItem: try add(try popped(2), to: .dictionary)
    case .setItems: try add(try pairs(try poppedToMark()), to: .dictionary)
    case .append: try add(try popped(1), to: .list)
    default: try add(try poppedToMark(), to: .list)
    }
  }

  private mutating func add(_ items: [PickleValue], to kind: PickleObject.Kind) throws(SerialisationError) {
    guard case .object(let index) = try top(), objects[index].kind == kind else {
      throw broken("adds items to a value that takes none")
    }
    objects[index].items.append(contentsOf: items)
  }

  private func pairs(_ items: [PickleValue]) throws(SerialisationError) -> [PickleValue] {
    guard items.count.isMultiple(of: 2) else { throw broken("has a dictionary key without a value") }
    return items
  }

  // MARK: Names, calls and outside data

  private mutating func refer(_ opcode: PickleOpcode) throws(SerialisationError) {
    switch opcode {
    case .global:
      guard let module = try reader.line().text, let name = try reader.line().text else {
        throw broken("has text that is not UTF-8")
      }
      stack.append(.global(try allowed(module, name)))
    case .stackGlobal:
      let parts = try popped(2)
      guard case .text(let module) = parts[0], case .text(let name) = parts[1] else {
        throw broken("names a function by something other than text")
      }
      stack.append(.global(try allowed(module, name)))
    case .reduce:
      let parts = try popped(2)
      guard case .global(let function) = parts[0], let arguments = items(parts[1], .tuple) else {
        throw broken("calls something that is no function")
      }
      if function == .orderedDictionary {
        make(.dictionary, try orderedPairs(arguments))
      } else {
        make(.call(function), arguments)
      }
    case .build:
      // Attributes of a rebuilt object, such as the `_metadata` of a state dictionary: no part of the tensors.
      _ = try popped()
      _ = try top()
    default:
      guard let parts = items(try popped(), .tuple) else { throw broken("refers to outside data in an unknown way") }
      make(.persistent, parts)
    }
  }

  private func allowed(_ module: String, _ name: String) throws(SerialisationError) -> PickleGlobal {
    guard let global = PickleGlobal(module: module, name: name) else {
      throw .unsupported(reader.path, "asks for \(module).\(name): refused, no code is run")
    }
    return global
  }

  /// The items of `OrderedDict()` or, as Python 2 wrote it, `OrderedDict([[key, value], ...])`.
  ///
  /// The list of pairs is emptied, so that a forged file cannot have a long one copied again and again.
  private mutating func orderedPairs(_ arguments: [PickleValue]) throws(SerialisationError) -> [PickleValue] {
    guard let argument = arguments.first, case .object(let index) = argument else { return [] }
    let list = objects[index].items
    objects[index].items = []
    var result: [PickleValue] = []
    for item in list {
      guard let pair = items(item, .list) ?? items(item, .tuple), pair.count == 2 else {
        throw broken("has an ordered dictionary that is not made of pairs")
      }
      result.append(contentsOf: pair)
    }
    return result
  }

  // MARK: Stack

  private func items(_ value: PickleValue, _ kind: PickleObject.Kind) -> [PickleValue]? {
    guard case .object(let index) = value, objects[index].kind == kind else { return nil }
    return objects[index].items
  }

  private func top() throws(SerialisationError) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.last else {
      throw broken("takes a value where there is none")
    }
    return value
  }

  private mutating func popped() throws(SerialisationError) -> PickleValue {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func popped(_ count: Int) throws(SerialisationError) -> [PickleValue] {
    guard stack.count - (marks.last ?? 0) >= count else { throw broken("takes a value where there is none") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func poppedToMark() throws(SerialisationError) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw broken("closes a list that was not opened") }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  private func recalled(_ index: Int) throws(SerialisationError) -> PickleValue {
    guard let value = memo[index] else { throw broken("recalls a value that it never stored") }
    return value
  }

  private func broken(_ reason: String) -> SerialisationError {
    .damaged(reader.path, "holds a pickle that \(reason)")
  }
}
