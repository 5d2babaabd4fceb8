import Foundation
import Testing
import Torch

@testable import Norma

@Suite("Density of healed intensities")
struct KernelDensityTests {
  @Test("Densities by hand, at a given bandwidth and at the rule of thumb's")
  func byHand() throws {
    // Constant samples have the floor as bandwidth: shift them to the distances that are wanted.
    let samples = try Tensor([Float(0.2), 0.3, 0.4, 0.2, 0.3, 0.4], shape: [2, 3]).transposed(0, 1)
    let density = KernelDensity(rule: .atLeast, floor: 0.1)
    let found: [Float] = try density.logDensity(of: Tensor([Float(0.3), 0.9], shape: [2]), among: samples).values()
    #expect(abs(exp(found[0]) - 2.942_946) < 1e-5)
    #expect(abs(found[1] + 12.210_881) < 1e-4)
    let thumb = KernelDensity(rule: .atLeast, floor: 1e-9)
    let width: [Float] = try thumb.bandwidths(of: samples).values()
    #expect(abs(width[0] - 0.069_476_2) < 1e-6)
    let peak: [Float] = try thumb.logDensity(of: Tensor([Float(0.3), 0.3], shape: [2]), among: samples).values()
    #expect(abs(exp(peak[0]) - 3.272_730) < 1e-5)
    let added: [Float] = try KernelDensity(rule: .added, floor: 0.025).bandwidths(of: samples).values()
    #expect(abs(added[0] - 0.094_476_2) < 1e-6)
  }

  @Test("A density integrates to one")
  func integral() throws {
    let samples = try Generator(seed: 1).uniform(shape: [20, 1])
    let grid = try Tensor.arange(-1, 2, step: 0.002)
    let densities = try KernelDensity(rule: .added, floor: 0.025)
      .logDensity(of: grid, among: samples.expanded([20, grid.count])).exp()
    #expect(abs(try densities.sum().item() * 0.002 - 1) < 1e-3)
  }

  @Test("Surprise is 0 where all samples agree, 27.6 far away, and grows with distance")
  func surprise() throws {
    let samples = try Tensor.full(0.5, shape: [8, 4])
    let values: [Float] = try KernelDensity(rule: .added, floor: 0.025)
      .surprise(of: Tensor([Float(0.5), 0.55, 0.6, 1], shape: [4]), among: samples).values()
    #expect(abs(values[0]) < 1e-6)
    #expect(abs(values[1] - 2) < 1e-4 && abs(values[2] - 8) < 1e-3)
    #expect(abs(values[3] - 27.631) < 1e-2)
  }

  @Test("Many pixels, in chunks, are as few")
  func chunks() throws {
    let samples = try Generator(seed: 2).uniform(shape: [1000, 12_000])
    let observed = try Generator(seed: 3).uniform(shape: [12_000])
    let density = KernelDensity(rule: .added, floor: 0.025)
    let all = try density.surprise(of: observed, among: samples)
    let part = try density.surprise(
      of: observed.sliced(9000..<9010, axis: 0), among: samples.sliced(9000..<9010, axis: 1))
    #expect(try distance(all.sliced(9000..<9010, axis: 0), part) < 1e-5)
  }

  @Test("Sheather–Jones finds both modes' width, scales with the values, and leaves constants to the rule of thumb")
  func sheatherJones() throws {
    let drawn: [Float] = try Generator(seed: 4).normal(shape: [400]).values()
    let values = drawn.enumerated().map { Double($1) * 0.02 + ($0 % 2 == 0 ? 0.2 : 0.8) }
    let width = try #require(ImprovedSheatherJones.bandwidth(values))
    // Scott's rule for one mode of 200 samples: 1.06 · 0.02 · 200^-0.2 = 0.0073; the rule of thumb over both gives 0.096.
    #expect(width > 0.004 && width < 0.012)
    let scaled = try #require(ImprovedSheatherJones.bandwidth(values.map { $0 * 250 - 3 }))
    #expect(abs(scaled / width - 250) < 1)
    #expect(ImprovedSheatherJones.bandwidth([Double](repeating: 0.3, count: 20)) == nil)
    let constant = try Tensor.full(0.3, shape: [20, 2])
    let widths: [Float] = try KernelDensity(rule: .sheatherJones, floor: 0.025).bandwidths(of: constant).values()
    #expect(widths == [0.025, 0.025])
  }
}
