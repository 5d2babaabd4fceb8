import Testing

@testable import Torch

@Suite("Pooling, resizing, sampling and attention")
struct ImageOperatorTests {
  @Test("The identity map samples the image itself; outside reads zero, the edge or the mirror image")
  func sampling() throws {
    let image = try Tensor([1.0, 2, 3, 4], shape: [1, 1, 1, 4])
    let identity = try Tensor.affineGrid(Tensor([1.0, 0, 0, 0, 1, 0], shape: [1, 2, 3]), size: [1, 1, 1, 4])
    try expectClose(identity, Tensor([-0.75, 0, -0.25, 0, 0.25, 0, 0.75, 0], shape: [1, 1, 4, 2]))
    for interpolation in [Interpolation.nearest, .linear, .cubic] {
      try expectClose(image.sampled(at: identity, interpolation), image)
    }
    // One pixel to the right: x + 2 / W.
    let shifted = try identity + Tensor([0.5, 0])
    try expectClose(image.sampled(at: shifted), [2, 3, 4, 0])
    try expectClose(image.sampled(at: shifted, outside: .border), [2, 3, 4, 4])
    try expectClose(image.sampled(at: shifted + Tensor([0.5, 0]), outside: .reflection), [3, 4, 4, 3])
    let half = try identity + Tensor([0.25, 0])
    try expectClose(image.sampled(at: half, outside: .border), [1.5, 2.5, 3.5, 4])
  }

  @Test("Shrinking with antialiasing averages triangles over the source; without, it skips pixels")
  func antialiasing() throws {
    let image = try Tensor([0.0, 0, 1, 0, 0, 0, 0, 0], shape: [1, 1, 1, 8])
    // Scale 4: centres 1.5 and 5.5; without antialiasing only pixels 1 and 2, 5 and 6 are read.
    try expectClose(image.resized(to: [1, 2]), [0.5, 0])
    // Triangle of half-width 4 around 2: weights of pixel centres 0.5 … 5.5 are 1 − |x − 2| / 4, sum 15 / 4.
    let near = (1 - 0.5 / 4) / [0.5, 1.5, 2.5, 3.5, 4.5, 5.5].reduce(0) { $0 + 1 - abs($1 - 2) / 4 }
    let far = (1 - 3.5 / 4) / [2.5, 3.5, 4.5, 5.5, 6.5, 7.5].reduce(0) { $0 + 1 - abs($1 - 6) / 4 }
    try expectClose(image.resized(to: [1, 2], antialias: true), [near, far])
    let constant = try Tensor.full(3, shape: [1, 2, 9, 7], dtype: .float64)
    for interpolation in [Interpolation.linear, .cubic] {
      try expectClose(
        constant.resized(to: [4, 5], interpolation, antialias: true),
        Tensor.full(3, shape: [1, 2, 4, 5], dtype: .float64))
    }
  }

  @Test("Three axes are pooled and resized as two are")
  func volumes() throws {
    let volume = try Tensor.arange(0, 8, dtype: .float64).reshaped([1, 1, 2, 2, 2])
    try expectClose(volume.pooled(.maximum, kernel: [2, 2, 2]), Tensor([7.0], shape: [1, 1, 1, 1, 1]))
    try expectClose(volume.pooled(.average, kernel: [2, 2, 2]), [3.5])
    try expectClose(volume.averagePooled(to: [2, 1, 1]), [1.5, 5.5])
    try expectClose(volume.resized(to: [1, 1, 2], .nearest), [0, 1])
    try expectClose(volume.resized(to: [1, 1, 1]), [3.5])
  }

  @Test("Attention is softmax(q · kᵀ · scale + mask) · v; a truth mask hides where it is false")
  func attention() throws {
    let (q, k, v) = (try normal([2, 3, 5, 4]), try normal([2, 3, 6, 4], seed: 2), try normal([2, 3, 6, 2], seed: 3))
    let added = try normal([5, 6], seed: 4)
    let scores = try q.matmul(k.transposed(2, 3))
    try expectClose(q.attention(keys: k, values: v), (scores / 2).softmax(axis: -1).matmul(v))
    try expectClose(q.attention(keys: k, values: v, scale: 0.3), (scores * 0.3).softmax(axis: -1).matmul(v))
    try expectClose(
      q.attention(keys: k, values: v, mask: added), (scores / 2 + added).softmax(axis: -1).matmul(v))
    let seen = try added.greater(-0.5)
    let hidden = try (scores / 2).masked(seen.not(), by: -.infinity)
    try expectClose(q.attention(keys: k, values: v, mask: seen), hidden.softmax(axis: -1).matmul(v))
  }

  @Test("A grouped, dilated convolution is the sum over its own group's inputs")
  func groupedConvolution() throws {
    let (image, weight) = (try normal([1, 4, 6, 6]), try normal([2, 2, 2, 2], seed: 2))
    let whole = try image.convolved(with: weight, stride: [1, 1], padding: [0, 0], dilation: [2, 2], groups: 2)
    #expect(whole.shape == [1, 2, 4, 4])
    let halves = try [0, 1].map { group in
      try image.sliced(2 * group..<2 * group + 2, axis: 1).convolved(
        with: weight.sliced(group..<group + 1, axis: 0), stride: [1, 1], padding: [0, 0], dilation: [2, 2])
    }
    try expectClose(whole, Tensor.concatenated(halves, axis: 1))
    let (pixels, kernel) = (try image.values(), try weight.values())
    var first = 0.0
    for (channel, y, x) in [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1)] {
      first += pixels[channel * 36 + 2 * y * 6 + 2 * x] * kernel[channel * 4 + y * 2 + x]
    }
    try expectClose([whole.values()[0]], [first], within: 1e-12)
  }
}
