import MedicalImaging
import Testing

@testable import Phantoms

@Suite("Chest phantom lesions")
struct ChestLesionTests {
  typealias Lesion = ChestPhantom.Lesion

  private func phantom(photons: Double = 30_000) throws -> ChestPhantom {
    var configuration = ChestPhantom.Configuration()
    configuration.size = 64
    configuration.scatter = 0
    configuration.photonsPerPixel = photons
    return try ChestPhantom(configuration: configuration)
  }

  /// The pixels of `mask` and all within `reach` pixels of them.
  private func dilated(_ mask: [Bool], size: Int, reach: Int) -> [Bool] {
    var result = mask
    for index in mask.indices where mask[index] {
      let (row, column) = index.quotientAndRemainder(dividingBy: size)
      for nearRow in max(row - reach, 0)...min(row + reach, size - 1) {
        for nearColumn in max(column - reach, 0)...min(column + reach, size - 1) {
          result[nearRow * size + nearColumn] = true
        }
      }
    }
    return result
  }

  @Test("Out of the lesion's reach the image is the healthy one, noise included", arguments: Lesion.allCases)
  func samePatient(_ lesion: Lesion) throws {
    let phantom = try phantom()
    for seed in UInt64(0)..<3 {
      let healthy = phantom.image(seed: seed).image.samples
      let ill = phantom.image(seed: seed, lesion: lesion).image.samples
      let change = phantom.attenuationChange(seed: seed, lesion: lesion)
      let touched = dilated(change.map { $0 != 0 }, size: 64, reach: 1)
      #expect(touched.contains(false))
      #expect(healthy.indices.allSatisfy { touched[$0] || healthy[$0] == ill[$0] })
    }
  }

  @Test("Outside its mask a lesion changes no pixel by more than a few grey values", arguments: Lesion.allCases)
  func mask(_ lesion: Lesion) throws {
    let phantom = try phantom(photons: 0)
    for seed in UInt64(0)..<4 {
      let healthy = phantom.image(seed: seed).image.samples
      let ill = phantom.image(seed: seed, lesion: lesion)
      let difference = zip(ill.image.samples, healthy).map { $0 - $1 }
      let near = dilated(ill.mask, size: 64, reach: 1)
      let outside = difference.indices.filter { !near[$0] }.map { abs(difference[$0]) }
      let inside = difference.indices.filter { ill.mask[$0] }.map { difference[$0] }
      #expect(try #require(outside.max()) < 5)
      #expect(try #require(inside.map(abs).max()) > 8)
      let mean = inside.reduce(0, +) / Float(inside.count)
      #expect(lesion == .missingRib ? mean < 0 : mean > 0)
    }
  }

  @Test("A mask's area is that of its kind of lesion", arguments: Lesion.allCases)
  func area(_ lesion: Lesion) throws {
    let phantom = try phantom()
    let bounds: ClosedRange<Float> =
      switch lesion {
      case .consolidation: 0.008...0.06
      case .nodule: 0.0008...0.025
      case .effusion: 0.004...0.11
      case .missingRib: 0.01...0.04
      case .foreignObject: 0.002...0.04
      }
    for seed in UInt64(100)..<120 {
      let change = phantom.attenuationChange(seed: seed, lesion: lesion)
      let area = Float(change.count { abs($0) > ChestPhantom.maskThreshold }) / Float(change.count)
      #expect(bounds.contains(area), "seed \(seed)")
    }
  }

  @Test("The mask is the line integrals' change above the threshold")
  func threshold() throws {
    let phantom = try phantom()
    let change = phantom.attenuationChange(seed: 5, lesion: .effusion)
    #expect(phantom.image(seed: 5, lesion: .effusion).mask == change.map { abs($0) > 0.04 })
    #expect(phantom.image(seed: 5).mask == [Bool](repeating: false, count: 64 * 64))
  }

  @Test("A missing rib takes away bone that the healthy patient has")
  func missingRib() throws {
    let phantom = try phantom()
    for seed in UInt64(0)..<4 {
      let healthy = phantom.attenuation(seed: seed)
      let change = phantom.attenuationChange(seed: seed, lesion: .missingRib)
      #expect(change.allSatisfy { $0 <= 0 })
      #expect(zip(healthy, change).allSatisfy { $0 + $1 > -1e-4 })
    }
  }

  @Test("The lesion contrast scales the change")
  func contrast() throws {
    var configuration = try phantom().configuration
    configuration.lesionContrast = 0.5
    let faint = try ChestPhantom(configuration: configuration).attenuationChange(seed: 8, lesion: .nodule)
    let full = try phantom().attenuationChange(seed: 8, lesion: .nodule)
    #expect(faint == full.map { 0.5 * $0 })
  }

  @Test("Mean and spread of the grey values do not tell the ill from the healthy")
  func globalStatistics() throws {
    var configuration = ChestPhantom.Configuration()
    configuration.size = 32
    let phantom = try ChestPhantom(configuration: configuration)
    let healthy = (0..<60).map { moments(of: phantom.image(seed: $0)) }
    let ill = (60..<120).map { moments(of: phantom.image(seed: $0, lesion: Lesion.allCases[Int($0) % 5])) }
    for statistic in [\Moments.mean, \Moments.deviation] {
      let area = auroc(negatives: healthy.map { $0[keyPath: statistic] }, positives: ill.map { $0[keyPath: statistic] })
      #expect((0.25..<0.75).contains(area))
    }
  }

  private struct Moments {
    var mean: Float
    var deviation: Float
  }

  private func moments(of phantom: PhantomImage) -> Moments {
    let samples = phantom.image.samples
    let mean = samples.reduce(0, +) / Float(samples.count)
    let variance = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(samples.count)
    return Moments(mean: mean, deviation: variance.squareRoot())
  }

  /// The share of pairs in which the positive scores higher, ties half (Mann and Whitney).
  private func auroc(negatives: [Float], positives: [Float]) -> Float {
    var wins: Float = 0
    for negative in negatives {
      for positive in positives { wins += positive > negative ? 1 : positive == negative ? 0.5 : 0 }
    }
    return wins / Float(negatives.count * positives.count)
  }
}
