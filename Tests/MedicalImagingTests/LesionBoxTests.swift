import MedicalImaging
import Testing

@Suite("Boxes in place of masks")
struct LesionBoxTests {
  private func drawn(_ boxes: [LesionBox], width: Int = 6, height: Int = 4) -> [String]? {
    boxes.marked(on: ImageGrid(width: width, height: height)).map { pixels in
      (0..<height).map { row in String(pixels[row * width..<(row + 1) * width].map { $0 ? "#" : "." }) }
    }
  }

  @Test("Pixels whose middle lies in a box are marked, those of several boxes together")
  func pixels() {
    #expect(
      drawn([LesionBox(left: 1, top: 1, right: 3, bottom: 3)]) == ["......", ".##...", ".##...", "......"])
    // The middles of columns 0 and 3 are 0.5 and 3.5, those of rows 1 and 2 are 1.5 and 2.5.
    #expect(
      drawn([LesionBox(left: 0.5, top: 1.5, right: 3.5, bottom: 2.5)]) == ["......", "###...", "......", "......"])
    #expect(
      drawn([LesionBox(left: 0.6, top: 1.4, right: 3.6, bottom: 2.6)]) == ["......", ".###..", ".###..", "......"])
    #expect(
      drawn([LesionBox(left: 0, top: 0, right: 2, bottom: 1), LesionBox(left: 1, top: 0, right: 6, bottom: 4)])
        == ["######", ".#####", ".#####", ".#####"])
    #expect(
      drawn([LesionBox(left: 1.1, top: 1.1, right: 1.4, bottom: 1.4)]) == ["......", "......", "......", "......"])
  }

  @Test("Boxes of an image at another size, and of volumes, are none; less than a pixel beyond the sides is cut off")
  func others() {
    #expect(
      drawn([LesionBox(left: -0.9, top: -0.5, right: 6.9, bottom: 4.4)]) == [String](repeating: "######", count: 4))
    for box in [
      LesionBox(left: 2, top: 2, right: 12, bottom: 4), LesionBox(left: 2, top: 2, right: 4, bottom: 5),
      LesionBox(left: -2, top: 0, right: 4, bottom: 3), LesionBox(left: 0, top: -1, right: 4, bottom: 3),
    ] {
      #expect(drawn([box]) == nil)
    }
    #expect([LesionBox(left: 0, top: 0, right: 1, bottom: 1)].marked(on: ImageGrid(extents: [2, 2, 2])) == nil)
  }
}
