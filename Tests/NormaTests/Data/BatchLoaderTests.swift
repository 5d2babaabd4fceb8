import Foundation
import MedicalImaging
import Testing

@testable import Norma

@Suite("Loading batches ahead of time")
struct BatchLoaderTests {
  private func images(
    _ count: Int, in folder: TemporaryFolder, memoryLimit: Int = .max
  ) async throws -> PreparedImages {
    let items = try (0..<count).map {
      DataItem(name: "\($0)", path: try folder.write("\($0).png", Fixtures.image($0, width: 8, height: 8)))
    }
    return try await PreparedImages(items, for: Fixtures.unit(8), memoryLimit: memoryLimit)
  }

  private func batches(_ loader: BatchLoader) throws -> [(values: [[Float]], indices: [Int])] {
    var all: [(values: [[Float]], indices: [Int])] = []
    while let batch = try loader.next() { all.append(batch) }
    return all
  }

  @Test("Batches come in the given order, the last with what is left")
  func order() async throws {
    let folder = try TemporaryFolder()
    let images = try await images(7, in: folder)
    let loader = BatchLoader(images, order: [6, 0, 5, 1, 4, 2, 3], batchSize: 3)
    let all = try batches(loader)
    #expect(all.map(\.indices) == [[6, 0, 5], [1, 4, 2], [3]])
    for (values, indices) in all {
      #expect(values == indices.map { Fixtures.image($0, width: 8, height: 8).samples.map { $0 / 255 } })
    }
    #expect(loader.waited >= 0)
    #expect(try loader.next() == nil)
  }

  @Test("A last batch that is too small is dropped, a full one is not")
  func smallestBatch() async throws {
    let folder = try TemporaryFolder()
    let images = try await images(7, in: folder)
    let odd = try batches(BatchLoader(images, order: Array(0..<7), batchSize: 3, smallestBatch: 2))
    #expect(odd.map(\.indices) == [[0, 1, 2], [3, 4, 5]])
    let even = try batches(BatchLoader(images, order: Array(0..<5), batchSize: 3, smallestBatch: 2))
    #expect(even.map(\.indices) == [[0, 1, 2], [3, 4]])
  }

  @Test("Batches that were used before a resume are skipped", arguments: 0...5)
  func skipping(_ skipped: Int) async throws {
    let folder = try TemporaryFolder()
    let images = try await images(7, in: folder)
    let loader = BatchLoader(images, order: Array(0..<7), batchSize: 2, skipped: skipped)
    #expect(try batches(loader).map(\.indices) == Array([[0, 1], [2, 3], [4, 5], [6]].dropFirst(skipped)))
  }

  @Test("Images that memory does not hold are read again, to the same values", arguments: [0, 3 * 8 * 8 * 4])
  func memoryLimit(_ limit: Int) async throws {
    let folder = try TemporaryFolder()
    let cached = try await images(6, in: folder)
    let limited = try await images(6, in: folder, memoryLimit: limit)
    #expect(limited.items == cached.items && limited.grids == cached.grids)
    #expect(try (0..<6).map { try limited.values(at: $0) } == (0..<6).map { try cached.values(at: $0) })
    try FileManager.default.removeItem(atPath: cached.items[5].path)
    #expect(try cached.values(at: 5).count == 64)
    #expect(throws: ImageError.missing(path: cached.items[5].path)) { try limited.values(at: 5) }
  }

  @Test("A file that went away is an error of its batch, and the others still come")
  func errors() async throws {
    let folder = try TemporaryFolder()
    let images = try await images(6, in: folder, memoryLimit: 0)
    try FileManager.default.removeItem(atPath: images.items[2].path)
    let loader = BatchLoader(images, order: Array(0..<6), batchSize: 2)
    #expect(try loader.next()?.indices == [0, 1])
    #expect(throws: ImageError.missing(path: images.items[2].path)) { try loader.next() }
    #expect(try loader.next()?.indices == [4, 5])
  }

  @Test("A loader that nobody needs any more ends its thread and lets its images go")
  func cancellation() async throws {
    let folder = try TemporaryFolder()
    let images = try await images(2, in: folder)
    for _ in 0..<50 {
      let loader = BatchLoader(images, order: (0..<1000).map { $0 % 2 }, batchSize: 2)
      #expect(try loader.next()?.indices == [0, 1])
    }
    let threads = {
      (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task"))?.count { name in
        (try? String(contentsOfFile: "/proc/self/task/\(name)/comm", encoding: .utf8)) == "norma.loader\n"
      } ?? 0
    }
    for _ in 0..<200 where threads() > 20 { try await Task.sleep(for: .milliseconds(20)) }
    #expect(threads() <= 20)
  }

  @Test("Progress counts every image, whether memory holds it or not")
  func progress() async throws {
    let folder = try TemporaryFolder()
    let items = try (0..<5).map {
      DataItem(name: "\($0)", path: try folder.write("\($0).png", Fixtures.image($0, width: 8, height: 8)))
    }
    var told: [Int] = []
    _ = try await PreparedImages(items, for: Fixtures.unit(8), memoryLimit: 2 * 8 * 8 * 4) { told.append($0) }
    #expect(told == [1, 2, 3, 4, 5])
  }
}
