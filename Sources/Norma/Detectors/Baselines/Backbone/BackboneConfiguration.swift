/// The network that features are taken from, and where its weights come from.
public struct BackboneConfiguration: Codable, Equatable, Sendable {
  /// Residual networks, by torchvision's names.
  public enum Architecture: String, Codable, CaseIterable, Sendable {
    /// ResNet-18 (He et al., CVPR 2016, Table 1).
    case resNet18 = "resnet18"
    /// Wide ResNet-50-2: ResNet-50 with twice the channels inside its blocks (Zagoruyko & Komodakis, BMVC 2016).
    case wideResNet50 = "wide_resnet50_2"
  }
  /// How weights are learnt where none are given.
  public enum Pretext: String, Codable, CaseIterable, Sendable {
    /// By CutPaste's three-way task on the training images.
    case cutPaste = "cutpaste"
    /// Not at all: the features are those of random weights.
    case none
  }

  /// Which network.
  public var architecture = Architecture.resNet18
  /// Channels of the first convolution; 64 as published, and with given weights.
  public var width = 64
  /// Whether the first convolution is followed by max pooling, as published. Without it all feature maps have twice the
  /// sides, for small images; the weights are the same.
  public var stemPooling = true
  /// A file of torchvision's state dictionary of this architecture, `.pth` or `.safetensors`, which is read when a run
  /// begins; its weights travel in the checkpoint. Empty: `pretext` says where weights come from.
  public var weights = ""
  /// How weights are learnt where none are given.
  public var pretext = Pretext.cutPaste

  /// ResNet-18 without given weights.
  public init() {}

  /// Whether somebody else's weights are used: on three channels with ImageNet's mean and deviation.
  var isPretrained: Bool { !weights.isEmpty }

  /// Whether the weights are learnt from the training images.
  var learnsPretext: Bool { !isPretrained && pretext == .cutPaste }

  /// Channels of the images that the first convolution reads.
  var inputChannels: Int { isPretrained ? 3 : 1 }

  /// Channels of the four layers' feature maps.
  var featureChannels: [Int] {
    let expansion = architecture == .resNet18 ? 1 : 4
    return (0..<4).map { (width << $0) * expansion }
  }

  /// Checks what the types cannot.
  /// - Throws: `ConfigurationError` naming the key.
  func validate() throws(ConfigurationError) {
    guard isPretrained ? width == 64 : (1...1024).contains(width) else {
      throw .invalidValue(
        key: "detector.backbone.width", value: "\(width)",
        allowed: isPretrained ? "64 while detector.backbone.weights are given" : "1 to 1024")
    }
  }
}
