import MedicalImaging

/// One patient's SUVs of healthy tissue an hour after fluorodeoxyglucose, drawn within the usual ranges.
struct FDGUptake: Equatable, Sendable {
  let brain: Float
  let heartMuscle: Float
  let blood: Float
  let kidneys: Float
  let bladder: Float
  let liver: Float
  let spleen: Float
  let stomach: Float
  let colon: Float
  /// Least and most of the loops of small bowel.
  let bowel: ClosedRange<Float>
  let muscle: Float
  let fat: Float
  let lung: Float
  let marrow: Float

  /// The ranges the values are drawn from.
  enum Range {
    static let brain: ClosedRange<Float> = 6...10
    static let activeHeart: ClosedRange<Float> = 5...8
    static let quietHeart: ClosedRange<Float> = 1.2...2
    static let blood: ClosedRange<Float> = 1.2...1.7
    static let kidneys: ClosedRange<Float> = 3...6
    static let fullBladder: ClosedRange<Float> = 10...25
    static let emptyBladder: ClosedRange<Float> = 1...3
    static let liver: ClosedRange<Float> = 1.7...2.5
    static let spleen: ClosedRange<Float> = 1.4...2
    static let stomach: ClosedRange<Float> = 1...2.2
    static let muscle: ClosedRange<Float> = 0.5...0.8
    static let fat: ClosedRange<Float> = 0.2...0.35
    static let lung: ClosedRange<Float> = 0.25...0.4
    static let marrow: ClosedRange<Float> = 1...1.5
  }

  /// Draws a patient's values.
  init(hasFullBladder: Bool, hasActiveHeart: Bool, using generator: inout SeededGenerator) {
    brain = generator.uniform(Range.brain)
    heartMuscle = generator.uniform(hasActiveHeart ? Range.activeHeart : Range.quietHeart)
    blood = generator.uniform(Range.blood)
    kidneys = generator.uniform(Range.kidneys)
    bladder = generator.uniform(hasFullBladder ? Range.fullBladder : Range.emptyBladder)
    liver = generator.uniform(Range.liver)
    spleen = generator.uniform(Range.spleen)
    stomach = generator.uniform(Range.stomach)
    let colonic = generator.uniform(0...1)
    colon = 0.7 + 2.3 * colonic * colonic
    let base = generator.uniform(0.7...1.1)
    let patches = generator.uniform(0...1)
    bowel = base...base + 0.5 + 3.5 * patches * patches
    muscle = generator.uniform(Range.muscle)
    fat = generator.uniform(Range.fat)
    lung = generator.uniform(Range.lung)
    marrow = generator.uniform(Range.marrow)
  }
}
