public import MedicalImaging

/// Small pictures in rows as one picture, a coloured stripe in front of each row.
public struct ThumbnailSheet: Equatable, Sendable {
  /// One row.
  public struct Row: Equatable, Sendable {
    /// The colour of the stripe.
    public var stripe: Colour
    /// The pictures; their range is black to white, whatever theirs is.
    public var pictures: [Image2D]

    /// Creates a row.
    public init(stripe: Colour, pictures: [Image2D]) { (self.stripe, self.pictures) = (stripe, pictures) }
  }

  /// From top to bottom.
  public var rows: [Row]
  /// The side of the square that each picture is fitted into, in pixels.
  public var cellExtent: Int

  /// Creates a sheet.
  public init(rows: [Row], cellExtent: Int = 128) { (self.rows, self.cellExtent) = (rows, cellExtent) }

  /// The sheet in colours, 0 ... 255, on dark grey. Pictures are reduced by whole factors and stand in the middle of their place.
  public var picture: Image2D {
    let (gap, stripe) = (4, 10)
    let columns = max(rows.map(\.pictures.count).max() ?? 0, 1)
    let width = stripe + gap + columns * (cellExtent + gap)
    let height = max(rows.count, 1) * (cellExtent + gap) + gap
    var planes = [[Float]](repeating: [Float](repeating: 24, count: width * height), count: 3)
    func fill(_ plane: Int, x: Int, y: Int, _ value: Float) { planes[plane][y * width + x] = value }
    for (row, content) in rows.enumerated() {
      let top = gap + row * (cellExtent + gap)
      for (plane, value) in [content.stripe.red, content.stripe.green, content.stripe.blue].enumerated() {
        for y in top..<top + cellExtent { for x in 0..<stripe { fill(plane, x: x, y: y, value) } }
      }
      for (column, picture) in content.pictures.enumerated() {
        let small = picture.reduced(toExtent: cellExtent)
        let left = stripe + gap + column * (cellExtent + gap) + (cellExtent - small.width) / 2
        let above = top + (cellExtent - small.height) / 2
        let pixels = small.width * small.height
        for plane in 0..<3 {
          let start = small.channels == 3 ? plane * pixels : 0
          for pixel in 0..<pixels {
            let position = HeatMap.position(of: small.samples[start + pixel], in: small.range)
            fill(plane, x: left + pixel % small.width, y: above + pixel / small.width, 255 * position)
          }
        }
      }
    }
    return Image2D(width: width, height: height, channels: 3, samples: planes.flatMap { $0 }, range: 0...255)
  }
}
