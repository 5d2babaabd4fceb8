import Foundation

/// What a file says of its size, found without the readers: by looking for the places where sizes stand.
struct Claim {
  /// Samples that the header declares; of several sizes found the largest, and never more than its bytes can hold.
  let samples: Int
  /// The bytes of the file, or what these may hold where its data set is compressed as a whole.
  let bytes: Int

  /// Bytes that reading may hold at a time: what is decoded, and copies of it as integers, numbers and colours.
  var allowance: Int { 4 << 20 + 64 * (bytes + samples) }

  init(_ file: [UInt8]) {
    // Deflate and JPEG 2000 shrink at best about 1,032 : 1, and a byte holds at most eight samples.
    let mostDeflated = 1032
    let isDeflated = file.starts(with: [0x1F, 0x8B]) || Self.holds(file, "1.2.840.10008.1.2.1.99")
    let isCompressed = isDeflated || Self.holds(file, "1.2.840.10008.1.2.4.") || Self.holds(file, "1.2.840.10008.1.2.5")
    bytes = isDeflated ? file.count * mostDeflated : file.count
    let capacity = 8 * file.count * (isCompressed ? mostDeflated : 1)
    // The header of a compressed file is not looked at.
    samples = file.starts(with: [0x1F, 0x8B]) ? capacity : min(capacity, max(Self.nifti(file), Self.dicom(file)))
  }

  private static func holds(_ file: [UInt8], _ text: String) -> Bool { Data(file).range(of: Data(text.utf8)) != nil }

  private static func number(_ file: [UInt8], _ place: Int, _ width: Int, isBig: Bool) -> Int {
    guard place + width <= file.count else { return 0 }
    var number = 0
    for index in 0..<width { number = number << 8 | Int(file[place + (isBig ? index : width - 1 - index)]) }
    return number
  }

  private static func product(_ sides: [Int]) -> Int {
    sides.reduce(1) { result, side in
      let (product, overflows) = result.multipliedReportingOverflow(by: max(1, side))
      return overflows ? .max : product
    }
  }

  /// Width × height × depth, in the byte order that the header's size tells; where it tells none, the larger of both.
  private static func nifti(_ file: [UInt8]) -> Int {
    func voxels(isBig: Bool) -> Int {
      let isSecond = number(file, 0, 4, isBig: isBig) == 540
      return product((1...3).map { number(file, isSecond ? 16 + 8 * $0 : 40 + 2 * $0, isSecond ? 8 : 2, isBig: isBig) })
    }
    let told = [false, true].first { [348, 540].contains(number(file, 0, 4, isBig: $0)) }
    return told.map(voxels) ?? max(voxels(isBig: false), voxels(isBig: true))
  }

  /// Columns × rows × frames × samples, the largest of each that stands anywhere.
  private static func dicom(_ file: [UInt8]) -> Int {
    var (rows, columns, samples, frames) = (0, 0, 1, 1)
    for place in 0..<max(0, file.count - 10) where file[place] == 0x28 || file[place + 1] == 0x28 {
      for isBig in [false, true] where number(file, place, 2, isBig: isBig) == 0x28 {
        let value = number(file, place + 8, 2, isBig: isBig)
        switch number(file, place + 2, 2, isBig: isBig) {
        case 0x10: rows = max(rows, value)
        case 0x11: columns = max(columns, value)
        case 0x02: samples = max(samples, min(value, 3))
        case 0x08:
          let text = String(decoding: file[place + 8..<min(file.count, place + 20)], as: UTF8.self)
          frames = max(frames, Int(text.prefix { $0.isASCII && $0.isNumber }) ?? 1)
        default: break
        }
      }
    }
    return product([rows, columns, samples, frames])
  }
}
