import Foundation
import Torch

/// Independent normal distributions, one for each element.
struct DiagonalGaussian {
  /// The means.
  let mean: Tensor
  /// Logarithms of the variances, shaped like `mean`.
  let logVariance: Tensor

  /// Divergence from the standard normal distribution, ½ Σ (μ² + σ² − log σ² − 1), in nats (Kingma & Welling 2014,
  /// appendix B).
  /// - Returns: `[B]`, summed over all axes but the first.
  func divergence() throws(TorchError) -> Tensor {
    let terms = try mean.squared() + logVariance.exp() - logVariance - 1
    return try terms.reshaped([mean.extent(0), -1]).sum([1]) * 0.5
  }

  /// What standard normal numbers stand for here, `μ + σ · ε` (Kingma & Welling 2014, §2.4).
  /// - Parameter noise: shaped like `mean`, or so that it broadcasts.
  func sample(_ noise: Tensor) throws(TorchError) -> Tensor { try mean + (logVariance * 0.5).exp() * noise }

  /// −log of the density at `values`, element by element, in nats: ½ (log 2π + log σ² + (x − μ)² / σ²).
  func negativeLogDensity(of values: Tensor) throws(TorchError) -> Tensor {
    let squares = try (values - mean).squared() * (-logVariance).exp()
    return try (squares + logVariance + log(2 * Double.pi)) * 0.5
  }
}
