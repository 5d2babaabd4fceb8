import Testing

@testable import Norma

@Suite("Lines through measured points")
struct LineFitTests {
  @Test("Points on a line give that line")
  func exact() throws {
    let fit = try #require(LineFit([(1, 5), (2, 7), (4, 11), (10, 23)]))
    #expect(abs(fit.slope - 2) < 1e-12 && abs(fit.intercept - 3) < 1e-12 && abs(fit.r2 - 1) < 1e-12)
    #expect(abs(fit.height(at: 100) - 203) < 1e-9)
  }

  /// x̄ = 2, ȳ = 2; Σ(x−x̄)(y−ȳ) = 3, Σ(x−x̄)² = 2; heights 0.5, 2, 3.5; residuals 0.5, −1, 0.5: 1.5 of 6 are left.
  @Test("Least squares, by hand")
  func scattered() throws {
    let fit = try #require(LineFit([(1, 1), (2, 1), (3, 4)]))
    #expect(fit.slope == 1.5 && fit.intercept == -1)
    #expect(abs(fit.r2 - 0.75) < 1e-12)
  }

  @Test("A quadratic is told from a line by its R²")
  func curved() throws {
    let fit = try #require(LineFit((0...8).map { (Double($0), Double($0 * $0)) }))
    #expect(fit.r2 < 0.95)
  }

  @Test("One place gives no line, equal heights a level one")
  func degenerate() throws {
    #expect(LineFit([]) == nil)
    #expect(LineFit([(2, 1), (2, 3)]) == nil)
    let level = try #require(LineFit([(1, 4), (2, 4)]))
    #expect(level.slope == 0 && level.r2 == 1)
  }
}
