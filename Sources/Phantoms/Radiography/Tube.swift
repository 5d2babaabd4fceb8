/// A bent tube of varying radius in the frontal plane: ribs, vessels, airways, catheters.
struct Tube: Sendable {
  /// A point of the tube's centre line.
  struct Node: Sendable {
    /// Patient coordinates in centimetres.
    var position: SIMD2<Float>
    /// Outer radius in centimetres.
    var radius: Float
    /// Factor of the chord length here; 1 is solid matter.
    var density: Float = 1
  }

  /// The centre line, at least two nodes.
  var nodes: [Node]
  /// How much emptier the core is than the wall: 0 for a solid tube, 1 for a hollow one.
  var hollowness: Float = 0
  /// Radius of the core as a fraction of the outer radius.
  var coreRadius: Float = 0.7
}

extension Tube {
  /// Adds `scale` times the length, in centimetres, that a ray runs through the tubes to `map` (row by row, `frame`'s size).
  ///
  /// Where tubes of one call cross, the longest path counts: they are one branching body.
  static func add(_ tubes: [Tube], to map: inout [Float], frame: PatientFrame, scale: Float) {
    guard let window = Window(around: tubes, frame: frame) else { return }
    var paths = [Float](repeating: 0, count: window.width * window.height)
    paths.withUnsafeMutableBufferPointer { paths in
      for tube in tubes {
        for (first, second) in zip(tube.nodes, tube.nodes.dropFirst()) {
          tube.trace(from: first, to: second, into: paths, window: window, frame: frame)
        }
      }
    }
    for row in 0..<window.height {
      let target = (window.firstRow + row) * frame.size + window.firstColumn
      for column in 0..<window.width {
        map[target + column] += scale * paths[row * window.width + column]
      }
    }
  }

  /// Raises `paths` to the chord lengths of one conical segment. A tube thinner than `Window.thinnest` is spread over the
  /// nearest pixels so that its area is kept.
  private func trace(
    from first: Node, to second: Node, into paths: UnsafeMutableBufferPointer<Float>, window: Window,
    frame: PatientFrame
  ) {
    let start = frame.pixelPosition(of: first.position)
    let along = frame.pixelPosition(of: second.position) - start
    let firstRadius = first.radius / frame.pixelPitch
    let secondRadius = second.radius / frame.pixelPitch
    let reach = max(firstRadius, secondRadius, 1)
    let end = start + along
    let columns = window.columns(from: min(start.x, end.x) - reach, to: max(start.x, end.x) + reach)
    let rows = window.rows(from: min(start.y, end.y) - reach, to: max(start.y, end.y) + reach)
    let squaredLength = max((along * along).sum(), 1e-6)
    for row in rows {
      for column in columns {
        let offset = SIMD2(Float(column), Float(row)) - start
        let fraction = min(max((offset * along).sum() / squaredLength, 0), 1)
        let away = offset - fraction * along
        let distance = (away * away).sum()
        let radius = firstRadius + fraction * (secondRadius - firstRadius)
        let core = coreRadius * radius
        let chord: Float
        if radius < Window.thinnest {
          let area = Float.pi * (radius * radius - hollowness * core * core)
          chord = area * max(1 - distance.squareRoot(), 0)
        } else {
          let inner = max(core * core - distance, 0).squareRoot()
          chord = 2 * (max(radius * radius - distance, 0).squareRoot() - hollowness * inner)
        }
        let density = first.density + fraction * (second.density - first.density)
        let path = chord * density * frame.pixelPitch
        let index = (row - window.firstRow) * window.width + column - window.firstColumn
        paths[index] = max(paths[index], path)
      }
    }
  }
}

/// The rectangle of pixels that tubes may touch.
private struct Window {
  /// The radius, in pixels, at which a tube's chord equals its area's share of one pixel: below, chords would be missed
  /// between the pixels' centres.
  static let thinnest = 2 / Float.pi

  let firstColumn: Int
  let firstRow: Int
  let width: Int
  let height: Int

  /// The smallest window inside the image that holds all `tubes`; nil when they lie outside it.
  init?(around tubes: [Tube], frame: PatientFrame) {
    var low = SIMD2<Float>(repeating: .greatestFiniteMagnitude)
    var high = -low
    for node in tubes.lazy.flatMap(\.nodes) {
      let reach = SIMD2(repeating: max(node.radius / frame.pixelPitch, 1))
      let position = frame.pixelPosition(of: node.position)
      low = pointwiseMin(low, position - reach)
      high = pointwiseMax(high, position + reach)
    }
    let last = Float(frame.size - 1)
    guard low.x <= last, low.y <= last, high.x >= 0, high.y >= 0 else { return nil }
    firstColumn = Int(max(low.x, 0))
    firstRow = Int(max(low.y, 0))
    width = Int(min(high.x, last)) - firstColumn + 1
    height = Int(min(high.y, last)) - firstRow + 1
  }

  func columns(from low: Float, to high: Float) -> Range<Int> {
    Self.range(from: low, to: high, first: firstColumn, count: width)
  }

  func rows(from low: Float, to high: Float) -> Range<Int> {
    Self.range(from: low, to: high, first: firstRow, count: height)
  }

  private static func range(from low: Float, to high: Float, first: Int, count: Int) -> Range<Int> {
    let start = min(max(low, Float(first)), Float(first + count))
    let end = min(max(high, start), Float(first + count - 1))
    return Int(start)..<max(Int(end) + 1, Int(start))
  }
}
