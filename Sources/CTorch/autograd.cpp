// Gradients.
#include <torch/csrc/autograd/autograd.h>

#include "handles.h"

using namespace norma;

ct_status ct_set_requires_gradient(ct_tensor a, bool required) {
  return guarded([&] { a->value.set_requires_grad(required); });
}

ct_status ct_detach(ct_tensor a, ct_tensor *out) {
  return made(out, [&] { return a->value.detach(); });
}

ct_status ct_backward(ct_tensor loss) {
  return guarded([&] { torch::autograd::backward({loss->value}, {}); });
}

ct_status ct_gradient(ct_tensor a, ct_tensor *out_or_null) {
  return guarded([&] {
    auto gradient = a->value.grad();
    *out_or_null = gradient.defined() ? hand_out(gradient) : nullptr;
  });
}

ct_status ct_clear_gradient(ct_tensor a) {
  return guarded([&] { a->value.mutable_grad().reset(); });
}

ct_status ct_gradients(ct_tensor output, ct_tensors inputs, bool recorded, ct_tensor *outs) {
  return guarded([&] {
    auto gradients = torch::autograd::grad({output->value.sum()}, tensors(inputs), /*grad_outputs=*/{},
                                           /*retain_graph=*/recorded, /*create_graph=*/recorded);
    for (auto &gradient : gradients) *outs++ = hand_out(gradient);
  });
}
