/// A synthetic PET and CT of one patient on one grid, and the truth about them.
///
/// Samples run along x (towards the patient's left) first, then y (towards the back), then z (towards the head): sample
/// `(z * height + y) * width + x`. These are the axes of a DICOM series in a supine, head-first patient, sorted by position.
public struct PETPhantomCase: Equatable, Sendable {
  /// One value for each axis of a volume.
  public struct Axes: Codable, Equatable, Sendable {
    /// Along z, from feet to head.
    public let depth: Double
    /// Along y, from front to back.
    public let height: Double
    /// Along x, from the patient's right to the left.
    public let width: Double
  }

  /// One lesion.
  public struct Finding: Codable, Equatable, Sendable {
    /// What it is, and so where.
    public let lesion: PETPhantom.Lesion
    /// The middle, in voxels.
    public let centre: Axes
    /// Mean of the semi-axes in millimetres.
    public let radius: Double
    /// SUV of the lesion before `lesionContrast`, blur and noise.
    public let uptake: Double
    /// Voxels of `lesions` that belong to it.
    public let voxels: Int
  }

  /// Voxels along z.
  public let depth: Int
  /// Voxels along y.
  public let height: Int
  /// Voxels along x.
  public let width: Int
  /// Millimetres between neighbouring voxels.
  public let spacing: Axes
  /// The PET: SUV, at least 0.
  public let uptake: [Float]
  /// The CT: Hounsfield units, at least -1024.
  public let density: [Float]
  /// True where a lesion's own blurred contribution to the PET exceeds `PETPhantom.maskThreshold` of its peak. All false
  /// without lesions.
  public let lesions: [Bool]
  /// What was put where; empty for a healthy patient.
  public let findings: [Finding]
  /// The patient.
  public let seed: UInt64
  /// Whether the bladder is full of tracer (SUV 10 to 25) rather than almost empty (1 to 3).
  public let hasFullBladder: Bool
  /// Whether the heart muscle takes up glucose (SUV 5 to 8) rather than little (1.2 to 2).
  public let hasActiveHeart: Bool
}
