// Reductions, orderings, distances and factorisations.
#include <numeric>

#include "handles.h"

using namespace norma;

ct_status ct_sum(ct_tensor a, ct_ints over, bool keep, ct_tensor *out) {
  return made(out, [&] { return at::sum(a->value, axes(over), keep); });
}

ct_status ct_mean(ct_tensor a, ct_ints over, bool keep, ct_tensor *out) {
  return made(out, [&] { return at::mean(a->value, axes(over), keep); });
}

ct_status ct_variance(ct_tensor a, ct_ints over, int64_t correction, bool keep, ct_tensor *out) {
  return made(out, [&] { return at::var(a->value, axes(over), std::optional<at::Scalar>(correction), keep); });
}

ct_status ct_amax(ct_tensor a, ct_ints over, bool keep, ct_tensor *out) {
  return made(out, [&] { return at::amax(a->value, ints(over), keep); });
}

ct_status ct_amin(ct_tensor a, ct_ints over, bool keep, ct_tensor *out) {
  return made(out, [&] { return at::amin(a->value, ints(over), keep); });
}

ct_status ct_norm(ct_tensor a, double p, ct_ints over, bool keep, ct_tensor *out) {
  return made(out, [&] { return at::linalg_vector_norm(a->value, p, axes(over), keep); });
}

ct_status ct_logsumexp(ct_tensor a, ct_ints over, bool keep, ct_tensor *out) {
  return made(out, [&] {
    // Alone among the reductions, this one does not take no axes for all of them.
    std::vector<int64_t> all(over.count == 0 ? a->value.dim() : 0);
    std::iota(all.begin(), all.end(), 0);
    return at::logsumexp(a->value, over.count == 0 ? at::IntArrayRef(all) : ints(over), keep);
  });
}

ct_status ct_argmax(ct_tensor a, int64_t axis, bool keep, ct_tensor *out) {
  return made(out, [&] { return at::argmax(a->value, axis, keep); });
}

ct_status ct_argmin(ct_tensor a, int64_t axis, bool keep, ct_tensor *out) {
  return made(out, [&] { return at::argmin(a->value, axis, keep); });
}

ct_status ct_all(ct_tensor a, ct_tensor *out) {
  return made(out, [&] { return at::all(a->value); });
}

ct_status ct_any(ct_tensor a, ct_tensor *out) {
  return made(out, [&] { return at::any(a->value); });
}

ct_status ct_cumsum(ct_tensor a, int64_t axis, ct_tensor *out) {
  return made(out, [&] { return at::cumsum(a->value, axis); });
}

ct_status ct_softmax(ct_tensor a, int64_t axis, ct_tensor *out) {
  return made(out, [&] { return at::softmax(a->value, axis); });
}

ct_status ct_log_softmax(ct_tensor a, int64_t axis, ct_tensor *out) {
  return made(out, [&] { return at::log_softmax(a->value, axis); });
}

ct_status ct_topk(ct_tensor a, int64_t k, int64_t axis, bool largest, ct_tensor *values, ct_tensor *indices) {
  return guarded([&] {
    auto [first, second] = at::topk(a->value, k, axis, largest);
    *values = hand_out(first);
    *indices = hand_out(second);
  });
}

ct_status ct_sort(ct_tensor a, int64_t axis, bool descending, ct_tensor *values, ct_tensor *indices) {
  return guarded([&] {
    auto [first, second] = at::sort(a->value, /*stable=*/true, axis, descending);
    *values = hand_out(first);
    *indices = hand_out(second);
  });
}

ct_status ct_kthvalue(ct_tensor a, int64_t k, int64_t axis, bool keep, ct_tensor *values) {
  return made(values, [&] { return std::get<0>(at::kthvalue(a->value, k, axis, keep)); });
}

ct_status ct_quantile(ct_tensor a, double q, ct_tensor *out) {
  return made(out, [&] { return at::quantile(a->value, q); });
}

ct_status ct_cdist(ct_tensor a, ct_tensor b, double p, ct_tensor *out) {
  return made(out, [&] { return at::cdist(a->value, b->value, p); });
}

ct_status ct_cholesky(ct_tensor a, ct_tensor *out) {
  return made(out, [&] { return at::linalg_cholesky(a->value); });
}

ct_status ct_eigh(ct_tensor a, ct_tensor *values, ct_tensor *vectors) {
  return guarded([&] {
    auto [first, second] = at::linalg_eigh(a->value);
    *values = hand_out(first);
    *vectors = hand_out(second);
  });
}

ct_status ct_solve_triangular(ct_tensor a, ct_tensor b, bool upper, ct_tensor *out) {
  return made(out, [&] { return at::linalg_solve_triangular(a->value, b->value, upper); });
}

ct_status ct_spectrum(ct_tensor a, ct_ints over, ct_tensor *real, ct_tensor *imaginary) {
  return guarded([&] {
    const at::Tensor spectrum = at::fft_fftn(a->value, std::nullopt, ints(over), "ortho");
    *real = hand_out(at::real(spectrum));
    *imaginary = hand_out(at::imag(spectrum));
  });
}
