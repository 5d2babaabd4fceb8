// Tensors, threads and gradients around Winograd's kernels.
#include "winograd.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "counting.h"
#include "parallel.h"
#include "vectors.h"
#include "winograd_kernel.h"

namespace norma {

namespace {

// Fewer tiles do not pay for transforming the kernel, which takes as long as the products of some fifty tiles.
constexpr int64_t fewest_tiles = 96;
// Bytes that the sums of all slices may take while gradients to weights are added up.
constexpr int64_t most_bytes_of_sums = 128 << 20;

Maps maps_of(const at::Tensor &input, int64_t out) {
  return {input.size(0), input.size(2), input.size(3), input.size(1), out};
}

// [N, C, H, W] as dense rows of channels.
at::Tensor rows(const at::Tensor &image) { return image.contiguous(at::MemoryFormat::ChannelsLast); }

// A kernel [out, C, 3, 3]; its memory may have any order.
Taps taps(const at::Tensor &kernel) {
  return {const_cast<float *>(kernel.const_data_ptr<float>()), kernel.stride(0), kernel.stride(1), kernel.stride(2),
          kernel.stride(3)};
}

// The numbers of a tensor that may not be there.
const float *values(const at::Tensor &tensor) { return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr; }

at::Tensor convolved(const Maps &maps, const at::Tensor &input, Taps kernel, const at::Tensor &bias = {},
                     const at::Tensor &added = {}, bool rectifies = false) {
  auto options = input.options();
  auto transformed = at::empty({winograd_kernel_size(maps)}, options);
  auto *to = transformed.mutable_data_ptr<float>();
  in_parallel(maps.in, [&](int64_t begin, int64_t end) { winograd_transform(maps, kernel, to, begin, end); });
  auto output = at::empty({maps.images, maps.out, maps.height, maps.width}, options, at::MemoryFormat::ChannelsLast);
  auto source = rows(input), dense = bias.defined() ? bias.contiguous() : bias, others = added.defined() ? rows(added) : added;
  const auto *from = values(source);
  const Ending ending{values(dense), values(others), rectifies};
  auto *results = output.mutable_data_ptr<float>();
  in_parallel(maps.tiles(), [&](int64_t begin, int64_t end) {
    auto scratch = at::empty({winograd_scratch(maps)}, options);
    winograd_convolve(maps, from, to, ending, results, begin, end, scratch.mutable_data_ptr<float>());
  });
  if (is_counting())
    count_kernel(at::kFloat, maps.images * maps.height * maps.width * 9 * maps.in * maps.out, {input}, {output});
  return output;
}

// Gradients of kernel and bias: slices of the tiles are added up at the same time, each into sums of its own.
void add_up(const Maps &maps, const at::Tensor &input, const at::Tensor &gradient, at::Tensor &of_kernel,
            at::Tensor &of_bias) {
  auto source = rows(input);
  const auto *from = source.const_data_ptr<float>(), *received = gradient.const_data_ptr<float>();
  const int64_t size = winograd_kernel_size(maps), width = size + maps.out;
  const int64_t slices = std::clamp<int64_t>(most_bytes_of_sums / (width * sizeof(float)), 1, at::get_num_threads());
  auto sums = at::zeros({slices, width}, input.options());
  auto *to = sums.mutable_data_ptr<float>();
  in_parallel(slices, [&](int64_t first, int64_t last) {
    auto scratch = at::empty({winograd_gradient_scratch(maps)}, input.options());
    for (int64_t slice = first; slice < last; slice++)
      winograd_add_gradients(maps, from, received, to + slice * width, to + slice * width + size,
                             slice * maps.tiles() / slices, (slice + 1) * maps.tiles() / slices,
                             scratch.mutable_data_ptr<float>());
  });
  auto total = slices > 1 ? sums.sum(0) : sums.select(0, 0);
  const auto *all = total.const_data_ptr<float>();
  auto result = taps(of_kernel);
  result.values = of_kernel.mutable_data_ptr<float>();
  in_parallel(maps.in, [&](int64_t begin, int64_t end) { winograd_transform_gradient(maps, all, result, begin, end); });
  of_bias = total.slice(0, size);
  if (is_counting())
    count_kernel(at::kFloat, maps.images * maps.height * maps.width * 9 * maps.in * maps.out, {input, gradient},
                 {of_kernel});
}

struct Winograd : torch::autograd::Function<Winograd> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &input, const at::Tensor &kernel,
                            const std::optional<at::Tensor> &bias) {
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    context->save_for_backward({input, kernel});
    context->saved_data["has_bias"] = bias.has_value();
    return convolved(maps_of(input, kernel.size(0)), input, taps(kernel), bias.value_or(at::Tensor()));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list received) {
    auto saved = context->get_saved_variables();
    const auto &input = saved[0], &kernel = saved[1];
    const bool to_input = context->needs_input_grad(0), to_kernel = context->needs_input_grad(1);
    const bool to_bias = context->saved_data["has_bias"].toBool() && context->needs_input_grad(2);
    at::Tensor of_input, of_kernel, of_bias;
    if (at::GradMode::is_enabled()) {  // a gradient of the gradient is asked for: libtorch's can be differentiated
      std::tie(of_input, of_kernel, of_bias) =
          at::convolution_backward(received[0], input, kernel, at::IntArrayRef{kernel.size(0)}, {1, 1}, {1, 1}, {1, 1},
                                   false, {0, 0}, 1, {to_input, to_kernel, to_bias});
      return {of_input, of_kernel, of_bias};
    }
    auto gradient = rows(received[0]);
    auto maps = maps_of(input, kernel.size(0));
    if (to_kernel) {
      of_kernel = at::empty_like(kernel);
      add_up(maps, input, gradient, of_kernel, of_bias);
    } else if (to_bias) {
      of_bias = gradient.sum({0, 2, 3});
    }
    if (to_input) of_input = convolved(maps_of(gradient, input.size(1)), gradient, taps(kernel).turned());
    return {of_input, of_kernel, to_bias ? of_bias : at::Tensor()};
  }
};

bool is_plain(const at::Tensor &tensor) {
  return tensor.is_cpu() && tensor.layout() == at::kStrided && tensor.scalar_type() == at::kFloat;
}

}  // namespace

bool suits_winograd(const at::Tensor &input, const at::Tensor &kernel, const std::optional<at::Tensor> &bias) {
  if (!has_vectors() || !is_plain(input) || !is_plain(kernel) || (bias && !is_plain(*bias)) || input.dim() != 4 ||
      kernel.dim() != 4 || kernel.size(2) != 3 || kernel.size(3) != 3 || kernel.size(1) != input.size(1) ||
      input.size(1) % 16 != 0 || kernel.size(0) % 16 != 0 || input.numel() == 0 || kernel.numel() == 0 ||
      (bias && (bias->dim() != 1 || bias->size(0) != kernel.size(0))))
    return false;
  auto maps = maps_of(input, kernel.size(0));
  return maps.tiles() >= fewest_tiles && 2 * maps.height * maps.width >= 16 * maps.down() * maps.across();
}

at::Tensor winograd_convolution(const at::Tensor &input, const at::Tensor &kernel, const std::optional<at::Tensor> &bias) {
  return Winograd::apply(input, kernel, bias);
}

at::Tensor winograd_rectified(const at::Tensor &input, const at::Tensor &kernel, const std::optional<at::Tensor> &bias,
                              const std::optional<at::Tensor> &added) {
  return convolved(maps_of(input, kernel.size(0)), input, taps(kernel), bias.value_or(at::Tensor()),
                   added.value_or(at::Tensor()), true);
}

}  // namespace norma
