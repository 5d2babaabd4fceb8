import MedicalImaging
import Reporting
import Testing

@Suite("Heat maps")
struct HeatMapTests {
  @Test("Bilinear resizing has half-pixel centres and repeats the edges")
  func resizing() throws {
    let map = try HeatMap(values: [0, 4], width: 2, height: 1)
    #expect(map.resized(width: 4, height: 2).values == [0, 1, 3, 4, 0, 1, 3, 4])
    #expect(map.resized(width: 2, height: 1) == map)
    #expect(
      try HeatMap(values: [3], width: 1, height: 1).resized(width: 3, height: 2).values == Array(repeating: 3, count: 6)
    )
    let plane = try HeatMap(values: [0, 1, 2, 3], width: 2, height: 2).resized(width: 4, height: 4)
    // Row 1, column 1 lies a quarter of the way from the first centre in both directions.
    #expect(plane.values[5] == 0.75)
  }

  @Test("Where the map is at or below the range the image stays as it is")
  func below() throws {
    let image = Image2D(width: 3, height: 1, samples: [10, 100, 250], range: 0...255)
    let overlay = try HeatMap(values: [-5, 0.5, 1], width: 3, height: 1).overlaid(on: image, in: 0.5...1)
    #expect(overlay.channels == 3 && overlay.range == 0...255)
    #expect([overlay.samples[0], overlay.samples[3], overlay.samples[6]] == [10, 10, 10])
    #expect([overlay.samples[1], overlay.samples[4], overlay.samples[7]] == [100, 100, 100])
    #expect(overlay.samples[2] != 250)
  }

  @Test("Opacity rises with the value: image + α · (colour − image)")
  func opacity() throws {
    let image = Image2D(width: 3, height: 1, samples: [0, 0.5, 1], range: 0...1)
    let white = ColourMap(colours: [Colour(red: 255, green: 0, blue: 0), Colour(red: 255, green: 0, blue: 0)])
    let overlay = try HeatMap(values: [2, 1, 9], width: 3, height: 1)
      .overlaid(on: image, in: 0...2, style: .init(colourMap: white, maximumOpacity: 0.8))
    #expect(close(Array(overlay.samples[0..<3]), [0.8 * 255, 127.5 + 0.4 * 127.5, 255]))
    #expect(close(Array(overlay.samples[3..<6]), [0, 127.5 * 0.6, 255 * 0.2]))
  }

  @Test("A window chooses black and white, and colour images turn grey")
  func window() throws {
    let raw = Image2D(width: 4, height: 1, samples: [0, 1000, 2000, 3000], range: 0...65535)
    #expect(raw.displayed(in: 1000...2000).samples == [0, 0, 255, 255])
    #expect(raw.displayed(in: 0...3000).range == 0...255)
    #expect(raw.displayed(in: 1000...1000).samples == [0, 0, 255, 255])
    let colour = Image2D(width: 1, height: 1, channels: 3, samples: [100, 100, 100], range: 0...255)
    #expect(colour.displayed(in: 0...255).samples == [100])
  }

  @Test("A contour draws the rim of the mask inwards and nothing else")
  func contour() throws {
    let image = Image2D(width: 5, height: 5, samples: [Float](repeating: 50, count: 25), range: 0...255)
    var mask = [Bool](repeating: false, count: 25)
    for row in 1...3 { for column in 1...3 { mask[row * 5 + column] = true } }
    let map = try HeatMap(values: [0], width: 1, height: 1)
    let line = Colour(red: 1, green: 2, blue: 3)
    let overlay = try map.overlaid(on: image, in: 0...1, contour: Contour(mask: mask, colour: line, thickness: 1))
    let drawn = overlay.samples.prefix(25).enumerated().filter { $0.element == 1 }.map(\.offset)
    #expect(drawn == [6, 7, 8, 11, 13, 16, 17, 18])
    #expect(overlay.samples[12] == 50 && overlay.samples[25 + 6] == 2 && overlay.samples[50 + 6] == 3)
    let thick = try map.overlaid(on: image, in: 0...1, contour: Contour(mask: mask, colour: line, thickness: 2))
    #expect(thick.samples[12] == 1)
    let whole = try map.overlaid(
      on: image, in: 0...1, contour: Contour(mask: [Bool](repeating: true, count: 25), colour: line))
    #expect(whole.samples[0] == 1 && whole.samples[6] == 50)
  }

  @Test("The shared display range is a pair of percentiles of the normal maps, linear between values")
  func displayRange() throws {
    let maps = [
      try HeatMap(values: [4, 0, 3], width: 3, height: 1), try HeatMap(values: [1, 2], width: 1, height: 2),
    ]
    #expect(try HeatMap.displayRange(ofNormal: maps, shares: 0.125...1) == 0.5...4)
    #expect(maps[0].extremes == 0...4)
    #expect(throws: ReportingError.noMaps) { try HeatMap.displayRange(ofNormal: []) }
  }

  @Test("A map alone is coloured over its range, even where that is a single value")
  func coloured() throws {
    let map = ColourMap(colours: [Colour(red: 0, green: 0, blue: 0), Colour(red: 200, green: 100, blue: 50)])
    let image = try HeatMap(values: [1, 2, 3], width: 3, height: 1).coloured(in: 1...3, by: map)
    #expect(image.samples == [0, 100, 200, 0, 50, 100, 0, 25, 50])
    #expect(
      try HeatMap(values: [1, 2], width: 2, height: 1).coloured(in: 1...1, by: map).samples == [0, 200, 0, 100, 0, 50])
  }

  @Test("Maps and masks of the wrong size and values that are not finite are named")
  func refusals() throws {
    expectMessage("The anomaly map has 3 values; 2 x 2 pixels need 4.") {
      _ = try HeatMap(values: [1, 2, 3], width: 2, height: 2)
    }
    expectMessage("The anomaly map's value in row 1, column 0 is not a finite number; score the image again.") {
      _ = try HeatMap(values: [1, 2, .nan, 3], width: 2, height: 2)
    }
    let image = Image2D(width: 2, height: 1, samples: [0, 1])
    expectMessage("The mask has 1 pixels; an image of 2 x 1 needs 2.") {
      _ = try HeatMap(values: [1], width: 1, height: 1).overlaid(on: image, in: 0...1, contour: Contour(mask: [true]))
    }
  }

  private func close(_ found: [Float], _ expected: [Float]) -> Bool {
    found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) < 1e-3 }
  }
}

/// Expects an error that describes itself exactly so.
func expectMessage(
  _ message: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("No error was thrown", sourceLocation: sourceLocation)
  } catch {
    #expect("\(error)" == message, sourceLocation: sourceLocation)
  }
}
