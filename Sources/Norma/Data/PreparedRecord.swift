import Foundation
import MedicalImaging

/// What a prepared file tells of one image beside its values: 64-bit integers, and the affine of volumes.
struct PreparedRecord: Equatable {
  /// How far an image is.
  enum State: Int64 {
    case missing = 0
    case read = 1
    case unreadable = 2
  }

  /// Integers that a record takes: state; sides, slowest first, 0 for the depth of images; bytes, and hashes of image, mask
  /// and paired image with bits that say which of them there are; one to spare; and of three axes, those of images the last two,
  /// where the network's samples lie (`AxisPlacement`).
  static let columns = 10 + 3 * axisColumns
  private static let axisColumns = 5
  /// Numbers that an affine takes: its columns x, y, z and origin.
  static let affineColumns = 12

  var state: State
  var placement: GridPlacement?
  var size = 0
  var hash: ContentHash?
  var maskHash: ContentHash?
  var pairedHash: ContentHash?

  /// The record of an image whose contents are known.
  init(state: State, placement: GridPlacement?, entry: ContentIndex.Entry) {
    (self.state, self.placement) = (state, placement)
    (size, hash, maskHash, pairedHash) = (entry.size, entry.hash, entry.maskHash, entry.pairedHash)
  }

  /// The bytes of both parts.
  var bytes: (integers: Data, affine: Data) {
    let grid = placement?.grid
    let sides = grid.map { [$0.isVolume ? $0.depth : 0, $0.height, $0.width] } ?? [0, 0, 0]
    let hashes = [hash, maskHash, pairedHash]
    let known = hashes.enumerated().reduce(Int64(0)) { $1.element == nil ? $0 : $0 | 1 << Int64($1.offset) }
    let integers =
      [state.rawValue] + sides.map(Int64.init) + [Int64(size)] + hashes.map { Int64(bitPattern: $0?.value ?? 0) }
      + [known, 0] + axes
    let affine = grid?.affine.map { [$0.x, $0.y, $0.z, $0.origin].flatMap { [$0.x, $0.y, $0.z] } }
    return (
      integers.reduce(into: Data()) { data, value in
        withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
      },
      (affine ?? [Double](repeating: 0, count: Self.affineColumns)).reduce(into: Data()) { data, value in
        withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
      }
    )
  }

  private var axes: [Int64] {
    let found = placement?.axes ?? []
    let unused = [Int64](repeating: 0, count: (3 - found.count) * Self.axisColumns)
    return unused
      + found.flatMap { axis in
        [axis.source.lowerBound, axis.source.upperBound, axis.resampled, axis.count, axis.offset].map(Int64.init)
      }
  }

  /// Reads the record of one image.
  /// - Returns: nil for bytes that no record has.
  init?(integers: Data, affine: Data) {
    guard integers.count == 8 * Self.columns, affine.count == 8 * Self.affineColumns else { return nil }
    func integer(_ index: Int) -> Int64 {
      Int64(littleEndian: integers.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 8 * index, as: Int64.self) })
    }
    func number(_ index: Int) -> Double {
      Double(
        bitPattern: UInt64(
          littleEndian: affine.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self) }))
    }
    guard let state = State(rawValue: integer(0)) else { return nil }
    self.state = state
    let sides = (1...3).map { Int(integer($0)) }
    if state == .read {
      guard sides[0] >= 0, sides[1] > 0, sides[2] > 0, sides.allSatisfy({ $0 <= ImageReader.maximumExtent }) else {
        return nil
      }
      func column(_ index: Int) -> SIMD3<Double> { SIMD3(number(index), number(index + 1), number(index + 2)) }
      let grid =
        sides[0] == 0
        ? ImageGrid(width: sides[2], height: sides[1])
        : ImageGrid(
          extents: sides, affine: Affine3D(x: column(0), y: column(3), z: column(6), origin: column(9)))
      var axes: [AxisPlacement] = []
      for (index, extent) in zip((3 - grid.extents.count)..., grid.extents) {
        let stored = (0..<Self.axisColumns).map { Int(integer(10 + index * Self.axisColumns + $0)) }
        guard let axis = AxisPlacement(extent: extent, stored: stored) else { return nil }
        axes.append(axis)
      }
      placement = GridPlacement(grid: grid, axes: axes)
    }
    size = Int(integer(4))
    func stored(_ index: Int) -> ContentHash? {
      integer(8) & 1 << Int64(index) == 0 ? nil : ContentHash(value: UInt64(bitPattern: integer(5 + index)))
    }
    (hash, maskHash, pairedHash) = (stored(0), stored(1), stored(2))
  }
}

extension AxisPlacement {
  /// What a record holds of an axis; nil for numbers that no placement has.
  fileprivate init?(extent: Int, stored: [Int]) {
    let (lower, upper, resampled, count, offset) = (stored[0], stored[1], stored[2], stored[3], stored[4])
    let sane = 1...(1 << 30)
    guard lower >= 0, lower < upper, upper <= extent, sane.contains(resampled), sane.contains(count), offset < count,
      offset > -resampled
    else { return nil }
    self.init(extent: extent, source: lower..<upper, resampled: resampled, count: count, offset: offset)
  }
}
