/// A plan for a folder of PET phantoms laid out by class, ready for training and testing.
///
/// ```
/// train/NORMAL/pet-00000
/// train/ABNORMAL/pet-00040     only when `trainingAbnormal` is above 0: contaminated training
/// test/NORMAL/pet-00050
/// test/ABNORMAL/pet-00060
/// ```
///
/// The CT of each case lies under the same path below `paired/`, the mask of an abnormal one below `masks/`. The number in a name
/// is the case's phantom seed: `PETPhantom(configuration: configuration).makeCase(seed: 60, hasLesions: true)` makes that case
/// again. Seeds run on from `seed`, one per case in the order above; two sets share no patient when their seeds lie at least
/// `count` apart.
public struct PETPhantomDataSet: Codable, Equatable, Sendable {
  /// Healthy cases for training.
  public var trainingNormal = 100
  /// Cases with lesions among the training cases, for studies of contamination.
  public var trainingAbnormal = 0
  /// Healthy cases for testing.
  public var testNormal = 30
  /// Cases with lesions for testing.
  public var testAbnormal = 30
  /// The first case's phantom seed.
  public var seed: UInt64 = 0
  /// How the volumes are made.
  public var configuration = PETPhantom.Configuration()

  /// Creates the default plan: 100 training cases, 30 normal and 30 abnormal test cases of 48 by 32 by 32 voxels.
  public init() {}

  /// Cases in the whole set.
  public var count: Int { trainingNormal + trainingAbnormal + testNormal + testAbnormal }

  /// Share of the training cases that have lesions; 0 for an empty plan.
  public var contamination: Double {
    Double(trainingAbnormal) / Double(max(trainingNormal + trainingAbnormal, 1))
  }

  /// Checks every value.
  /// - Throws: `PhantomError.invalidValue` naming the first key out of range.
  public func validate() throws(PhantomError) {
    try PhantomError.check("trainingNormal", trainingNormal, in: 0...1_000_000)
    try PhantomError.check("trainingAbnormal", trainingAbnormal, in: 0...1_000_000)
    try PhantomError.check("testNormal", testNormal, in: 0...1_000_000)
    try PhantomError.check("testAbnormal", testAbnormal, in: 0...1_000_000)
    try configuration.validate()
  }

  /// One case of the set. Its paths are below the set's folder and lack the ending, which is that of the format they are
  /// written in.
  public struct Entry: Codable, Equatable, Sendable {
    /// The phantom's seed.
    public let seed: UInt64
    /// Whether the patient has lesions.
    public let hasLesions: Bool
    /// The PET's place, for example `test/NORMAL/pet-00050`.
    public let uptakePath: String
    /// The CT's place, for example `paired/test/NORMAL/pet-00050`.
    public let densityPath: String
    /// The mask's place, for example `masks/test/ABNORMAL/pet-00060`; nil for a healthy patient.
    public let maskPath: String?
  }

  /// Every case of the set in the order of their seeds, before anything is made.
  /// - Throws: `PhantomError.invalidValue` as `validate()` does.
  public func entries() throws(PhantomError) -> [Entry] {
    try validate()
    var entries: [Entry] = []
    entries.reserveCapacity(count)
    func append(_ amount: Int, to folder: String, hasLesions: Bool) {
      for _ in 0..<amount {
        let seed = seed &+ UInt64(entries.count)
        let digits = String(seed)
        let path = "\(folder)/pet-\(String(repeating: "0", count: max(5 - digits.count, 0)))\(digits)"
        entries.append(
          Entry(
            seed: seed, hasLesions: hasLesions, uptakePath: path, densityPath: "paired/\(path)",
            maskPath: hasLesions ? "masks/\(path)" : nil))
      }
    }
    append(trainingNormal, to: "train/NORMAL", hasLesions: false)
    append(trainingAbnormal, to: "train/ABNORMAL", hasLesions: true)
    append(testNormal, to: "test/NORMAL", hasLesions: false)
    append(testAbnormal, to: "test/ABNORMAL", hasLesions: true)
    return entries
  }
}
