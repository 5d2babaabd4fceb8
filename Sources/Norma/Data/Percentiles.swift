import Torch

/// Percentiles of an image's values, linear between neighbours (numpy's `linear`, R's type 7).
enum Percentiles {
  /// The values below which `lower` and `upper` percent of all lie.
  /// - Parameters:
  ///   - percents: lower and upper, each 0 ... 100.
  ///   - values: a tensor of any shape with at least one element.
  /// - Throws: `TorchError` for an empty tensor.
  static func range(_ percents: [Double], of values: Tensor) throws(TorchError) -> ClosedRange<Float> {
    let values = try values.contiguous().reshaped([values.count])
    var found: [Double] = []
    for percent in percents {
      let place = percent / 100 * Double(values.count - 1)
      let below = Int(place)
      let lower = try values.kthSmallest(below + 1, axis: 0).item()
      let share = place - Double(below)
      let upper = try share > 0 ? values.kthSmallest(below + 2, axis: 0).item() : lower
      found.append(lower + (upper - lower) * share)
    }
    let bounds = (Float(found[0]), Float(found[1]))
    return min(bounds.0, bounds.1)...max(bounds.0, bounds.1)
  }
}
