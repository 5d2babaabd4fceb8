import Foundation
public import MedicalImaging

extension Image2D {
  /// The image in grey for a screen: `window`'s lower bound and everything below is 0, its upper bound and above 255.
  /// - Parameter window: values for black and white; where it is a single value, larger ones are white.
  /// - Returns: one channel, range 0 ... 255.
  public func displayed(in window: ClosedRange<Float>) -> Image2D {
    let shown = grey.samples.map { 255 * HeatMap.position(of: $0, in: window) }
    return Image2D(
      width: width, height: height, samples: shown, range: 0...255, spacing: spacing, provenance: provenance)
  }

  /// An RGB image, range 0 ... 255, from one colour per pixel.
  init(colours: [Colour], width: Int, height: Int) {
    self.init(
      width: width, height: height, channels: 3,
      samples: colours.map(\.red) + colours.map(\.green) + colours.map(\.blue), range: 0...255)
  }

  /// The image with neither side above `extent`: means of square blocks; the last block of a row may be narrower.
  func reduced(toExtent extent: Int) -> Image2D {
    let factor = (max(width, height) + extent - 1) / max(extent, 1)
    guard factor > 1 else { return self }
    let (newWidth, newHeight) = ((width + factor - 1) / factor, (height + factor - 1) / factor)
    var reduced: [Float] = []
    reduced.reserveCapacity(newWidth * newHeight * channels)
    for channel in 0..<channels {
      for row in 0..<newHeight {
        for column in 0..<newWidth {
          let rows = row * factor..<min((row + 1) * factor, height)
          let columns = column * factor..<min((column + 1) * factor, width)
          var sum: Float = 0
          for y in rows { for x in columns { sum += samples[(channel * height + y) * width + x] } }
          reduced.append(sum / Float(rows.count * columns.count))
        }
      }
    }
    return Image2D(width: newWidth, height: newHeight, channels: channels, samples: reduced, range: range)
  }
}

extension Image2D {
  /// The image as the data URI of an 8-bit PNG.
  /// - Parameters:
  ///   - maximumExtent: the longest side in pixels; larger images are reduced.
  ///   - name: what to call the image in an error.
  func dataURI(maximumExtent: Int, named name: String) throws(ReportingError) -> String {
    do {
      return "data:image/png;base64,\(try PNG.encode(reduced(toExtent: maximumExtent)).base64EncodedString())"
    } catch {
      throw .notEmbeddable(image: name, error)
    }
  }
}
