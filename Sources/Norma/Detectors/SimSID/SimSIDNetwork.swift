import Torch

/// The generator (Figure 2): encoder, in-painting block, student decoder and, while training, teacher decoder.
///
/// Keys `encoder`, `inpainting`, `student`, `teacher`.
final class SimSIDGenerator: Module {
  private let encoder: PatchEncoder
  private let inpainting: InpaintingBlock?
  private let student: SimSIDDecoder
  private let teacher: SimSIDDecoder?
  private let configuration: SimSIDConfiguration

  init(_ configuration: SimSIDConfiguration, generator: Generator) throws {
    self.configuration = configuration
    encoder = try PatchEncoder(width: configuration.width, generator: generator)
    inpainting =
      configuration.inpainting == .off
      ? nil : try InpaintingBlock(configuration, generator: generator)
    student = try SimSIDDecoder(configuration, hasMemories: true, generator: generator)
    teacher =
      configuration.distillation ? try SimSIDDecoder(configuration, hasMemories: false, generator: generator) : nil
  }

  override var parts: [Part] {
    [.module("encoder", encoder)] + (inpainting.map { [.module("inpainting", $0)] } ?? [])
      + [.module("student", student)] + (teacher.map { [.module("teacher", $0)] } ?? [])
  }

  /// What one pass gives.
  struct Output {
    /// The student's image, `[B, 1, H, W]`.
    let reconstruction: Tensor
    /// The student's features of each decoder level, after the memories.
    let studentFeatures: [Tensor]
    /// The teacher's image and features; nil where it did not run.
    let teacher: (image: Tensor, features: [Tensor])?
  }

  /// Reconstructs images `[B, 1, H, W]`.
  /// - Parameter runsTeacher: the teacher is needed for the generator's losses only.
  func callAsFunction(
    _ images: Tensor, mode: Mode, runsTeacher: Bool, random: Generator
  ) throws(TorchError) -> Output {
    let levels = try encoder(PatchGrid(side: configuration.patchGrid).split(images), mode: mode)
    var bottleneck = levels[4]
    if let inpainting { bottleneck = try inpainting(bottleneck, mode: mode, random: random) }
    let (image, features) = try student(bottleneck, levels: levels, mode: mode, random: random)
    guard runsTeacher, let teacher else {
      return Output(reconstruction: image, studentFeatures: features, teacher: nil)
    }
    var taught = levels
    for level in levels.indices where isCut(level) { taught[level] = try levels[level].detached() }
    return Output(
      reconstruction: image, studentFeatures: features,
      teacher: try teacher(taught[4], levels: taught, mode: mode, random: random))
  }

  /// Whether the teacher's gradient is stopped at encoder level `level`.
  private func isCut(_ level: Int) -> Bool {
    switch configuration.teacherStopGradient {
    case .bottleneckAndSkips: true
    case .skips: level < 4
    case .none: false
    }
  }

  /// Writes the last batch into the memory queue, where there is one.
  func enqueuePending() throws(TorchError) { try inpainting?.enqueuePending() }
}

/// Generator and discriminator under the keys `generator` and `discriminator`.
final class SimSIDNetwork: Module {
  let generator: SimSIDGenerator
  let discriminator: SimSIDDiscriminator

  init(_ configuration: SimSIDConfiguration, random: Generator) throws {
    generator = try SimSIDGenerator(configuration, generator: random)
    discriminator = try SimSIDDiscriminator(
      imageSize: configuration.imageSize, mostChannels: configuration.discriminatorChannels, generator: random)
  }

  override var parts: [Part] { [.module("generator", generator), .module("discriminator", discriminator)] }
}
