// One pass over all parameters for each optimiser step, weight average and gradient clipping.
#include "handles.h"

using namespace norma;

ct_status ct_adam_step(ct_tensors parameters, ct_tensors gradients, ct_tensors first_moments, ct_tensors second_moments,
                       ct_tensors steps, ct_adam_options options) {
  return guarded([&] {
    at::NoGradGuard guard;
    if (parameters.count == 0) return;
    auto counts = tensors(steps);
    at::_foreach_add_(counts, 1);
    auto step = options.decoupled_weight_decay ? &at::_ops::_fused_adamw_::call : &at::_ops::_fused_adam_::call;
    step(tensors(parameters), tensors(gradients), tensors(first_moments), tensors(second_moments), {}, counts,
         options.learning_rate, options.beta1, options.beta2, options.weight_decay, options.epsilon, /*amsgrad=*/false,
         /*maximize=*/false, /*grad_scale=*/{}, /*found_inf=*/{});
  });
}

ct_status ct_sgd_step(ct_tensors parameters, ct_tensors gradients, ct_tensors buffers, double learning_rate,
                      double momentum, double weight_decay) {
  return guarded([&] {
    at::NoGradGuard guard;
    if (parameters.count == 0) return;
    auto weights = tensors(parameters), directions = tensors(gradients), held = tensors(buffers);
    at::_foreach_mul_(held, momentum);
    at::_foreach_add_(held, directions);
    if (weight_decay != 0) at::_foreach_add_(held, weights, weight_decay);
    at::_foreach_add_(weights, held, -learning_rate);
  });
}

ct_status ct_lerp_all(ct_tensors targets, ct_tensors sources, double weight) {
  return guarded([&] {
    at::NoGradGuard guard;
    if (targets.count > 0) at::_foreach_lerp_(tensors(targets), tensors(sources), weight);
  });
}

ct_status ct_clip_gradient_norm(ct_tensors gradients, double maximum, double *norm) {
  return guarded([&] {
    at::NoGradGuard guard;
    *norm = 0;
    if (gradients.count == 0) return;
    auto list = tensors(gradients);
    *norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(list, 2)), 2).item<double>();
    if (*norm > maximum) at::_foreach_mul_(list, maximum / (*norm + 1e-6));
  });
}
