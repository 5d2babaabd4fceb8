// Scaled dot-product attention: this library's own kernel where it runs, libtorch's elsewhere.
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "attention_kernel.h"
#include "autocast.h"
#include "counting.h"
#include "handles.h"
#include "parallel.h"

using namespace norma;

namespace {

// Queries below which transposing the keys does not pay.
constexpr int64_t fewest_queries = 16;
// What an excluded key's scores lose.
constexpr double exclusion = 1e4;

Rows rows(const at::Tensor &tensor, int64_t batch, int64_t head) {
  return {tensor.data_ptr<float>() + batch * tensor.stride(0) + head * tensor.stride(1), tensor.stride(2)};
}

// Memory of the shape and in the order [B, n, h, d] of projections, seen as [B, h, n, d].
at::Tensor heads_beside(const at::Tensor &like, bool zero) {
  auto shape = {like.size(0), like.size(2), like.size(1), like.size(3)};
  return (zero ? at::zeros(shape, like.options()) : at::empty(shape, like.options())).transpose(1, 2);
}

at::Tensor with_dense_rows(const at::Tensor &tensor) { return tensor.stride(3) == 1 ? tensor : tensor.contiguous(); }

struct Problem {
  at::Tensor query, key, value, bias;
  bool causal;
  double scale;

  // Multiply-adds of the two products: queries with keys, weights with values.
  int64_t multiply_adds() const {
    return query.size(0) * query.size(1) * attended_pairs(query.size(2), key.size(2), causal) * 2 * query.size(3);
  }

  // Calls `work` with every batch entry, head and scratch memory.
  template <typename Work>
  void each_head(const at::Tensor &output, const at::Tensor &normalisers, Work work) const {
    const int64_t heads = query.size(1), queries = query.size(2);
    in_parallel(query.size(0) * heads, [&](int64_t begin, int64_t end) {
      at::Tensor scratch;
      for (int64_t i = begin; i < end; i++) {
        const int64_t b = i / heads, h = i % heads;
        Head head{queries,
                  key.size(2),
                  query.size(3),
                  rows(query, b, h),
                  rows(key, b, h),
                  rows(value, b, h),
                  rows(output, b, h),
                  bias.defined() ? bias.data_ptr<float>() + b * key.size(2) : nullptr,
                  normalisers.defined() ? normalisers.data_ptr<float>() + i * queries : nullptr,
                  static_cast<float>(scale),
                  causal};
        if (!scratch.defined()) scratch = at::empty({attention_scratch(head)}, at::kFloat);
        work(head, b, h, scratch.data_ptr<float>());
      }
    });
  }
};

at::Tensor forward(const Problem &problem, const at::Tensor &normalisers) {
  auto output = heads_beside(problem.query, false);
  problem.each_head(output, normalisers, [](const Head &head, int64_t, int64_t, float *scratch) {
    attention_forward(head, scratch);
  });
  if (is_counting())
    count_kernel(at::kFloat, problem.multiply_adds(), {problem.query, problem.key, problem.value}, {output});
  return output;
}

struct Attention : torch::autograd::Function<Attention> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &query, const at::Tensor &key,
                            const at::Tensor &value, const std::optional<at::Tensor> &bias, bool causal, double scale) {
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    auto normalisers = at::empty({query.size(0), query.size(1), query.size(2)}, query.options());
    auto added = bias.value_or(at::Tensor());
    auto output = ::forward({query, key, value, added, causal, scale}, normalisers);
    context->save_for_backward({query, key, value, added, output, normalisers});
    context->saved_data["causal"] = causal;
    context->saved_data["scale"] = scale;
    return output;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list received) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "attention: the gradient of its kernel cannot be differentiated again");
    auto saved = context->get_saved_variables();
    Problem problem{saved[0], saved[1], saved[2], saved[3], context->saved_data["causal"].toBool(),
                    context->saved_data["scale"].toDouble()};
    auto gradient = with_dense_rows(received[0]);
    auto query = heads_beside(problem.query, false);
    auto key = heads_beside(problem.key, true), value = heads_beside(problem.value, true);
    problem.each_head(saved[4], saved[5], [&](const Head &head, int64_t b, int64_t h, float *scratch) {
      attention_backward(head, {rows(gradient, b, h), rows(query, b, h), rows(key, b, h), rows(value, b, h)}, scratch);
    });
    if (is_counting())
      count_kernel(at::kFloat, 2 * problem.multiply_adds(),
                   {problem.query, problem.key, problem.value, saved[4], gradient}, {query, key, value});
    return {query, key, value, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

bool suits_kernel(const at::Tensor &query, const at::Tensor &key, const at::Tensor &value, bool causal) {
  auto fits = [&](const at::Tensor &tensor) {
    return tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.dim() == 4 &&
           tensor.size(0) == query.size(0) && tensor.size(1) == query.size(1) && tensor.size(3) == query.size(3);
  };
  return has_vectors() && fits(query) && fits(key) && fits(value) && key.size(2) == value.size(2) &&
         query.size(3) > 0 && query.size(3) % 16 == 0 && query.size(2) >= fewest_queries && key.size(2) > 0 &&
         (!causal || query.size(2) <= key.size(2));
}

// What `keep`, [B, m], takes away from the scores of keys, [B, m].
std::optional<at::Tensor> bias_of(const std::optional<at::Tensor> &keep, at::ScalarType type) {
  if (!keep) return std::nullopt;
  return (keep->to(type) - 1).mul_(exclusion).contiguous();
}

at::Tensor attention(const at::Tensor &query, const at::Tensor &key, const at::Tensor &value,
                     const std::optional<at::Tensor> &keep, bool causal, double scale) {
  TORCH_CHECK(!causal || query.size(-2) <= key.size(-2), "attention: ", query.size(-2), " queries cannot be the last of ",
              key.size(-2), " places");
  TORCH_CHECK(!keep || (keep->dim() == 2 && query.dim() == 4 && key.dim() == 4 && keep->size(0) == query.size(0) &&
                        keep->size(1) == key.size(2)),
              "attention: 'keep' must be [batch, keys], beside queries and keys [batch, heads, length, width]");
  auto type = autocast_type(query);
  if (type && query.is_cpu() && query.scalar_type() != at::kDouble && has_vectors()) {
    // In mixed precision too in float32: libtorch's own in bfloat16 is slower, its backward pass several times (measured
    // on AMD EPYC with AVX-512 BF16). The result is cast, as the next product would cast it.
    AutocastPause pause;
    return attention(query.to(at::kFloat), key.to(at::kFloat), value.to(at::kFloat), keep, causal, scale).to(*type);
  }
  auto bias = bias_of(keep, query.scalar_type());
  if (suits_kernel(query, key, value, causal)) {
    Problem problem{with_dense_rows(query), with_dense_rows(key), with_dense_rows(value), bias.value_or(at::Tensor()),
                    causal, scale};
    bool records = at::GradMode::is_enabled() && (query.requires_grad() || key.requires_grad() || value.requires_grad());
    if (records) return Attention::apply(problem.query, problem.key, problem.value, bias, causal, scale);
    return forward(problem, at::Tensor());
  }
  const int64_t queries = query.size(-2), keys = key.size(-2);
  causal = causal && queries > 1;  // one query sees all keys
  if (!bias && (!causal || queries == keys))
    return at::scaled_dot_product_attention(query, key, value, {}, 0, causal, scale);
  auto mask = bias ? bias->view({bias->size(0), 1, 1, bias->size(1)}) : at::zeros({1, 1}, query.options());
  if (causal) mask = mask + at::full({queries, keys}, -INFINITY, query.options()).triu(keys - queries + 1);
  return at::scaled_dot_product_attention(query, key, value, mask, 0, false, scale);
}

}  // namespace

ct_status ct_attention(ct_tensor query, ct_tensor key, ct_tensor value, ct_tensor mask_or_null, ct_tensor keep_or_null,
                       bool causal, double scale_or_nan, ct_tensor *out) {
  return made(out, [&] {
    const auto &q = query->value, &k = key->value, &v = value->value;
    double scale = std::isnan(scale_or_nan) ? 1 / std::sqrt(static_cast<double>(q.size(-1))) : scale_or_nan;
    TORCH_CHECK(!mask_or_null || !keep_or_null, "attention: 'mask' and 'keep' cannot be given together");
    TORCH_CHECK(!mask_or_null || !causal, "attention: a mask says what is seen; 'causal' is for attention without one");
    if (mask_or_null) return at::scaled_dot_product_attention(q, k, v, mask_or_null->value, 0, false, scale);
    return attention(q, k, v, optional(keep_or_null), causal, scale);
  });
}
