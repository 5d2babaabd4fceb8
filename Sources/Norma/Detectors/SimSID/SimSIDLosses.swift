import Torch

/// The losses of §3.5, each the mean that the official code uses (the published weights belong to the means).
enum SimSIDLosses {
  /// L_s and L_t (eqs. 3 and 4): mean squared difference to the image.
  static func reconstruction(_ output: Tensor, _ images: Tensor) throws(TorchError) -> Tensor {
    try output.meanSquaredError(to: images)
  }

  /// L_dist: the mean squared differences of student and teacher features, summed over the levels.
  static func distillation(_ student: [Tensor], _ teacher: [Tensor]) throws(TorchError) -> Tensor {
    var total = try student[0].meanSquaredError(to: teacher[0])
    for level in 1..<student.count { total = try total + student[level].meanSquaredError(to: teacher[level]) }
    return total
  }

  /// L_gen (eq. 5, non-saturating): −log σ(D(reconstruction)).
  static func generator(_ logits: Tensor) throws(TorchError) -> Tensor {
    try logits.binaryCrossEntropy(logitsAgainst: logits.onesLike())
  }

  /// L_dis (eq. 6): −log σ(D(image)) − log(1 − σ(D(reconstruction))).
  static func discriminator(real: Tensor, fake: Tensor) throws(TorchError) -> Tensor {
    try real.binaryCrossEntropy(logitsAgainst: real.onesLike())
      + fake.binaryCrossEntropy(logitsAgainst: fake.zerosLike())
  }
}
