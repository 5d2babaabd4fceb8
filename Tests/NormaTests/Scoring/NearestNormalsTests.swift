import MedicalImaging
import Testing
import Torch

@testable import Norma

@Suite("Distances to the nearest normal images")
struct NearestNormalsTests {
  private let count = 9
  private let width = 4

  private func features(_ count: Int, seed: UInt64) -> [[Float]] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { _ in (0..<width).map { Float(random.normal(mean: Double($0), sd: Double($0 + 1))) } }
  }

  private func tensor(_ rows: [[Float]]) throws -> Tensor {
    try Tensor(rows.flatMap { $0 }, shape: [rows.count, width])
  }

  /// The population standard deviation of every feature.
  private func deviations(of rows: [[Float]]) -> [Double] {
    (0..<width).map { axis in
      let column = rows.map { Double($0[axis]) }
      let mean = column.reduce(0, +) / Double(rows.count)
      let squares = column.map { ($0 - mean) * ($0 - mean) }
      return (squares.reduce(0, +) / Double(rows.count)).squareRoot()
    }
  }

  /// The same by plain loops: distances, and the neighbours by distance.
  private func expected(
    _ queries: [[Float]], _ references: [[Float]], neighbours: Int, skipsItself: Bool
  ) -> [(distance: Double, indices: [Int])] {
    let deviations = deviations(of: references)
    return queries.enumerated().map { index, query in
      var ranked: [(distance: Double, index: Int)] = []
      for (other, reference) in references.enumerated() where !(skipsItself && other == index) {
        var squares = 0.0
        for axis in 0..<width {
          let difference = Double(query[axis] - reference[axis]) / deviations[axis]
          squares += difference * difference
        }
        ranked.append((squares.squareRoot(), other))
      }
      let nearest = ranked.sorted { $0.distance < $1.distance }.prefix(neighbours)
      return (nearest.reduce(0) { $0 + $1.distance } / Double(nearest.count), nearest.map(\.index))
    }
  }

  @Test("They equal plain loops", arguments: [1, 3, 9, 20, Int.max])
  func plainLoops(_ neighbours: Int) throws {
    let (references, queries) = (features(count, seed: 1), features(5, seed: 2))
    let normals = try NearestNormals(fitting: tensor(references), neighbours: neighbours)
    let (distances, indices) = try normals.nearest(to: tensor(queries), areReferences: false)
    let expected = expected(queries, references, neighbours: neighbours, skipsItself: false)
    #expect(largestDifference(try distances.values(as: Double.self), expected.map(\.distance)) < 1e-4)
    #expect(try indices.values(as: Int.self) == expected.flatMap(\.indices))
  }

  @Test("A normal image is not its own neighbour", arguments: [1, 3, 20, Int.max])
  func leavesItselfOut(_ neighbours: Int) throws {
    let references = features(count, seed: 1)
    let normals = try NearestNormals(fitting: tensor(references), neighbours: neighbours)
    let (distances, indices) = try normals.nearest(to: tensor(references), areReferences: true)
    let expected = expected(references, references, neighbours: neighbours, skipsItself: true)
    #expect(largestDifference(try distances.values(as: Double.self), expected.map(\.distance)) < 1e-3)
    #expect(try indices.values(as: Int.self) == expected.flatMap(\.indices))
    let seen = try normals.nearest(to: tensor(references), areReferences: false)
    #expect(try seen.indices.sliced(0..<1, axis: 1).values(as: Int.self) == Array(0..<count))
  }

  @Test("Nor are other slices of its volume", arguments: [1, 3, Int.max])
  func leavesItsVolumeOut(_ neighbours: Int) throws {
    let references = features(count, seed: 1)
    let subjects = [0, 0, 0, 1, 1, 2, 2, 2, 2]
    let normals = try NearestNormals(fitting: tensor(references), neighbours: neighbours)
    let rows = [7, 0, 4]
    let found = try normals.nearest(
      to: tensor(rows.map { references[$0] }), areReferences: .among(subjects, at: rows))
    let wanted = min(neighbours, 5)  // of volume 2 there are four, and of the others five
    let ranked = expected(rows.map { references[$0] }, references, neighbours: count, skipsItself: false)
    for (row, list) in zip(rows.indices, ranked) {
      let others = list.indices.filter { subjects[$0] != subjects[rows[row]] }.prefix(wanted)
      #expect(try found.indices.selected(row, axis: 0).values(as: Int.self) == Array(others))
    }
    // One volume alone is compared with itself.
    let alone = try normals.nearest(
      to: tensor(references), areReferences: .among([Int](repeating: 0, count: count), at: Array(0..<count)))
    let itself = try normals.nearest(to: tensor(references), areReferences: true)
    #expect(try alone.indices.values(as: Int.self) == itself.indices.values(as: Int.self))
  }

  @Test("A feature that never changes does not divide by zero")
  func constantFeature() throws {
    let rows = features(count, seed: 3).map { [7] + $0.dropFirst() }
    let normals = try NearestNormals(fitting: tensor(rows), neighbours: 2)
    #expect(try normals.nearest(to: tensor(rows), areReferences: true).distances.values().allSatisfy(\Float.isFinite))
  }

  @Test("What a checkpoint keeps gives the same distances")
  func state() throws {
    let normals = try NearestNormals(fitting: tensor(features(count, seed: 1)), neighbours: 3)
    let state = normals.state(prefix: "x")
    #expect(state.keys.sorted() == ["x.deviation", "x.mean", "x.references"])
    let restored = try #require(NearestNormals(state, prefix: "x", neighbours: 3))
    let queries = try tensor(features(5, seed: 2))
    #expect(
      try restored.nearest(to: queries, areReferences: false).distances.values()
        == (normals.nearest(to: queries, areReferences: false).distances.values() as [Float]))
    #expect(NearestNormals(state, prefix: "y", neighbours: 3) == nil)
  }
}
