import CMedicalImaging

/// Pixels as a DICOM file stores them: integers, before any transformation.
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
  }

  init(_ pixels: cmi_dicom_pixels) {
    (columns, rows, frames) = (Int(pixels.columns), Int(pixels.rows), Int(pixels.frames))
    samplesPerPixel = Int(pixels.samples_per_pixel)
    (bitsStored, isSigned) = (Int(pixels.bits_stored), pixels.is_signed)
    let count = columns * rows * frames * samplesPerPixel
    func array<Word>(_: Word.Type) -> [Word] {
      Array(UnsafeBufferPointer(start: pixels.samples?.bindMemory(to: Word.self, capacity: count), count: count))
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

  /// The smallest and the largest value that can be stored.
  public var limits: ClosedRange<Int> {
    isSigned ? -(1 << (bitsStored - 1))...(1 << (bitsStored - 1)) - 1 : 0...(1 << bitsStored) - 1
  }

  /// The stored values of a frame, row by row, the samples of a pixel side by side.
  /// - Precondition: there is such a frame.
  public func stored(frame: Int) -> [Int] { map(frame: frame) { $0 } }

  /// What `transform` makes of each stored value of a frame.
  /// - Precondition: there is such a frame.
  func map<Value>(frame: Int, _ transform: (Int) -> Value) -> [Value] {
    precondition(0..<frames ~= frame)
    let count = columns * rows * samplesPerPixel
    let range = frame * count..<(frame + 1) * count
    return switch words {
    case .int8(let words): words[range].map { transform(Int($0)) }
    case .uint8(let words): words[range].map { transform(Int($0)) }
    case .int16(let words): words[range].map { transform(Int($0)) }
    case .uint16(let words): words[range].map { transform(Int($0)) }
    case .int32(let words): words[range].map { transform(Int($0)) }
    case .uint32(let words): words[range].map { transform(Int($0)) }
    }
  }
}
