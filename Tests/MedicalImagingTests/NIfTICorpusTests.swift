import Foundation
import MedicalImaging
import Testing

/// nibabel's own test files, files of every kind that it writes, and files that we write, against nibabel.
@Suite("NIfTI and nibabel", .enabled(if: ReferencePython.isInstalled, Comment(rawValue: ReferencePython.absence)))
struct NIfTICorpusTests {
  private struct Entry: Decodable {
    let path: String
    let name: String
    let samples: String?
    let extents: [Int]?
    let affine: [Double]?
    let reason: String?

    /// A file that nibabel reads: its volumes, each with x fastest, and three rows of its affine.
    func content() throws -> (sides: [Int], volumes: [[Double]], affine: [Double])? {
      guard let samples, let extents, let affine else { return nil }
      let numbers = try Data(contentsOf: URL(fileURLWithPath: samples)).numbers(Double.self)
      let sides = Array(extents.prefix(3))
      let count = sides.reduce(1, *)
      return (sides, stride(from: 0, to: numbers.count, by: count).map { Array(numbers[$0..<$0 + count]) }, affine)
    }
  }

  private func entries(_ task: String, _ folder: TemporaryFolder) throws -> [Entry] {
    try ReferencePython.run(script: "nifti_corpus.py", task, folder.path)
    return try JSONDecoder().decode(
      [Entry].self, from: Data(contentsOf: URL(fileURLWithPath: folder.path + "/index.json")))
  }

  /// Whether a volume's samples are the numbers to the last bit, and its affine is nibabel's to what its header can hold.
  private func agree(_ volume: Volume3D, _ sides: [Int], _ numbers: [Double], _ affine: [Double]) -> Bool {
    let mine = volume.affine.matrix.prefix(3).flatMap { $0 }
    let extent = affine.map(abs).max() ?? 1
    return [volume.width, volume.height, volume.depth] == sides && volume.samples == numbers.map { Float($0) }
      && zip(mine, affine).allSatisfy { abs($0 - $1) <= 1e-6 * extent }
  }

  @Test("Each file is read to nibabel's numbers and affine, or refused with a reason")
  func files() throws {
    let folder = try TemporaryFolder()
    var (carried, written, others, refused, infinite) = (0, 0, 0, 0, 0)
    for entry in try entries("files", folder) {
      let isWritten = entry.path.hasPrefix(folder.path)
      guard let content = try entry.content() else {
        // What nibabel does not read as NIfTI is none, is incomplete, or CIFTI, which places nothing in a patient.
        if (try? VolumeReader.read(entry.path)) == nil { refused += 1 } else { others += 1 }
        continue
      }
      for (index, numbers) in content.volumes.enumerated() {
        let path = content.volumes.count == 1 ? entry.path : "\(entry.path)#\(index)"
        guard numbers.allSatisfy(\.isFinite) else {
          #expect(throws: ImageError.self, "\(path)") { try VolumeReader.read(path) }
          infinite += 1
          continue
        }
        #expect(agree(try VolumeReader.read(path), content.sides, numbers, content.affine), "\(path)")
      }
      if isWritten { written += 1 } else { carried += 1 }
    }
    print(
      "nibabel's corpus: \(carried) of its NIfTI files have the same numbers and affine, \(refused) that it does not read as "
        + "NIfTI are refused, \(others) read, \(infinite) with numbers that are not finite refused; \(written) files that it wrote have the same numbers and affine"
    )
    #expect(carried >= 7 && written == 120 && others == 0 && infinite <= 1)
  }

  @Test("nibabel reads what we write: numbers and affine, and we read it again")
  func written() throws {
    let folder = try TemporaryFolder()
    var random = SeededGenerator(seed: 5)
    var volumes: [String: Volume3D] = [:]
    for number in 0..<24 {
      let sides = (0..<3).map { _ in Int.random(in: 1...9, using: &random) }
      let isBytes = number % 3 == 0
      let samples = (0..<sides.reduce(1, *)).map { _ in
        isBytes ? Float(Int.random(in: 0...255, using: &random)) : Float.random(in: -1e4...1e4, using: &random)
      }
      func column() -> SIMD3<Double> { .random(in: -3...3, using: &random) }
      let volume = Volume3D(
        width: sides[0], height: sides[1], depth: sides[2], samples: samples,
        affine: Affine3D(x: column(), y: column(), z: column(), origin: 50 * column()))
      let name = "\(number).nii" + (number % 2 == 0 ? ".gz" : "")
      try NIfTI.write(volume, to: folder.path + "/" + name, as: isBytes ? .uint8 : .float32)
      volumes[name] = volume
    }
    let entries = try entries("read", folder)
    #expect(entries.count == volumes.count)
    for entry in entries {
      let volume = try #require(volumes[entry.name])
      let content = try #require(try entry.content(), "\(entry.name): \(entry.reason ?? "")")
      #expect(agree(volume, content.sides, content.volumes[0], content.affine), "\(entry.name)")
      let again = try VolumeReader.read(entry.path)
      #expect(agree(again, content.sides, content.volumes[0], content.affine), "\(entry.name)")
    }
  }
}
