/// A plan for a folder of phantoms laid out by class, ready for training and testing.
///
/// ```
/// train/NORMAL/phantom-00000.png
/// train/ABNORMAL/phantom-00040-nodule.png     only when `trainingAbnormal` is above 0
/// test/NORMAL/phantom-00050.png
/// test/ABNORMAL/phantom-00060-effusion.png
/// masks/test/ABNORMAL/phantom-00060-effusion.png
/// ```
///
/// The number in a name is the image's phantom seed: `ChestPhantom(configuration: configuration).image(seed: 60, lesion:
/// .effusion)` makes that image again. Seeds run on from `seed`, one per image in the order above; two sets share no patient
/// when their seeds lie at least `count` apart.
public struct PhantomDataSet: Codable, Equatable, Sendable {
  /// Healthy images for training.
  public var trainingNormal = 200
  /// Images with lesions among the training images, for studies of contamination or validation.
  public var trainingAbnormal = 0
  /// Healthy images for testing.
  public var testNormal = 50
  /// Images with lesions for testing.
  public var testAbnormal = 50
  /// The kinds of lesion, taken in turn; at least one.
  public var lesions = ChestPhantom.Lesion.allCases
  /// The first image's phantom seed.
  public var seed: UInt64 = 0
  /// How the images are made.
  public var configuration = ChestPhantom.Configuration()

  /// Creates the default plan: 200 training images, 50 normal and 50 abnormal test images of 128 by 128 pixels.
  public init() {}

  /// Images in the whole set, masks not counted.
  public var count: Int { trainingNormal + trainingAbnormal + testNormal + testAbnormal }

  /// Checks every value.
  /// - Throws: `PhantomError.invalidValue` naming the first key out of range.
  public func validate() throws(PhantomError) {
    let counts = [
      ("trainingNormal", trainingNormal), ("trainingAbnormal", trainingAbnormal), ("testNormal", testNormal),
      ("testAbnormal", testAbnormal),
    ]
    for (key, value) in counts where !(0...1_000_000).contains(value) {
      throw .invalidValue(key: key, value: String(value), expected: "from 0 to 1000000")
    }
    if lesions.isEmpty {
      let kinds = ChestPhantom.Lesion.allCases.map(\.rawValue).joined(separator: ", ")
      throw .invalidValue(key: "lesions", value: "empty", expected: "at least one of \(kinds)")
    }
    try configuration.validate()
  }

  /// One image of the set.
  public struct Entry: Codable, Equatable, Sendable {
    /// The phantom's seed.
    public let seed: UInt64
    /// The lesion; nil for a healthy patient.
    public let lesion: ChestPhantom.Lesion?
    /// The image's place below the set's folder, for example `test/NORMAL/phantom-00050.png`.
    public let imagePath: String
    /// The mask's place below the set's folder; nil for a healthy patient.
    public let maskPath: String?
  }

  /// Every image of the set in the order of their seeds, before anything is written.
  /// - Throws: `PhantomError.invalidValue` as `validate()` does.
  public func entries() throws(PhantomError) -> [Entry] {
    try validate()
    var entries: [Entry] = []
    entries.reserveCapacity(count)
    func append(_ amount: Int, to folder: String, abnormal: Bool) {
      for index in 0..<amount {
        let seed = seed &+ UInt64(entries.count)
        let lesion = abnormal ? lesions[index % lesions.count] : nil
        let digits = String(seed)
        let number = String(repeating: "0", count: max(5 - digits.count, 0)) + digits
        let name = ["phantom", number, lesion?.rawValue].compactMap { $0 }.joined(separator: "-")
        let path = "\(folder)/\(name).png"
        entries.append(Entry(seed: seed, lesion: lesion, imagePath: path, maskPath: abnormal ? "masks/\(path)" : nil))
      }
    }
    append(trainingNormal, to: "train/NORMAL", abnormal: false)
    append(trainingAbnormal, to: "train/ABNORMAL", abnormal: true)
    append(testNormal, to: "test/NORMAL", abnormal: false)
    append(testAbnormal, to: "test/ABNORMAL", abnormal: true)
    return entries
  }
}
