// The usual losses, each the mean over its elements.
#include "handles.h"

using namespace norma;

ct_status ct_mse_loss(ct_tensor a, ct_tensor target, ct_tensor *out) {
  return made(out, [&] { return at::mse_loss(a->value, target->value); });
}

ct_status ct_l1_loss(ct_tensor a, ct_tensor target, ct_tensor *out) {
  return made(out, [&] { return at::l1_loss(a->value, target->value); });
}

ct_status ct_smooth_l1_loss(ct_tensor a, ct_tensor target, double beta, ct_tensor *out) {
  return made(out, [&] { return at::smooth_l1_loss(a->value, target->value, at::Reduction::Mean, beta); });
}

ct_status ct_bce_with_logits(ct_tensor logits, ct_tensor target, ct_tensor *out) {
  return made(out, [&] { return at::binary_cross_entropy_with_logits(logits->value, target->value); });
}

ct_status ct_cross_entropy(ct_tensor logits, ct_tensor target, double label_smoothing, ct_tensor *out) {
  return made(out, [&] {
    return at::cross_entropy_loss(logits->value, target->value, {}, at::Reduction::Mean, -100, label_smoothing);
  });
}
