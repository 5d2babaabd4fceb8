import Testing
@testable import Torch

@testable import Norma

@Suite("Codebook by moving averages")
struct VectorQuantiserTests {
  /// A quantiser of width 1 with given codes, nothing counted yet.
  private func quantiser(_ codes: [Float], parity: Bool = true) throws -> VectorQuantiser {
    let made = try VectorQuantiser(
      codes: codes.count, width: 1, commitment: 0.25, parity: parity, generator: Generator(seed: 1))
    let values = try Tensor(codes, shape: [codes.count, 1])
    for (key, parameter) in made.namedParameters where key != "counts" { try parameter.assign(values) }
    return made
  }

  private func values(_ quantiser: VectorQuantiser, _ key: String) throws -> [Float] {
    try #require(quantiser.namedParameters.first { $0.key == key }).parameter.tensor.values()
  }

  private func update(_ decay: Double, restarts: Bool = false) throws -> VectorQuantiser.Update {
    VectorQuantiser.Update(decay: decay, restartsDeadCodes: restarts, random: try Generator(seed: 3))
  }

  @Test("Two steps by hand: counts, sums and codes")
  func byHand() throws {
    let quantiser = try quantiser([0, 1])
    let batch = try Tensor([Float(0.2), -0.2, 0.9, 1.3], shape: [1, 1, 2, 2])
    let first = try quantiser(batch, update: update(0.5))
    #expect(try first.codes.values(as: Int.self) == [0, 0, 1, 1])
    // What comes out is the codebook before the step.
    #expect(try first.quantised.values() == [0, 0, 1, 1] as [Float])
    #expect(abs(try first.commitment.item() - 0.25 * (0.04 + 0.04 + 0.01 + 0.09) / 4) < 1e-7)
    #expect(try values(quantiser, "counts") == [1, 1])
    #expect(largestDifference(try values(quantiser, "sums"), [0, 1.6]) < 1e-6)
    #expect(largestDifference(try values(quantiser, "codes"), [0, 1.6]) < 1e-6)
    _ = try quantiser(batch, update: update(0.5))
    #expect(try values(quantiser, "counts") == [1.5, 1.5])
    #expect(largestDifference(try values(quantiser, "sums"), [0, 1.9]) < 1e-6)
    #expect(largestDifference(try values(quantiser, "codes"), [0, 1.266_667]) < 1e-5)
  }

  @Test("The authors' dead code is thrown far away and comes back slowly; ours stays or starts again")
  func deadCode() throws {
    let theirs = try quantiser([0, 1, 5])
    let batch = try Tensor([Float(0.2), -0.2, 0.9, 1.3], shape: [1, 1, 2, 2])
    _ = try theirs(batch, update: update(0.5))
    let codes = try values(theirs, "codes")
    #expect(abs(codes[1] - 1.600_008) < 1e-5 && abs(codes[2] - 250_003.75) < 1)
    _ = try theirs(batch, update: update(0.5))
    #expect(abs(try values(theirs, "codes")[2] - 125_001.25) < 1)

    let ours = try quantiser([0, 1, 5], parity: false)
    for step in 0..<12 { _ = try ours(batch, update: update(0.5, restarts: step % 4 == 3)) }
    let inputs: [Float] = [0.2, -0.2, 0.9, 1.3]
    for code in try values(ours, "codes") { #expect(inputs.contains { abs($0 - code) < 0.7 }) }
  }

  @Test("A new codebook starts from vectors of the first batch")
  func start() throws {
    let quantiser = try quantiser([50, 60], parity: false)
    let batch = try Tensor([Float(1), 2, 3, 4], shape: [1, 1, 2, 2])
    let coded = try quantiser(batch, update: update(0.99))
    for value in try coded.quantised.values() { #expect([1, 2, 3, 4].contains(value)) }
  }

  @Test("The gradient passes straight through to the encoder, the codebook gets none, evaluation moves nothing")
  func straightThrough() throws {
    let quantiser = try VectorQuantiser(
      codes: 5, width: 3, commitment: 0, parity: false, generator: Generator(seed: 1))
    let latents = try Generator(seed: 2).normal(shape: [2, 3, 4, 4]).requiringGradient()
    let weights = try Generator(seed: 3).normal(shape: [2, 3, 4, 4])
    let before = try quantiser.namedParameters.map { try $0.parameter.tensor.values() as [Float] }
    let coded = try quantiser(latents, update: nil)
    try (coded.quantised * weights).sum().backward()
    let gradient = try latents.gradient
    #expect(try distance(#require(gradient), weights) == 0)
    #expect(quantiser.trainableParameters.isEmpty)
    #expect(try quantiser.namedParameters.map { try $0.parameter.tensor.values() as [Float] } == before)
    #expect(try distance(quantiser.vectors(of: coded.codes), coded.quantised.detached()) < 1e-6)
  }

  @Test("Every vector gets its nearest code, by plain search, in two and three dimensions", arguments: [2, 3])
  func nearest(_ axes: Int) throws {
    let quantiser = try VectorQuantiser(
      codes: 7, width: 4, commitment: 0.25, parity: true, generator: Generator(seed: 4))
    let grid = Array([3, 2, 5].prefix(axes))
    let latents = try Generator(seed: 5).normal(shape: [2, 4] + grid)
    let coded = try quantiser(latents, update: nil)
    #expect(coded.codes.shape == [2] + grid && coded.quantised.shape == latents.shape)
    let cells = grid.reduce(1, *)
    let (z, e) = (try latents.values() as [Float], try values(quantiser, "codes"))
    let found = try coded.codes.values(as: Int.self)
    for image in 0..<2 {
      for cell in 0..<cells {
        let distances = (0..<7).map { code in
          (0..<4).reduce(Float(0)) { sum, axis in
            let gap = z[(image * 4 + axis) * cells + cell] - e[code * 4 + axis]
            return sum + gap * gap
          }
        }
        #expect(distances[found[image * cells + cell]] - (distances.min() ?? 0) < 1e-5)
      }
    }
  }

  @Test("Perplexity counts the codes in use")
  func perplexity() throws {
    let quantiser = try quantiser([0, 1, 2, 3])
    let even = try Tensor([Float(0), 1, 2, 3], shape: [1, 1, 2, 2])
    #expect(abs(try quantiser(even, update: nil).perplexity.item() - 4) < 1e-4)
    let one = try Tensor([Float(3), 3, 3, 3], shape: [1, 1, 2, 2])
    #expect(abs(try quantiser(one, update: nil).perplexity.item() - 1) < 1e-4)
  }
}
