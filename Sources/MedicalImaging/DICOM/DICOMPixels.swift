import CMedicalImaging

/// Pixels as a DICOM file stores them, before any transformation: integers, or, in parametric maps, floating-point numbers.
public struct DICOMPixels: Equatable, Sendable {
  /// Columns.
  public let columns: Int
  /// Rows.
  public let rows: Int
  /// Frames, one after the other.
  public let frames: Int
  /// 1, or 3 for colours, whose samples lie side by side.
  public let samplesPerPixel: Int
  /// Bits that carry a value, 1 to 32.
  public let bitsStored: Int
  /// Whether there are negative values.
  public let isSigned: Bool
  private let words: Words

  private enum Words: Equatable, Sendable {
    case int8([Int8])
    case uint8([UInt8])
    case int16([Int16])
    case uint16([UInt16])
    case int32([Int32])
    case uint32([UInt32])
    case float32([Float])
  }

  init(_ pixels: cmi_dicom_pixels) {
    (columns, rows, frames) = (Int(pixels.columns), Int(pixels.rows), Int(pixels.frames))
    samplesPerPixel = Int(pixels.samples_per_pixel)
    (bitsStored, isSigned) = (Int(pixels.bits_stored), pixels.is_signed)
    let count = columns * rows * frames * samplesPerPixel
    func array<Word>(_: Word.Type) -> [Word] {
      Array(UnsafeBufferPointer(start: pixels.samples?.bindMemory(to: Word.self, capacity: count), count: count))
    }
    if pixels.is_real {
      words = .float32(array(Float.self))
      return
    }
    words =
      switch (pixels.bytes_per_sample, pixels.is_signed) {
      case (1, true): .int8(array(Int8.self))
      case (1, false): .uint8(array(UInt8.self))
      case (2, true): .int16(array(Int16.self))
      case (2, false): .uint16(array(UInt16.self))
      case (_, true): .int32(array(Int32.self))
      case (_, false): .uint32(array(UInt32.self))
      }
  }

  /// The floating-point numbers of a frame, row by row; nil where integers are stored.
  /// - Precondition: there is such a frame.
  public func reals(frame: Int) -> [Float]? {
    guard case .float32(let reals) = words else { return nil }
    precondition(0..<frames ~= frame)
    return Array(reals[frame * columns * rows..<(frame + 1) * columns * rows])
  }

  /// The smallest and the largest integer that can be stored.
  public var limits: ClosedRange<Int> {
    isSigned ? -(1 << (bitsStored - 1))...(1 << (bitsStored - 1)) - 1 : 0...(1 << bitsStored) - 1
  }

  /// The stored integers of a frame, row by row, the samples of a pixel side by side; floating-point numbers are rounded.
  /// - Precondition: there is such a frame.
  public func stored(frame: Int) -> [Int] { map(frame: frame) { $0 } }

  /// The stored values of all frames as they lie in memory, each an integer of 1, 2 or 4 bytes, or a
  /// floating-point number of 4, in the machine's byte order.
  public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    switch words {
    case .int8(let words): try words.withUnsafeBytes(body)
    case .uint8(let words): try words.withUnsafeBytes(body)
    case .int16(let words): try words.withUnsafeBytes(body)
    case .uint16(let words): try words.withUnsafeBytes(body)
    case .int32(let words): try words.withUnsafeBytes(body)
    case .uint32(let words): try words.withUnsafeBytes(body)
    case .float32(let words): try words.withUnsafeBytes(body)
    }
  }

  /// stored · slope + intercept of each stored value of a frame. Apart from `map`, so that it becomes a loop over vectors.
  /// - Precondition: there is such a frame.
  func scaled(frame: Int, slope: Double, intercept: Double) -> [Float] {
    func floats(_ words: some Collection<some BinaryInteger>) -> [Float] {
      words.map { Float(Double($0) * slope + intercept) }
    }
    let range = self.range(ofFrame: frame)
    return switch words {
    case .int8(let words): floats(words[range])
    case .uint8(let words): floats(words[range])
    case .int16(let words): floats(words[range])
    case .uint16(let words): floats(words[range])
    case .int32(let words): floats(words[range])
    case .uint32(let words): floats(words[range])
    case .float32(let words): words[range].map { Float(Double($0) * slope + intercept) }
    }
  }

  /// What `transform` makes of each stored value of a frame.
  /// - Precondition: there is such a frame.
  func map<Value>(frame: Int, _ transform: (Int) -> Value) -> [Value] {
    let range = self.range(ofFrame: frame)
    return switch words {
    case .int8(let words): words[range].map { transform(Int($0)) }
    case .uint8(let words): words[range].map { transform(Int($0)) }
    case .int16(let words): words[range].map { transform(Int($0)) }
    case .uint16(let words): words[range].map { transform(Int($0)) }
    case .int32(let words): words[range].map { transform(Int($0)) }
    case .uint32(let words): words[range].map { transform(Int($0)) }
    case .float32(let words): words[range].map { transform(Int(min(max($0.rounded(), -0x1p53), 0x1p53))) }
    }
  }

  private func range(ofFrame frame: Int) -> Range<Int> {
    precondition(0..<frames ~= frame)
    let count = columns * rows * samplesPerPixel
    return frame * count..<(frame + 1) * count
  }
}
