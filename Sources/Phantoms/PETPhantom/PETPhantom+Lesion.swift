extension PETPhantom {
  /// The kinds of lesion: tumours with an SUV of 4 to 12 where uptake is usually low.
  public enum Lesion: String, Codable, CaseIterable, Sendable {
    /// A swollen node of neck, armpit, mediastinum, the space before the lumbar spine, or groin.
    case lymphNode
    /// A metastasis in the liver, a little darker than it on CT.
    case liver
    /// A metastasis that dissolves bone of spine or pelvis.
    case bone
    /// A nodule of soft tissue in a lung.
    case lung

    /// Semi-axes in millimetres before `Configuration.lesionSize`.
    var radii: ClosedRange<Float> {
      switch self {
      case .lymphNode: 24...34
      case .liver: 26...46
      case .bone: 24...36
      case .lung: 24...40
      }
    }

    /// What takes the place of the healthy tissue's density, in Hounsfield units.
    var density: Float {
      switch self {
      case .lymphNode, .lung: Tissue.Density.softTissue
      case .liver: 35
      case .bone: 80
      }
    }
  }
}
