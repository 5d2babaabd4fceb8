// Arithmetic, element by element, and matrix products.
#include "handles.h"

using namespace norma;

#define CT_DEFINE_UNARY(name) \
  ct_status ct_##name(ct_tensor a, ct_tensor *out) { \
    return made(out, [&] { return at::name(a->value); }); \
  }
#define CT_DEFINE_BINARY(name) \
  ct_status ct_##name(ct_tensor a, ct_tensor b, ct_tensor *out) { \
    return made(out, [&] { return at::name(a->value, b->value); }); \
  }
#define CT_DEFINE_SCALAR(name) \
  ct_status ct_##name##_scalar(ct_tensor a, double b, ct_tensor *out) { \
    return made(out, [&] { return at::name(a->value, at::Scalar(b)); }); \
  }

CT_UNARY_OPERATORS(CT_DEFINE_UNARY)
CT_BINARY_OPERATORS(CT_DEFINE_BINARY)
CT_SCALAR_OPERATORS(CT_DEFINE_SCALAR)

ct_status ct_clamp(ct_tensor a, double low, double high, ct_tensor *out) {
  return made(out, [&] { return at::clamp(a->value, low, high); });
}

// Whether only this handle looks at the memory: no view, and nothing that autograd keeps.
static bool is_sole_owner(const at::Tensor &tensor) {
  return tensor.use_count() == 1 && tensor.storage().use_count() == 1 &&
         !(tensor.is_leaf() && tensor.requires_grad());
}

ct_status ct_relu_reusing(ct_tensor a, ct_tensor *out) {
  return made(out, [&] { return is_sole_owner(a->value) ? at::relu_(a->value) : at::relu(a->value); });
}

ct_status ct_leaky_relu_reusing(ct_tensor a, double slope, ct_tensor *out) {
  return made(out, [&] {
    return is_sole_owner(a->value) ? at::leaky_relu_(a->value, slope) : at::leaky_relu(a->value, slope);
  });
}

ct_status ct_gelu(ct_tensor a, bool tanh_approximation, ct_tensor *out) {
  return made(out, [&] { return at::gelu(a->value, tanh_approximation ? "tanh" : "none"); });
}

ct_status ct_leaky_relu(ct_tensor a, double slope, ct_tensor *out) {
  return made(out, [&] { return at::leaky_relu(a->value, slope); });
}

ct_status ct_elu(ct_tensor a, double alpha, ct_tensor *out) {
  return made(out, [&] { return at::elu(a->value, alpha); });
}

ct_status ct_lerp(ct_tensor a, ct_tensor b, double weight, ct_tensor *out) {
  return made(out, [&] { return at::lerp(a->value, b->value, weight); });
}

ct_status ct_addcmul(ct_tensor a, ct_tensor b, ct_tensor c, double value, ct_tensor *out) {
  return made(out, [&] { return at::addcmul(a->value, b->value, c->value, value); });
}

ct_status ct_baddbmm(ct_tensor input, ct_tensor a, ct_tensor b, ct_tensor *out) {
  return made(out, [&] { return at::baddbmm(input->value, a->value, b->value); });
}

ct_status ct_einsum(const char *equation, ct_tensors operands, ct_tensor *out) {
  return made(out, [&] { return at::einsum(equation, tensors(operands)); });
}
