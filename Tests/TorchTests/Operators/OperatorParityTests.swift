import Testing

@testable import Torch

@Suite("Operators against PyTorch")
struct OperatorParityTests {
  private static let inBothTypes: [OperatorCase] = [
    OperatorCase("conv2d") {
      try $0["input"].convolved(with: $0["weight"], bias: $0["bias"], stride: [2, 2], padding: [1, 1])
    },
    OperatorCase("batch_norm") { try batchNorm($0, training: true).output },
    OperatorCase("batch_norm", "running_mean_after") { try batchNorm($0, training: true).mean },
    OperatorCase("batch_norm", "running_var_after") { try batchNorm($0, training: true).variance },
    OperatorCase("batch_norm", "expected_evaluation") { try batchNorm($0, training: false).output },
    OperatorCase("batch_norm", "running_mean") { try batchNorm($0, training: false).mean },
    OperatorCase("batch_norm", "running_var") { try batchNorm($0, training: false).variance },
    OperatorCase("layer_norm") { try $0["input"].layerNormalised([8], weight: $0["weight"], bias: $0["bias"]) },
    OperatorCase("softmax") { try $0["input"].softmax(axis: 1) },
    OperatorCase("scaled_dot_product_attention") { try $0["query"].attention(keys: $0["key"], values: $0["value"]) },
    OperatorCase("scaled_dot_product_attention", "expected_causal") {
      try $0["query"].attention(keys: $0["key"], values: $0["value"], causal: true)
    },
  ]

  private static let layers: [OperatorCase] = [
    OperatorCase("conv3d") {
      try $0["input"].convolved(with: $0["weight"], bias: $0["bias"], stride: [2, 2, 2], padding: [1, 1, 1])
    },
    OperatorCase("conv_transpose2d") {
      try $0["input"].convolved(
        with: $0["weight"], bias: $0["bias"], stride: [2, 2], padding: [1, 1], transposed: true, outputPadding: [1, 1])
    },
    OperatorCase("conv_transpose3d") {
      try $0["input"].convolved(
        with: $0["weight"], bias: $0["bias"], stride: [2, 2, 2], padding: [1, 1, 1], transposed: true,
        outputPadding: [1, 1, 1])
    },
    OperatorCase("group_norm") {
      try $0["input"].groupNormalised(groups: 2, weight: $0["weight"], bias: $0["bias"])
    },
    OperatorCase("adaptive_avg_pool2d") { try $0["input"].averagePooled(to: [3, 2]) },
    OperatorCase("avg_pool2d") { try $0["input"].pooled(.average, kernel: [3, 3], stride: [2, 2], padding: [1, 1]) },
    OperatorCase("max_pool2d") { try $0["input"].pooled(.maximum, kernel: [3, 3], stride: [2, 2], padding: [1, 1]) },
    OperatorCase("multihead_attention") { try multiHeadAttention($0) },
    OperatorCase("multihead_attention", "expected_weights") { try attentionWeights($0) },
    OperatorCase("embedding") { try $0["weight"].embedding($0["input"]) },
    OperatorCase("gelu") { try $0["input"].gelu() },
    OperatorCase("gelu_tanh") { try $0["input"].gelu(tanhApproximation: true) },
    OperatorCase("leaky_relu") { try $0["input"].leakyReLU(slope: 0.2) },
  ]

  private static let images: [OperatorCase] = [
    OperatorCase("bilinear_up") { try $0["input"].resized(to: [7, 9]) },
    OperatorCase("bilinear_down") { try $0["input"].resized(to: [3, 4]) },
    OperatorCase("bilinear_antialias_up") { try $0["input"].resized(to: [7, 9], antialias: true) },
    OperatorCase("bilinear_antialias_down") { try $0["input"].resized(to: [3, 4], antialias: true) },
    OperatorCase("bicubic_antialias_down") { try $0["input"].resized(to: [3, 4], .cubic, antialias: true) },
    OperatorCase("nearest") { try $0["input"].resized(to: [7, 9], .nearest) },
    OperatorCase("trilinear") { try $0["input"].resized(to: [5, 7, 6]) },
    OperatorCase("grid_sample") { try $0["input"].sampled(at: $0["grid"]) },
    OperatorCase("affine_grid") { try .affineGrid($0["theta"], size: [2, 3, 4, 5]) },
    OperatorCase("unfold") { try $0["input"].unfolded(kernel: [3, 3], padding: [1, 1]) },
  ]

  private static let others: [OperatorCase] = [
    OperatorCase("cumsum") { try $0["input"].cumulativeSum(axis: 1) },
    OperatorCase("topk", "expected_values") { try $0["input"].top(3, axis: -1).values },
    OperatorCase("topk", "expected_indices") { try $0["input"].top(3, axis: -1).indices },
    OperatorCase("gather") { try $0["input"].gathering($0["index"], axis: 1) },
    OperatorCase("scatter") { try $0["input"].scattering($0["source"], at: $0["index"], axis: 1) },
    OperatorCase("einsum") { try .einsum("bgc,gmc->bgm", $0["features"], $0["items"]) },
    OperatorCase("bce_with_logits") { try $0["input"].binaryCrossEntropy(logitsAgainst: $0["target"]) },
    OperatorCase("mse") { try $0["input"].meanSquaredError(to: $0["target"]) },
    OperatorCase("l1") { try $0["input"].meanAbsoluteError(to: $0["target"]) },
    OperatorCase("smooth_l1") { try $0["input"].smoothL1(to: $0["target"]) },
    OperatorCase("cross_entropy") { try $0["input"].crossEntropy(classes: $0["target"]) },
  ]

  private static let all = inBothTypes + inBothTypes.map(\.inFloat64) + layers + images + others

  @Test("Each element is PyTorch's", arguments: all)
  func parity(_ operation: OperatorCase) throws {
    let roles = try OperatorGolden()[operation.name]
    try expectClose(operation.compute(roles), roles[operation.role])
  }

  @Test("No operator of the golden file is left out")
  func completeness() throws {
    let elsewhere: Set<String> = ["adam", "adamw", "multi_step", "cosine", "linear_warm_up"]
    #expect(try Set(Self.all.map(\.name)).union(elsewhere) == OperatorGolden().operators)
  }

  private static func batchNorm(
    _ roles: OperatorGolden.Roles, training: Bool
  ) throws -> (output: Tensor, mean: Tensor, variance: Tensor) {
    let (mean, variance) = (try roles["running_mean"], try roles["running_var"])
    let output = try roles["input"].batchNormalised(
      weight: roles["weight"], bias: roles["bias"], runningMean: mean, runningVariance: variance, training: training,
      momentum: 0.1, epsilon: 1e-5)
    return (output, mean, variance)
  }

  /// PyTorch's axes are [length, batch, width].
  private static func multiHeadAttention(_ roles: OperatorGolden.Roles) throws -> Tensor {
    let attention = try MultiHeadAttention(width: 8, heads: 4, generator: Generator(seed: 1))
    let keys = [
      "inputProjection.weight": "in_proj_weight", "inputProjection.bias": "in_proj_bias",
      "outputProjection.weight": "out_proj_weight", "outputProjection.bias": "out_proj_bias",
    ]
    try load(keys.mapValues { try StoredArray(name: $0, roles[$0]) }, into: attention.namedParameters)
    return try attention(
      query: roles["query"].transposed(0, 1), keys: roles["key"].transposed(0, 1),
      values: roles["value"].transposed(0, 1)
    ).transposed(0, 1)
  }

  /// The mean over heads of softmax(q · kᵀ / √d), written out.
  private static func attentionWeights(_ roles: OperatorGolden.Roles) throws -> Tensor {
    func heads(_ role: String, _ rows: Range<Int>) throws -> Tensor {
      let input = try roles[role].transposed(0, 1)
      let projected = try input.linear(
        roles["in_proj_weight"].sliced(rows, axis: 0), bias: roles["in_proj_bias"].sliced(rows, axis: 0))
      return try projected.reshaped([2, -1, 4, 2]).transposed(1, 2)
    }
    let products = try heads("query", 0..<8).matmul(heads("key", 8..<16).transposed(2, 3))
    return try (products / 2.0.squareRoot()).softmax(axis: -1).mean([1])
  }
}
