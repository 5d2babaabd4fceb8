// Batch norm, and in training with what follows it, y = ReLU(norm(x) + others): two passes over memory forwards and two
// backwards, where the three operators one after the other take eight and more. Float32, channels last.
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "counting.h"
#include "handles.h"
#include "parallel.h"

using namespace norma;

namespace {

// Rows whose sums are in float32 before they join those in float64.
constexpr int64_t rows_at_once = 64;

// What is done to one row of channels; none of the arrays overlap.

void add_moments(int64_t n, const float *__restrict x, const float *__restrict origin, float *__restrict first,
                 float *__restrict second) {
  for (int64_t c = 0; c < n; c++) {
    const float difference = x[c] - origin[c];
    first[c] += difference;
    second[c] += difference * difference;
  }
}

void normalise(int64_t n, const float *__restrict x, const float *__restrict scale, const float *__restrict offset,
               const float *__restrict added, float *__restrict y) {
  for (int64_t c = 0; c < n; c++) {
    const float value = x[c] * scale[c] + offset[c] + added[c];
    y[c] = value < 0 ? 0 : value;
  }
}

// The gradient that the ReLU lets through, and its products with the samples.
void add_passed(int64_t n, const float *__restrict g, const float *__restrict y, const float *__restrict x,
                const float *__restrict mean, float *__restrict first, float *__restrict second) {
  for (int64_t c = 0; c < n; c++) {
    const float all = g[c], passed = y[c] <= 0 ? 0 : all;
    first[c] += passed;
    second[c] += passed * (x[c] - mean[c]);
  }
}

void change(int64_t n, const float *__restrict g, const float *__restrict y, const float *__restrict x,
            const float *__restrict mean, const float *__restrict scale, const float *__restrict slope,
            const float *__restrict offset, float *__restrict of_x) {
  for (int64_t c = 0; c < n; c++) {
    const float all = g[c], passed = y[c] <= 0 ? 0 : all;
    of_x[c] = scale[c] * passed + (x[c] - mean[c]) * slope[c] + offset[c];
  }
}

void pass(int64_t n, const float *__restrict g, const float *__restrict y, float *__restrict passed) {
  for (int64_t c = 0; c < n; c++) {
    const float all = g[c];
    passed[c] = y[c] <= 0 ? 0 : all;
  }
}

// Maps [N, C, H, W] as rows of channels.
struct Rows {
  int64_t count, channels;

  explicit Rows(const at::Tensor &maps) : count(maps.numel() / maps.size(1)), channels(maps.size(1)) {}

  // Calls `add` with pieces of the rows, each with two sums of its channels, which it adds to; gives all pieces' together.
  template <typename Add>
  std::vector<double> sums(Add add) const {
    const int64_t slices = std::clamp<int64_t>(at::get_num_threads(), 1, count);
    std::vector<double> partial(slices * 2 * channels), total(2 * channels);
    in_parallel(slices, [&](int64_t first, int64_t last) {
      std::vector<float> piece(2 * channels);
      for (int64_t slice = first; slice < last; slice++) {
        const int64_t end = (slice + 1) * count / slices;
        double *own = partial.data() + slice * 2 * channels;
        for (int64_t row = slice * count / slices; row < end; row += rows_at_once) {
          std::fill(piece.begin(), piece.end(), 0.0f);
          add(row, std::min(row + rows_at_once, end), piece.data(), piece.data() + channels);
          for (int64_t c = 0; c < 2 * channels; c++) own[c] += piece[c];
        }
      }
    });
    for (int64_t slice = 0; slice < slices; slice++)
      for (int64_t c = 0; c < 2 * channels; c++) total[c] += partial[slice * 2 * channels + c];
    return total;
  }
};

// Mean and variance (divided by n) of every channel. Differences from the first row are summed up, so that a large mean does
// not swallow the variance.
struct Statistics {
  std::vector<float> mean, variance;

  Statistics(const float *x, Rows rows) : mean(rows.channels), variance(rows.channels) {
    const int64_t channels = rows.channels;
    const std::vector<float> origin(x, x + channels);
    auto sums = rows.sums([&](int64_t begin, int64_t end, float *first, float *second) {
      for (int64_t at = begin * channels; at < end * channels; at += channels)
        add_moments(channels, x + at, origin.data(), first, second);
    });
    for (int64_t c = 0; c < channels; c++) {
      const double shift = sums[c] / rows.count;
      mean[c] = static_cast<float>(x[c] + shift);
      variance[c] = static_cast<float>(std::max(0.0, sums[channels + c] / rows.count - shift * shift));
    }
  }
};

// running = (1 − momentum) · running + momentum · now, of mean and sample variance.
void follow(const at::Tensor &mean, const at::Tensor &variance, const Statistics &now, double momentum, int64_t count) {
  at::NoGradGuard no_gradients;
  auto tensor = [&](const std::vector<float> &values) {
    return at::from_blob(const_cast<float *>(values.data()), {static_cast<int64_t>(values.size())}, at::kFloat);
  };
  mean.mul_(1 - momentum).add_(tensor(now.mean), momentum);
  variance.mul_(1 - momentum).add_(tensor(now.variance), momentum * count / (count - 1));
}

struct NormReLU : torch::autograd::Function<NormReLU> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &input,
                            const std::optional<at::Tensor> &added, const at::Tensor &weight, const at::Tensor &bias,
                            const at::Tensor &running_mean, const at::Tensor &running_variance, double momentum,
                            double epsilon) {
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    const Rows rows(input);
    const int64_t channels = rows.channels;
    const Statistics statistics(input.const_data_ptr<float>(), rows);
    follow(running_mean, running_variance, statistics, momentum, rows.count);
    auto norm = at::empty({3, channels}, input.options());  // mean, 1 / standard deviation, scale
    float *mean = norm.mutable_data_ptr<float>(), *inverse = mean + channels, *scale = inverse + channels;
    std::vector<float> shift(channels), zeros(channels);
    for (int64_t c = 0; c < channels; c++) {
      mean[c] = statistics.mean[c];
      inverse[c] = static_cast<float>(1 / std::sqrt(statistics.variance[c] + epsilon));
      scale[c] = weight.const_data_ptr<float>()[c] * inverse[c];
      shift[c] = bias.const_data_ptr<float>()[c] - mean[c] * scale[c];
    }
    auto output = at::empty_like(input);
    const float *x = input.const_data_ptr<float>(), *others = added ? added->const_data_ptr<float>() : nullptr;
    float *y = output.mutable_data_ptr<float>();
    in_parallel(rows.count, [&](int64_t begin, int64_t end) {
      for (int64_t at = begin * channels; at < end * channels; at += channels)
        normalise(channels, x + at, scale, shift.data(), others ? others + at : zeros.data(), y + at);
    });
    context->save_for_backward({input, output, norm, weight, bias, added.value_or(at::Tensor())});
    context->saved_data["epsilon"] = epsilon;
    if (is_counting()) count_kernel(at::kFloat, 0, {input, input, added.value_or(at::Tensor())}, {output});
    return output;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list received) {
    auto saved = context->get_saved_variables();
    const auto &input = saved[0], &output = saved[1], &norm = saved[2], &weight = saved[3], &added = saved[5];
    at::Tensor none;
    if (at::GradMode::is_enabled())  // a gradient of the gradient is asked for: libtorch's operators can be differentiated
      return with_libtorch(saved, context->saved_data["epsilon"].toDouble(), received[0]);
    const Rows rows(input);
    const int64_t channels = rows.channels, count = rows.count;
    auto gradient = received[0].contiguous(at::MemoryFormat::ChannelsLast);
    const float *x = input.const_data_ptr<float>(), *y = output.const_data_ptr<float>(), *g = gradient.const_data_ptr<float>();
    const float *mean = norm.const_data_ptr<float>(), *inverse = mean + channels, *scale = inverse + channels;
    const auto sums = rows.sums([=](int64_t begin, int64_t end, float *first, float *second) {
      for (int64_t at = begin * channels; at < end * channels; at += channels)
        add_passed(channels, g + at, y + at, x + at, mean, first, second);
    });
    auto of_input = at::empty_like(input), of_added = added.defined() ? at::empty_like(input) : none;
    auto of_weight = at::empty_like(weight), of_bias = at::empty_like(weight);
    std::vector<float> offset(channels), slope(channels);
    for (int64_t c = 0; c < channels; c++) {
      of_bias.mutable_data_ptr<float>()[c] = static_cast<float>(sums[c]);
      of_weight.mutable_data_ptr<float>()[c] = static_cast<float>(sums[channels + c] * inverse[c]);
      // scale · (g − Σg / n − (x − mean) / variance · Σg(x − mean) / n) as scale · g + slope · x + offset
      slope[c] = static_cast<float>(-scale[c] * inverse[c] * inverse[c] * (sums[channels + c] / count));
      offset[c] = static_cast<float>(-scale[c] * (sums[c] / count));
    }
    float *to = of_input.mutable_data_ptr<float>(), *beside = added.defined() ? of_added.mutable_data_ptr<float>() : nullptr;
    in_parallel(count, [&](int64_t begin, int64_t end) {
      for (int64_t at = begin * channels; at < end * channels; at += channels) {
        change(channels, g + at, y + at, x + at, mean, scale, slope.data(), offset.data(), to + at);
        if (beside) pass(channels, g + at, y + at, beside + at);
      }
    });
    if (is_counting()) count_kernel(at::kFloat, 0, {input, output, gradient, input, output, gradient}, {of_input, of_added});
    return {of_input, of_added, of_weight, of_bias, none, none, none, none};
  }

  // The same from operators whose own gradients are recorded.
  static torch::autograd::variable_list with_libtorch(const torch::autograd::variable_list &saved, double epsilon,
                                                      const at::Tensor &received) {
    const auto &input = saved[0], &output = saved[1], &weight = saved[3], &added = saved[5];
    at::Tensor none;
    auto gradient = received * output.le(0).logical_not().to(received.scalar_type());
    auto centred = input - input.mean({0, 2, 3}, true);
    auto inverse = (centred.square().mean({0, 2, 3}, true) + epsilon).rsqrt();
    auto normalised = centred * inverse;
    auto of_bias = gradient.sum({0, 2, 3}), of_weight = (gradient * normalised).sum({0, 2, 3});
    auto of_input = weight.view({1, -1, 1, 1}) * inverse *
                    (gradient - gradient.mean({0, 2, 3}, true) - normalised * (gradient * normalised).mean({0, 2, 3}, true));
    return {of_input, added.defined() ? gradient : none, of_weight, of_bias, none, none, none, none};
  }
};

bool is_plain(const at::Tensor &tensor) { return tensor.is_cpu() && tensor.scalar_type() == at::kFloat; }

bool suits(const at::Tensor &input, const std::optional<at::Tensor> &added, at::TensorList channels) {
  const auto order = at::MemoryFormat::ChannelsLast;
  return input.dim() == 4 && is_plain(input) && input.is_contiguous(order) && input.numel() > input.size(1) &&
         (!added || (is_plain(*added) && added->sizes() == input.sizes() && added->is_contiguous(order))) &&
         std::all_of(channels.begin(), channels.end(), [&](const at::Tensor &tensor) {
           return is_plain(tensor) && tensor.is_contiguous() && tensor.sizes() == at::IntArrayRef{input.size(1)};
         });
}

at::Tensor libtorchs(const at::Tensor &input, const std::optional<at::Tensor> &weight, const std::optional<at::Tensor> &bias,
                     const std::optional<at::Tensor> &mean, const std::optional<at::Tensor> &variance, bool training,
                     double momentum, double epsilon) {
  // It would divide by n - 1 = 0 and leave NaN in the running variance.
  TORCH_CHECK(!training || input.dim() < 2 || input.size(1) == 0 || input.numel() != input.size(1),
              "training needs more than one value per channel, and the input has shape ", input.sizes());
  return at::batch_norm(input, weight, bias, mean, variance, training, momentum, epsilon, /*cudnn_enabled=*/true);
}

}  // namespace

ct_status ct_batch_norm(ct_tensor a, ct_tensor weight_or_null, ct_tensor bias_or_null, ct_tensor mean_or_null,
                        ct_tensor variance_or_null, bool training, double momentum, double epsilon, ct_tensor *out) {
  return made(out, [&] {
    return libtorchs(a->value, optional(weight_or_null), optional(bias_or_null), optional(mean_or_null),
                     optional(variance_or_null), training, momentum, epsilon);
  });
}

ct_status ct_batch_norm_relu(ct_tensor a, ct_tensor added_or_null, ct_tensor weight, ct_tensor bias, ct_tensor mean,
                             ct_tensor variance, double momentum, double epsilon, ct_tensor *out) {
  return made(out, [&] {
    auto added = optional(added_or_null);
    const auto &input = a->value;
    if (suits(input, added, {weight->value, bias->value, mean->value, variance->value}))
      return NormReLU::apply(input, added, weight->value, bias->value, mean->value, variance->value, momentum, epsilon);
    auto result = libtorchs(input, weight->value, bias->value, mean->value, variance->value, true, momentum, epsilon);
    return added ? at::relu(*added + result) : at::relu(result);
  });
}
