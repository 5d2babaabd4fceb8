// Linear layers. libtorch gives float32 products to MKL; oneDNN, which it brings along for convolutions, does them 5 to 13 %
// faster on the processors that were measured (AMD EPYC with AVX-512).
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "autocast.h"
#include "handles.h"
#include "parallel.h"
#include "products.h"

using namespace norma;

namespace {

using Product = at::Tensor(const at::Tensor &, const at::Tensor &, const std::optional<at::Tensor> &, std::string_view,
                           c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>);

// oneDNN's product, where this libtorch has it.
std::optional<c10::TypedOperatorHandle<Product>> find_product() {
  if (!at::hasMKLDNN() || !at::globalContext().userEnabledMkldnn()) return std::nullopt;
  auto schema = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
  if (!schema || !schema->hasKernelForDispatchKey(c10::DispatchKey::CPU)) return std::nullopt;
  return schema->typed<Product>();
}

const std::optional<c10::TypedOperatorHandle<Product>> &found_product() {
  static const auto found = find_product();
  return found;
}

}  // namespace

bool norma::has_onednn_product() { return found_product().has_value(); }

at::Tensor norma::onednn_product(const at::Tensor &a, const at::Tensor &b, const std::optional<at::Tensor> &bias,
                                 std::string_view function) {
  at::AutoDispatchBelowADInplaceOrView below_autograd;
  return found_product()->call(a, b, bias, function, c10::List<std::optional<at::Scalar>>(), "none");
}

namespace {

// A copy of `matrix`, [n, c], as [c, n].
at::Tensor transposed(const at::Tensor &matrix) {
  constexpr int64_t tall = 64, wide = 16;
  const int64_t rows = matrix.size(0), columns = matrix.size(1);
  auto source = matrix.contiguous();
  auto result = at::empty({columns, rows}, matrix.options());
  const auto *from = static_cast<const float *>(source.const_data_ptr());  // the typed spelling does not link to every wheel
  float *to = result.mutable_data_ptr<float>();
  in_parallel((rows + tall - 1) / tall, [&](int64_t begin, int64_t end) {
    for (int64_t first = begin * tall; first < std::min(end * tall, rows); first += tall)
      for (int64_t left = 0; left < columns; left += wide)
        for (int64_t c = left; c < std::min(left + wide, columns); c++)
          for (int64_t r = first; r < std::min(first + tall, rows); r++) to[c * rows + r] = from[r * columns + c];
  });
  return result;
}

struct OneDNNLinear : torch::autograd::Function<OneDNNLinear> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &input,
                            const at::Tensor &weight, const std::optional<at::Tensor> &bias) {
    context->save_for_backward({input, weight});
    context->saved_data["has_bias"] = bias.has_value();
    return onednn_product(input, weight, bias);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list gradients) {
    auto saved = context->get_saved_variables();
    const auto &input = saved[0], &weight = saved[1];
    auto gradient = gradients[0].contiguous();
    auto rows = gradient.reshape({-1, gradient.size(-1)});
    auto inputs = input.reshape({-1, input.size(-1)});
    at::Tensor to_input, to_weight, to_bias;
    const bool records = at::GradMode::is_enabled();  // oneDNN's product has no gradient: libtorch's where one is asked for
    if (context->needs_input_grad(0)) to_input = records ? at::matmul(gradient, weight) : onednn_product(gradient, weight.t());
    if (context->needs_input_grad(1))  // oneDNN wants its left factor row by row: the narrower one is copied
      to_weight = records                           ? at::matmul(rows.t(), inputs)
                  : rows.size(1) > inputs.size(1) ? onednn_product(transposed(inputs), rows.t()).t()
                                                  : onednn_product(transposed(rows), inputs.t());
    if (context->saved_data["has_bias"].toBool() && context->needs_input_grad(2)) to_bias = rows.sum(0);
    return {to_input, to_weight, to_bias};
  }
};

// Multiplications below which finding oneDNN's kernel takes longer than the work.
constexpr int64_t least_work = 1 << 18;

bool suits_onednn(const at::Tensor &input, const at::Tensor &weight) {
  return input.is_cpu() && weight.is_cpu() && input.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat &&
         input.dim() >= 2 && weight.dim() == 2 && input.size(-1) == weight.size(1) &&
         input.numel() * weight.size(0) >= least_work && !autocast_type(input) && has_onednn_product();
}

bool records(const at::Tensor &input, const at::Tensor &weight, const std::optional<at::Tensor> &bias) {
  return at::GradMode::is_enabled() &&
         (input.requires_grad() || weight.requires_grad() || (bias && bias->requires_grad()));
}

at::Tensor layer(const at::Tensor &input, const at::Tensor &weight, const std::optional<at::Tensor> &bias) {
  if (!suits_onednn(input, weight)) return at::linear(input, weight, bias);
  return records(input, weight, bias) ? OneDNNLinear::apply(input, weight, bias) : onednn_product(input, weight, bias);
}

}  // namespace

ct_status ct_linear(ct_tensor a, ct_tensor weight, ct_tensor bias_or_null, ct_tensor *out) {
  return made(out, [&] { return layer(a->value, weight->value, optional(bias_or_null)); });
}

ct_status ct_linear_gelu(ct_tensor a, ct_tensor weight, ct_tensor bias_or_null, ct_tensor *out) {
  return made(out, [&] {
    const auto &input = a->value, &matrix = weight->value;
    auto bias = optional(bias_or_null);
    bool fuses = suits_onednn(input, matrix) && !records(input, matrix, bias);
    return fuses ? onednn_product(input, matrix, bias, "gelu") : at::gelu(layer(input, matrix, bias));
  });
}
