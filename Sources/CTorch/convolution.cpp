// Convolutions: libtorch's, or Winograd's for large ones of 3×3 (winograd.h). Where maps are as small as their windows, much of
// what a window covers is padding, and both compute that too: there a convolution is one matrix product over the windows,
// without the rows and columns of the kernel that meet no sample.
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "autocast.h"
#include "handles.h"
#include "parallel.h"
#include "products.h"
#include "winograd.h"

using namespace norma;

namespace {

// Positions of an output map up to which the product wins (measured: 1.7 times at 2×2, nothing at 4×4).
constexpr int64_t most_positions = 4;
// Multiplications below which finding oneDNN's kernel takes longer than the work.
constexpr int64_t least_work = 1 << 20;

// Along one axis: `size` samples, windows of `taps` samples from `first` on, of which tap `skipped` is the first that meets a
// sample of any window.
struct Axis {
  int64_t size, positions, stride, padding, skipped, taps;

  Axis(int64_t size, int64_t kernel, int64_t stride, int64_t padding)
      : size(size), positions((size + 2 * padding - kernel) / stride + 1), stride(stride), padding(padding) {
    skipped = kernel;
    int64_t end = 0;
    for (int64_t position = 0; position < positions; position++)
      for (int64_t tap = 0; tap < kernel; tap++) {
        const int64_t sample = position * stride - padding + tap;
        if (sample < 0 || sample >= size) continue;
        skipped = std::min(skipped, tap);
        end = std::max(end, tap + 1);
      }
    taps = end - skipped;
  }

  // The sample under a tap of a window, or -1 in the padding.
  int64_t sample(int64_t position, int64_t tap) const {
    const int64_t at = position * stride - padding + skipped + tap;
    return at < 0 || at >= size ? -1 : at;
  }
};

struct Windows {
  int64_t images, channels;
  Axis rows, columns;

  int64_t count() const { return images * rows.positions * columns.positions; }
  int64_t width() const { return rows.taps * columns.taps * channels; }

  // Calls `visit` with each image, and every place among the windows' samples with the sample's place in the image, or -1.
  template <typename Visit>
  void each(Visit visit) const {
    in_parallel(images, [&](int64_t begin, int64_t end) {
      for (int64_t image = begin; image < end; image++) {
        int64_t place = image * rows.positions * columns.positions * rows.taps * columns.taps;
        for (int64_t y = 0; y < rows.positions; y++)
          for (int64_t x = 0; x < columns.positions; x++)
            for (int64_t v = 0; v < rows.taps; v++)
              for (int64_t u = 0; u < columns.taps; u++, place++) {
                const int64_t row = rows.sample(y, v), column = columns.sample(x, u);
                visit(place, row < 0 || column < 0 ? -1 : (image * rows.size + row) * columns.size + column);
              }
      }
    });
  }

  // The windows of an image [N, C, H, W], each with its taps and their channels: [windows, width].
  at::Tensor of(const at::Tensor &input) const {
    auto source = input.permute({0, 2, 3, 1}).contiguous();
    auto result = at::empty({count(), width()}, source.options());
    const auto bytes = channels * source.element_size();
    const auto *from = static_cast<const char *>(source.const_data_ptr());
    auto *to = static_cast<char *>(result.mutable_data_ptr());
    each([&](int64_t place, int64_t sample) {
      if (sample < 0)
        std::fill_n(to + place * bytes, bytes, 0);
      else
        std::copy_n(from + sample * bytes, bytes, to + place * bytes);
    });
    return result;
  }

  // The transpose of `of`: every sample of [N, C, H, W] is the sum of its places in the windows, added in float32.
  at::Tensor summed(const at::Tensor &windows) const {
    auto source = windows.to(at::kFloat).contiguous();
    auto result = at::zeros({images, rows.size, columns.size, channels}, source.options());
    const auto *from = static_cast<const float *>(source.const_data_ptr());
    float *to = result.mutable_data_ptr<float>();
    each([&](int64_t place, int64_t sample) {
      if (sample < 0) return;
      for (int64_t c = 0; c < channels; c++) to[sample * channels + c] += from[place * channels + c];
    });
    return result.to(windows.scalar_type()).permute({0, 3, 1, 2});
  }

  // The taps of a kernel [out, C, h, w] that meet samples, row by row like the windows: [out, width].
  at::Tensor taps(const at::Tensor &kernel) const {
    return within(kernel).permute({0, 2, 3, 1}).reshape({kernel.size(0), width()});
  }

  at::Tensor within(const at::Tensor &kernel) const {
    return kernel.slice(2, rows.skipped, rows.skipped + rows.taps).slice(3, columns.skipped, columns.skipped + columns.taps);
  }
};

Windows windows_of(const at::Tensor &input, const at::Tensor &kernel, at::IntArrayRef stride, at::IntArrayRef padding) {
  return {input.size(0), input.size(1), Axis(input.size(2), kernel.size(2), stride[0], padding[0]),
          Axis(input.size(3), kernel.size(3), stride[1], padding[1])};
}

// [windows, out] as maps [N, out, H, W], channels last in memory.
at::Tensor maps(const at::Tensor &products, const Windows &windows) {
  return products.view({windows.images, windows.rows.positions, windows.columns.positions, -1}).permute({0, 3, 1, 2});
}

struct SmallConvolution : torch::autograd::Function<SmallConvolution> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &input, const at::Tensor &kernel,
                            const std::optional<at::Tensor> &bias, int64_t down, int64_t across, int64_t above,
                            int64_t beside) {
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    const std::vector<int64_t> stride{down, across}, padding{above, beside};
    auto windows = windows_of(input, kernel, stride, padding);
    context->save_for_backward({input, kernel});
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    context->saved_data["has_bias"] = bias.has_value();
    return maps(onednn_product(windows.of(input), windows.taps(kernel), bias), windows);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list received) {
    auto saved = context->get_saved_variables();
    const auto &input = saved[0], &kernel = saved[1];
    const auto stride = context->saved_data["stride"].toIntVector(), padding = context->saved_data["padding"].toIntVector();
    const bool to_input = context->needs_input_grad(0), to_kernel = context->needs_input_grad(1);
    const bool to_bias = context->saved_data["has_bias"].toBool() && context->needs_input_grad(2);
    if (at::GradMode::is_enabled()) {  // a gradient of the gradient is asked for: libtorch's can be differentiated
      auto [first, second, third] =
          at::convolution_backward(received[0], input, kernel, at::IntArrayRef{kernel.size(0)}, stride, padding, {1, 1},
                                   false, {0, 0}, 1, {to_input, to_kernel, to_bias});
      return {first, second, third, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
    }
    auto windows = windows_of(input, kernel, stride, padding);
    auto gradient = received[0].permute({0, 2, 3, 1}).contiguous().view({windows.count(), kernel.size(0)});
    at::Tensor of_input, of_kernel, of_bias;
    if (to_input) of_input = windows.summed(onednn_product(gradient, windows.taps(kernel).t()));
    if (to_kernel) {
      auto product = onednn_product(gradient.t().contiguous(), windows.of(input).t());
      of_kernel = at::zeros_like(kernel);
      windows.within(of_kernel)
          .copy_(product.view({kernel.size(0), windows.rows.taps, windows.columns.taps, -1}).permute({0, 3, 1, 2}));
    }
    if (to_bias) of_bias = gradient.sum(0);
    return {of_input, of_kernel, of_bias, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

bool is(ct_ints list, int64_t value) {
  return std::all_of(list.values, list.values + list.count, [&](int64_t each) { return each == value; });
}

// Whether it is float32 on the processor, of such extents.
bool is_plain(const at::Tensor &maps, at::IntArrayRef sizes) {
  return maps.is_cpu() && maps.scalar_type() == at::kFloat && maps.sizes() == sizes;
}

bool suits_product(const at::Tensor &input, const at::Tensor &kernel, const std::optional<at::Tensor> &bias,
                   at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
                   int64_t groups) {
  auto type = input.scalar_type();
  if (!input.is_cpu() || !kernel.is_cpu() || input.dim() != 4 || kernel.dim() != 4 || transposed || groups != 1 ||
      (type != at::kFloat && type != at::kBFloat16) || kernel.scalar_type() != type ||
      (bias && (bias->scalar_type() != type || bias->dim() != 1 || bias->size(0) != kernel.size(0))) ||
      kernel.size(1) != input.size(1) || kernel.size(2) * kernel.size(3) == 1 || stride.size() != 2 ||
      padding.size() != 2 || std::any_of(dilation.begin(), dilation.end(), [](int64_t step) { return step != 1; }))
    return false;
  for (int axis : {0, 1})
    if (stride[axis] < 1 || padding[axis] < 0 || padding[axis] >= kernel.size(axis + 2) || input.size(axis + 2) < 1 ||
        input.size(axis + 2) + 2 * padding[axis] < kernel.size(axis + 2))
      return false;
  auto windows = windows_of(input, kernel, stride, padding);
  return windows.rows.positions * windows.columns.positions <= most_positions && windows.rows.taps > 0 &&
         windows.columns.taps > 0 && windows.count() * windows.width() * kernel.size(0) >= least_work &&
         has_onednn_product();
}

// A convolution as it was asked for.
struct Convolution {
  at::Tensor input, kernel;
  std::optional<at::Tensor> bias;
  ct_ints stride, padding, dilation, output_padding;
  bool transposed;
  int64_t groups;

  // Takes the type of mixed precision: on processors libtorch casts for conv2d and its like, not for this one.
  void cast() {
    auto type = autocast_type(input);
    if (!type) return;
    auto where = input.device().type();
    kernel = at::autocast::cached_cast(*type, kernel, where);
    bias = at::autocast::cached_cast(*type, bias, where);
    input = at::autocast::cached_cast(*type, input, where);
  }

  bool suits_product() const {
    return ::suits_product(input, kernel, bias, ints(stride), ints(padding), ints(dilation), transposed, groups);
  }

  bool suits_winograd() const {
    return is(stride, 1) && is(padding, 1) && is(dilation, 1) && !transposed && groups == 1 &&
           norma::suits_winograd(input, kernel, bias);
  }

  // What has one channel has it last as well as first; said to be last, it leaves the result's channels last, as all that
  // follows wants them.
  void take_channels_last() {
    if (input.is_cpu() && input.dim() == 4 && input.size(1) == 1 && !transposed && input.is_contiguous())
      input = input.view({input.size(0), input.size(2), input.size(3), 1}).permute({0, 3, 1, 2});
  }

  at::Tensor result() {
    take_channels_last();
    if (suits_product())
      return SmallConvolution::apply(input, kernel, bias, stride.values[0], stride.values[1], padding.values[0],
                                     padding.values[1]);
    if (suits_winograd()) return winograd_convolution(input, kernel, bias);
    return at::convolution(input, kernel, bias, ints(stride), ints(padding), ints(dilation), transposed,
                           ints(output_padding), groups);
  }
};

}  // namespace

ct_status ct_convolution(ct_tensor a, ct_tensor weight, ct_tensor bias_or_null, ct_ints stride, ct_ints padding,
                         ct_ints dilation, bool transposed, ct_ints output_padding, int64_t groups, ct_tensor *out) {
  return made(out, [&] {
    Convolution work{a->value,  weight->value,  optional(bias_or_null), stride, padding,
                     dilation, output_padding, transposed,             groups};
    work.cast();
    return work.result();
  });
}

ct_status ct_convolution_relu(ct_tensor a, ct_tensor weight, ct_tensor bias_or_null, ct_tensor added_or_null, ct_ints stride,
                              ct_ints padding, ct_ints dilation, ct_tensor *out) {
  return made(out, [&] {
    static const int64_t none[3] = {};
    auto added = optional(added_or_null);
    Convolution work{a->value, weight->value, optional(bias_or_null), stride, padding, dilation, {none, stride.count}, false, 1};
    work.cast();
    const auto &kernel = work.kernel;
    const bool records = at::GradMode::is_enabled() &&
                         (work.input.requires_grad() || kernel.requires_grad() || (work.bias && work.bias->requires_grad()) ||
                          (added && added->requires_grad()));
    if (!records && !work.suits_product() && work.suits_winograd() &&
        (!added || is_plain(*added, {work.input.size(0), kernel.size(0), work.input.size(2), work.input.size(3)})))
      return winograd_rectified(work.input, kernel, work.bias, added);
    auto result = work.result();
    return added ? at::relu(result + *added) : at::relu(result);
  });
}
