import MedicalImaging
import Testing

@testable import Phantoms

@Suite("PET phantom lesions")
struct PETLesionTests {
  typealias Lesion = PETPhantom.Lesion

  private func phantom(
    lesions: [Lesion] = Lesion.allCases, noise: Bool = false, size: Double = 1, contrast: Double = 1
  ) throws -> PETPhantom {
    var configuration = PETPhantom.Configuration()
    configuration.lesions = lesions
    configuration.lesionSize = size
    configuration.lesionContrast = contrast
    if !noise {
      configuration.uptakeNoise = 0
      configuration.densityNoise = 0
    }
    return try PETPhantom(configuration: configuration)
  }

  /// The first seed from `start` whose patient has one tumour when ill.
  private func seedOfOneTumour(_ phantom: PETPhantom, from start: UInt64) throws -> UInt64 {
    try #require(
      (start..<start + 100).first { phantom.tumours(seed: $0, anatomy: phantom.anatomy(seed: $0)).count == 1 })
  }

  @Test("Lesions only add uptake; out of their reach both volumes keep their bits, noise included", arguments: 0..<6)
  func samePatient(_ seed: Int) throws {
    let seed = UInt64(seed)
    let phantom = try phantom(noise: true)
    let healthy = phantom.makeCase(seed: seed)
    let ill = phantom.makeCase(seed: seed, hasLesions: true)
    #expect(healthy.indices.allSatisfy { ill.uptake[$0] >= healthy.uptake[$0] })
    #expect(healthy.indices.allSatisfy { !ill.lesions[$0] || ill.uptake[$0] > healthy.uptake[$0] })
    let anatomy = phantom.anatomy(seed: seed)
    let grid = phantom.acquisition(seed: seed, anatomy: anatomy).grid
    var touched = [Bool](repeating: false, count: grid.count)
    for tumour in phantom.tumours(seed: seed, anatomy: anatomy) {
      let ball = Ellipsoid(centre: tumour.centre, radii: SIMD3(repeating: tumour.reach + 25))
      grid.forEachVoxel(of: ball) { index, _ in touched[index] = true }
    }
    #expect(touched.contains(false))
    #expect(
      healthy.indices.allSatisfy { index in
        touched[index] || (healthy.uptake[index] == ill.uptake[index] && healthy.density[index] == ill.density[index])
      })
    #expect(healthy.hasFullBladder == ill.hasFullBladder && healthy.hasActiveHeart == ill.hasActiveHeart)
  }

  @Test("The mask is where the lesion adds more than 40 % of the most it adds", arguments: Lesion.allCases)
  func mask(_ lesion: Lesion) throws {
    let phantom = try phantom(lesions: [lesion])
    let seed = try seedOfOneTumour(phantom, from: 0)
    let healthy = phantom.makeCase(seed: seed)
    let ill = phantom.makeCase(seed: seed, hasLesions: true)
    let added = zip(ill.uptake, healthy.uptake).map { $0 - $1 }
    let threshold = try 0.4 * #require(added.max())
    #expect(
      added.indices.allSatisfy { abs(added[$0] - threshold) < 1e-4 || ill.lesions[$0] == (added[$0] > threshold) })
    let finding = try #require(ill.findings.first)
    #expect(ill.findings.count == 1)
    #expect(finding.lesion == lesion)
    #expect(finding.voxels == ill.lesions.count { $0 })
    // The mask's volume is that of a ball of the finding's radius, within what coarse voxels allow.
    let ball = 4 / 3 * Double.pi * finding.radius * finding.radius * finding.radius
    let volume = Double(finding.voxels) * ill.spacing.depth * ill.spacing.height * ill.spacing.width
    #expect((0.6..<2.2).contains(volume / ball))
    // Its middle is the finding's.
    var middle = SIMD3<Double>.zero
    for index in ill.lesions.indices where ill.lesions[index] {
      middle += SIMD3(Double(index % 32), Double(index / 32 % 32), Double(index / 1024)) / Double(finding.voxels)
    }
    #expect(abs(middle.x - finding.centre.width) < 1)
    #expect(abs(middle.y - finding.centre.height) < 1)
    #expect(abs(middle.z - finding.centre.depth) < 1)
  }

  @Test("What a lesion adds is what it adds on the whole grid, blurred there", arguments: Lesion.allCases)
  func wholeGrid(_ lesion: Lesion) throws {
    var configuration = try phantom(lesions: [lesion]).configuration
    configuration.resolution = 20
    let phantom = try PETPhantom(configuration: configuration)
    let seed = try seedOfOneTumour(phantom, from: 10)
    let anatomy = phantom.anatomy(seed: seed)
    let tumour = try #require(phantom.tumours(seed: seed, anatomy: anatomy).first)
    let (grid, acquisition) = phantom.acquisition(seed: seed, anatomy: anatomy)
    let parts = PETPhantom.parts(of: grid)
    let tissue = anatomy.tissue(on: grid.divided(by: parts), seed: seed)
    func shares(_ solids: [any Solid]) -> [Float] {
      var shares = [Float](repeating: 0, count: tissue.grid.count)
      for solid in solids { tissue.grid.forEachVoxel(of: solid) { shares[$0] = max(shares[$0], $1) } }
      return shares
    }
    var added = zip(shares(tumour.lobes), shares(anatomy.outlines.map(\.solid))).map { min($0, $1) }
    for index in added.indices { added[index] *= max(tumour.uptake - tissue.uptake[index], 0) }
    VolumeFilter.gaussian(&added, grid: tissue.grid, sigma: acquisition.blur)
    added = VolumeFilter.mean(of: added, grid: grid, parts: parts)
    let healthy = phantom.makeCase(seed: seed).uptake
    let ill = phantom.makeCase(seed: seed, hasLesions: true).uptake
    #expect(added.indices.allSatisfy { abs(ill[$0] - healthy[$0] - added[$0]) < 1e-5 })
  }

  @Test("No mask reaches into brain, heart, kidneys or bladder", arguments: 0..<12)
  func apartFromHotOrgans(_ seed: Int) throws {
    let phantom = try phantom()
    let anatomy = phantom.anatomy(seed: UInt64(seed))
    let grid = phantom.acquisition(seed: UInt64(seed), anatomy: anatomy).grid
    let ill = phantom.makeCase(seed: UInt64(seed), hasLesions: true)
    for (index, isLesion) in ill.lesions.enumerated() where isLesion {
      let place = SIMD3(Float(index % 32), Float(index / 32 % 32), Float(index / 1024))
      let point = grid.origin + place * grid.spacing
      #expect(anatomy.hotOrgans.allSatisfy { $0.depth(at: point) < 0 })
      #expect(anatomy.skinDepth(at: point) > -20)
    }
  }

  @Test("One to four tumours of SUV 4 to 12, of the configured kinds and sizes, apart from each other")
  func tumours() throws {
    for lesions in [Lesion.allCases] + Lesion.allCases.map({ [$0] }) {
      let phantom = try phantom(lesions: lesions)
      var counts = Set<Int>()
      for seed in UInt64(0)..<60 {
        let anatomy = phantom.anatomy(seed: seed)
        let tumours = phantom.tumours(seed: seed, anatomy: anatomy)
        counts.insert(tumours.count)
        for tumour in tumours {
          #expect(lesions.contains(tumour.lesion))
          #expect((4...12).contains(tumour.uptake))
          #expect((0.6 * tumour.lesion.radii.lowerBound...tumour.lesion.radii.upperBound).contains(tumour.radius))
          #expect(anatomy.hotOrgans.allSatisfy { $0.depth(at: tumour.centre) < -tumour.reach })
          for lobe in tumour.lobes {
            let away = lobe.centre - tumour.centre
            #expect((away * away).sum().squareRoot() + lobe.radii.max() < tumour.reach)
          }
        }
      }
      #expect(counts.isSubset(of: [1, 2, 3, 4]))
      #expect(counts.isSuperset(of: [1, 2]))
    }
  }

  @Test("On CT a lung nodule is soft tissue, a bone metastasis lacks mineral, a liver metastasis is a little darker")
  func density() throws {
    func change(_ lesion: Lesion) throws -> (least: Float, most: Float) {
      let phantom = try phantom(lesions: [lesion])
      let seed = try seedOfOneTumour(phantom, from: 50)
      let healthy = phantom.makeCase(seed: seed)
      let ill = phantom.makeCase(seed: seed, hasLesions: true)
      let change = healthy.indices.filter { ill.lesions[$0] }.map { ill.density[$0] - healthy.density[$0] }
      return (try #require(change.min()), try #require(change.max()))
    }
    #expect(try change(.lung).most > 600)
    #expect(try change(.bone).least < -150)
    let liver = try change(.liver)
    #expect(liver.least < -15 && liver.least > -150)
  }

  @Test("The lesion contrast scales what is added, the lesion size its extent")
  func factors() throws {
    let plain = try phantom(lesions: [.lung])
    let seed = try seedOfOneTumour(plain, from: 20)
    let healthy = plain.makeCase(seed: seed).uptake
    let full = plain.makeCase(seed: seed, hasLesions: true)
    let faint = try phantom(lesions: [.lung], contrast: 0.5).makeCase(seed: seed, hasLesions: true)
    #expect(
      healthy.indices.allSatisfy {
        abs((full.uptake[$0] - healthy[$0]) - 2 * (faint.uptake[$0] - healthy[$0])) < 1e-4
      })
    #expect(full.lesions == faint.lesions)
    let small = try phantom(lesions: [.lung], size: 0.5).makeCase(seed: seed, hasLesions: true)
    #expect(try #require(small.findings.first).voxels < #require(full.findings.first).voxels / 3)
  }
}

extension PETPhantomCase {
  /// Every sample's index.
  fileprivate var indices: Range<Int> { uptake.indices }
}
