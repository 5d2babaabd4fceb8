extension ChestPhantom {
  /// The kinds of lesion; a seed fixes place, side, size and density of each.
  public enum Lesion: String, Codable, CaseIterable, Sendable {
    /// A fuzzy opacity in one lobe with dark bronchi inside (an air bronchogram).
    case consolidation
    /// One to three round soft-tissue densities.
    case nodule
    /// Pleural fluid that blunts a costophrenic angle and climbs the chest wall as a meniscus.
    case effusion
    /// One rib left out.
    case missingRib
    /// A coin, a central venous catheter, or a pacemaker and its lead.
    case foreignObject

    /// Parts the kinds' random streams.
    var variant: UInt64 {
      switch self {
      case .consolidation: 1
      case .nodule: 2
      case .effusion: 3
      case .missingRib: 4
      case .foreignObject: 5
      }
    }
  }
}
