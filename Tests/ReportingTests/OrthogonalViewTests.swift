import MedicalImaging
import Reporting
import Testing

@Suite("Three slices of a volume")
struct OrthogonalViewTests {
  /// Samples that are their own index in the patient's axes: 100 · head + 10 · front + right.
  private func samples(_ grid: ImageGrid, _ patient: (SIMD3<Int>) -> (right: Int, front: Int, head: Int)) -> [Float] {
    (0..<grid.count).map { index in
      let place = patient(
        SIMD3(index % grid.width, index / grid.width % grid.height, index / (grid.width * grid.height)))
      return Float(100 * place.head + 10 * place.front + place.right)
    }
  }

  /// The rows of a picture from one column on, without the background.
  private func rows(_ values: [Float], width: Int, columns: Range<Int>) -> [[Float]] {
    stride(from: 0, to: values.count, by: width).map {
      Array(values[$0..<$0 + width][($0 + columns.lowerBound)...].prefix(columns.count))
    }
    .filter { $0.contains { $0 >= 0 } }
  }

  @Test("Axial, coronal and sagittal slices: right on the left, front and head at the top, front on the left")
  func radiological() {
    let grid = ImageGrid(extents: [2, 3, 4])  // 4 to the right, 3 to the front, 2 to the head
    let view = OrthogonalView(of: grid, through: SIMD3(1, 2, 0))
    let values = view.values(of: samples(grid) { ($0.x, $0.y, $0.z) }, background: -1)
    #expect(view.width == 4 + 1 + 4 + 1 + 3 && view.height == 3)
    #expect(
      rows(values, width: view.width, columns: 0..<4) == [[23, 22, 21, 20], [13, 12, 11, 10], [3, 2, 1, 0]])
    #expect(rows(values, width: view.width, columns: 5..<9) == [[123, 122, 121, 120], [23, 22, 21, 20]])
    #expect(rows(values, width: view.width, columns: 10..<13) == [[121, 111, 101], [21, 11, 1]])
    #expect(values.count { $0 < 0 } == view.width * view.height - 4 * 3 - 4 * 2 - 3 * 2)
  }

  @Test("A volume stored in other axes gives the same picture")
  func orientation() {
    let plain = ImageGrid(extents: [2, 3, 4])
    let expected = OrthogonalView(of: plain, through: SIMD3(1, 2, 0))
    // x runs towards the feet, y towards the left, z towards the front.
    let affine = Affine3D(x: SIMD3(0, 0, -1), y: SIMD3(-1, 0, 0), z: SIMD3(0, 1, 0))
    let stored = ImageGrid(extents: [3, 4, 2], affine: affine)
    let view = OrthogonalView(of: stored, through: SIMD3(1, 2, 2))
    let values = view.values(of: samples(stored) { (3 - $0.y, $0.z, 1 - $0.x) }, background: -1)
    #expect(values == expected.values(of: samples(plain) { ($0.x, $0.y, $0.z) }, background: -1))
  }

  @Test("Slices have one scale in millimetres: thick slices are drawn thick")
  func aspect() {
    let grid = ImageGrid(extents: [2, 3, 4], affine: Affine3D(spacing: SIMD3(1, 2, 5)))
    let view = OrthogonalView(of: grid, through: SIMD3(0, 0, 0))
    #expect(view.width == 4 + 1 + 4 + 1 + 6 && view.height == 10)
    let values = view.values(of: samples(grid) { ($0.x, $0.y, $0.z) }, background: -1)
    let coronal = rows(values, width: view.width, columns: 5..<9)
    #expect(coronal == Array(repeating: [103, 102, 101, 100], count: 5) + Array(repeating: [3, 2, 1, 0], count: 5))
    let axial = rows(values, width: view.width, columns: 0..<4)
    #expect(axial == [23, 13, 3].flatMap { top in Array(repeating: (0..<4).map { Float(top - $0) }, count: 2) })
  }

  @Test("A picture has the window for black and white, and black around the slices")
  func picture() {
    let grid = ImageGrid(extents: [1, 2, 2])
    let picture = OrthogonalView(of: grid, through: SIMD3(9, -3, 0)).picture(of: [1, 2, 3, 40], window: 0.5...15)
    #expect(picture.range == 0.5...15 && picture.channels == 1)
    #expect(Set(picture.samples) == [0.5, 1, 2, 3, 40])
  }

  @Test("Voxels of absurd proportions make no absurd picture")
  func absurd() {
    let grid = ImageGrid(extents: [2, 3, 4], affine: Affine3D(spacing: SIMD3(1e-6, 1, 1e3)))
    let view = OrthogonalView(of: grid, through: .zero)
    #expect(view.width <= 3 * 1024 + 128 && view.height <= 1024)
  }
}
