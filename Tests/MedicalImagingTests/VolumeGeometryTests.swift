import MedicalImaging
import Testing

@Suite("Geometry of volumes")
struct VolumeGeometryTests {
  private let turned = Affine3D(
    x: SIMD3(0, 1.5, 0), y: SIMD3(-2, 0, 0), z: SIMD3(0, 0.5, -4), origin: SIMD3(10, -20, 30))

  @Test("An affine is its matrix: positions, spacing, rows")
  func matrix() {
    #expect(turned.matrix == [[0, -2, 0, 10], [1.5, 0, 0.5, -20], [0, 0, -4, 30], [0, 0, 0, 1]])
    #expect(turned.spacing == SIMD3(1.5, 2, 16.25.squareRoot()))
    #expect(turned.position(of: SIMD3(1, 2, 3)) == SIMD3(6, -17, 18))
    #expect(Affine3D(spacing: SIMD3(2, 3, 4)).matrix == [[2, 0, 0, 0], [0, 3, 0, 0], [0, 0, 4, 0], [0, 0, 0, 1]])
  }

  @Test("A grid of other extents covers the same space: its corners stay where they were")
  func resampled() throws {
    let grid = ImageGrid(extents: [6, 8, 10], affine: turned)
    let coarse = grid.resampled(to: [3, 2, 20])
    #expect(coarse.extents == [3, 2, 20] && coarse.width == 20 && coarse.height == 2 && coarse.depth == 3)
    let (before, after) = (try #require(grid.affine), try #require(coarse.affine))
    #expect(before.position(of: SIMD3(-0.5, -0.5, -0.5)) == after.position(of: SIMD3(-0.5, -0.5, -0.5)))
    #expect(before.position(of: SIMD3(9.5, 7.5, 5.5)) == after.position(of: SIMD3(19.5, 1.5, 2.5)))
    #expect(after.spacing == SIMD3(0.75, 8, 2 * 16.25.squareRoot()))
    #expect(ImageGrid(width: 4, height: 6).resampled(to: [3, 2]) == ImageGrid(width: 2, height: 3))
  }

  @Test("The volume's axes are found that run along the patient's, whatever their order and direction")
  func anatomicalAxes() {
    #expect(Affine3D(spacing: .one).anatomicalAxes.axes == [0, 1, 2])
    #expect(Affine3D(spacing: .one).anatomicalAxes.ascends == [true, true, true])
    #expect(turned.anatomicalAxes.axes == [1, 0, 2])
    #expect(turned.anatomicalAxes.ascends == [false, true, false])
    let order = Affine3D(x: SIMD3(0, 0, 1), y: SIMD3(0.9, 0.2, 0), z: SIMD3(0.3, -5, 0.1))
    #expect(order.anatomicalAxes.axes == [1, 2, 0])
    #expect(order.anatomicalAxes.ascends == [true, false, true])
    // Two axes lean towards the same side; each still gets its own.
    let leaning = Affine3D(x: SIMD3(1, 0, 0), y: SIMD3(0.8, 0.6, 0), z: SIMD3(0, 0, 1))
    #expect(leaning.anatomicalAxes.axes == [0, 1, 2])
  }

  @Test("Grids belong together when their extents and, to half a voxel, their corners agree")
  func coinciding() {
    func grid(_ change: (inout Affine3D) -> Void, extents: [Int] = [6, 8, 10]) -> ImageGrid {
      var affine = turned
      change(&affine)
      return ImageGrid(extents: extents, affine: affine)
    }
    let plain = grid { _ in }
    #expect(
      plain.coincides(with: plain) && ImageGrid(width: 3, height: 2).coincides(with: ImageGrid(width: 3, height: 2)))
    #expect(plain.coincides(with: grid { $0.origin.x += 0.7 }))
    #expect(!plain.coincides(with: grid { $0.origin.x += 0.8 }))  // voxels of 1.5 mm along the shortest side
    #expect(!plain.coincides(with: grid { $0.x *= 1.1 }))
    #expect(
      !plain.coincides(
        with: grid { $0 = Affine3D(x: -$0.x, y: $0.y, z: $0.z, origin: $0.position(of: SIMD3(9, 0, 0))) }))
    #expect(!plain.coincides(with: grid({ _ in }, extents: [6, 8, 9])))
    #expect(!plain.coincides(with: ImageGrid(width: 10, height: 8)))
  }

  @Test("Grids tell their size along x first")
  func descriptions() {
    #expect("\(ImageGrid(extents: [3, 4, 5]))" == "5×4×3 voxels")
    #expect("\(ImageGrid(width: 96, height: 90))" == "96×90 pixels")
    #expect(ImageGrid(extents: [3, 4, 5]).count == 60 && ImageGrid(width: 7, height: 2).depth == 1)
  }

  @Test("Normalising is (v − low) / (high − low) over the range or a window, cut outside of it")
  func normalised() {
    let volume = MedicalImage.volume(Volume3D(width: 2, height: 1, depth: 2, samples: [-5, 0, 5, 15]))
    #expect(volume.normalised() == [0, 0.25, 0.5, 1])
    #expect(volume.normalised(over: 0...10) == [0, 0, 0.5, 1])
    let flat = MedicalImage.volume(Volume3D(width: 1, height: 1, depth: 2, samples: [3, 3]))
    #expect(flat.normalised() == [0, 0])
    let colour = Image2D(width: 1, height: 1, channels: 3, samples: [255, 51, 0], range: 0...255)
    #expect(abs(MedicalImage.image(colour).normalised()[0] - (0.299 + 0.587 * 0.2)) < 1e-6)
  }

  @Test(
    "The extension of an image or a volume is taken off a name",
    arguments: [
      ("a/scan.nii.gz", "a/scan"), ("scan.1.NII", "scan.1"), ("x.PNG", "x"), ("b.jpeg", "b"), ("scan.gz", "scan"),
      ("plain", "plain"), ("mask.dat", "mask"),
    ])
  func stems(_ name: String, _ stem: String) {
    #expect(MedicalImage.stem(of: name) == stem)
  }
}
