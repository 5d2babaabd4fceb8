import Testing

@testable import Phantoms

@Suite("PET phantom data set")
struct PETPhantomDataSetTests {
  private var small: PETPhantomDataSet {
    var set = PETPhantomDataSet()
    set.trainingNormal = 3
    set.trainingAbnormal = 1
    set.testNormal = 2
    set.testAbnormal = 2
    set.seed = 99_997
    return set
  }

  private static let paths = [
    "train/NORMAL/pet-99997", "train/NORMAL/pet-99998", "train/NORMAL/pet-99999", "train/ABNORMAL/pet-100000",
    "test/NORMAL/pet-100001", "test/NORMAL/pet-100002", "test/ABNORMAL/pet-100003", "test/ABNORMAL/pet-100004",
  ]

  @Test("Names tell class and seed; seeds run on")
  func entries() throws {
    let entries = try small.entries()
    #expect(entries.map(\.uptakePath) == Self.paths)
    #expect(entries.map(\.densityPath) == Self.paths.map { "paired/" + $0 })
    #expect(entries.compactMap(\.maskPath) == Self.paths.filter { $0.contains("ABNORMAL") }.map { "masks/" + $0 })
    #expect(entries.map(\.seed) == Array(99_997...100_004))
    #expect(entries.map(\.hasLesions) == Self.paths.map { $0.contains("ABNORMAL") })
    #expect(small.count == 8)
    var short = small
    short.seed = 12
    #expect(try short.entries().first?.uptakePath == "train/NORMAL/pet-00012")
  }

  @Test("The contamination is the share of abnormal training cases")
  func contamination() {
    #expect(small.contamination == 0.25)
    #expect(PETPhantomDataSet().contamination == 0)
    var none = small
    none.trainingNormal = 0
    none.trainingAbnormal = 0
    #expect(none.contamination == 0)
  }

  @Test("A plan that cannot be made is refused with its key")
  func wrongPlan() {
    var negative = PETPhantomDataSet()
    negative.testNormal = -1
    #expect(throws: PhantomError.invalidValue(key: "testNormal", value: "-1", expected: "from 0 to 1000000")) {
      try negative.entries()
    }
    var tiny = PETPhantomDataSet()
    tiny.configuration.width = 8
    #expect(throws: PhantomError.invalidValue(key: "width", value: "8", expected: "from 16 to 320")) {
      try tiny.validate()
    }
  }
}
