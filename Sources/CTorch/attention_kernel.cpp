// One head at a time, a tile of queries at a time: scores of a tile against all keys that it sees stay in the cache. The
// five products of both passes are one routine, whose blocks of results stay in registers.
#include "attention_kernel.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace norma {

#if defined(__x86_64__)

bool has_vectors() {
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
  return has;
}

#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,fma"))), apply_to = function)

namespace {

constexpr int64_t tile = 32;           // queries that are worked on together
constexpr int64_t largest_tile = 39;  // with those that are left, where they are fewer than a block
constexpr float lowest = -1e30f;

// Floats between rows of scores: an odd number of vectors, so that columns do not fall on the same lines of the cache.
int64_t score_stride(const Head &head) { return ((head.keys + lanes - 1) / lanes | 1) * lanes; }

// `from`, `count` rows of `width`, as columns of `to`, times `factor`; the columns that are left are zero.
void transpose(Rows from, Rows to, int64_t count, int64_t width, float factor) {
  constexpr int64_t tall = 64;
  for (int64_t first = 0; first < count; first += tall)
    for (int64_t t = 0; t < width; t++)
      for (int64_t i = first; i < std::min(first + tall, count); i++)
        to.values[t * to.stride + i] = from.values[i * from.stride + t] * factor;
  for (int64_t t = 0; t < width; t++)
    std::fill(to.values + t * to.stride + count, to.values + (t + 1) * to.stride, 0.0f);
}

// The end of the tile of queries that begins with `first`.
int64_t end_of_tile(const Head &head, int64_t first) {
  return head.queries - first <= largest_tile ? head.queries : first + tile;
}

// How many keys the first `last` queries see.
int64_t seen(const Head &head, int64_t last) { return head.causal ? head.keys - head.queries + last : head.keys; }

// Adds the bias to the scores of a query that sees `count` keys, and puts those that it does not see, of `width`, out of reach.
void limit(float *scores, const float *bias, int64_t count, int64_t width) {
  if (bias)
    for (int64_t k = 0; k < count; k++) scores[k] += bias[k];
  std::fill(scores + count, scores + width, lowest);
}

float dot(const float *a, const float *b, int64_t count) {
  Vector total = all(0);
  for (int64_t i = 0; i < count; i += lanes) total += load(a + i) * load(b + i);
  return sum(total);
}

}  // namespace

int64_t attention_scratch(const Head &head) { return 2 * (largest_tile + head.width) * score_stride(head); }

void attention_forward(const Head &head, float *scratch) {
  const int64_t stride = score_stride(head), d = head.width;
  const Rows keys{scratch, stride}, scores{scratch + d * stride, stride};
  transpose(head.key, keys, head.keys, d, head.scale);
  for (int64_t first = 0, last; first < head.queries; first = last) {
    last = end_of_tile(head, first);
    const int64_t count = last - first;
    const int64_t visible = seen(head, last), width = rounded(visible);
    multiply({head.query[first], head.query.stride, 1}, keys, scores, count, width, d, false);
    float sums[largest_tile];
    for (int64_t q = 0; q < count; q++) {
      float *own = scores[q];
      limit(own, head.bias, seen(head, first + q + 1), width);
      const float largest = maximum(own, width);
      Vector total = all(0);
      for (int64_t k = 0; k < width; k += lanes) {
        Vector share = exponential(load(own + k) - largest);
        store(own + k, share);
        total += share;
      }
      sums[q] = sum(total);
      if (head.normalisers) head.normalisers[first + q] = largest + std::log(sums[q]);
    }
    const Rows output{head.output[first], head.output.stride};
    multiply({scores.values, stride, 1}, head.value, output, count, d, visible, false);
    for (int64_t q = 0; q < count; q++) {
      const float share = 1 / sums[q];
      for (int64_t t = 0; t < d; t++) output[q][t] *= share;
    }
  }
}

void attention_backward(const Head &head, const HeadGradients &gradients, float *scratch) {
  const int64_t stride = score_stride(head), d = head.width;
  const Rows keys{scratch, stride}, values{keys.values + d * stride, stride};
  const Rows shares{values.values + d * stride, stride}, changes{shares.values + largest_tile * stride, stride};
  transpose(head.key, keys, head.keys, d, head.scale);
  transpose(head.value, values, head.keys, d, 1);
  for (int64_t first = 0, last; first < head.queries; first = last) {
    last = end_of_tile(head, first);
    const int64_t count = last - first;
    const int64_t visible = seen(head, last), width = rounded(visible);
    const Rows query{head.query[first], head.query.stride};
    const Rows gradient{gradients.output[first], gradients.output.stride};
    multiply({query.values, query.stride, 1}, keys, shares, count, width, d, false);
    multiply({gradient.values, gradient.stride, 1}, values, changes, count, width, d, false);
    for (int64_t q = 0; q < count; q++) {
      float *share = shares[q], *change = changes[q];
      limit(share, head.bias, seen(head, first + q + 1), width);
      const float mean = dot(gradient[q], head.output[first + q], d);
      const float normaliser = head.normalisers[first + q];
      for (int64_t k = 0; k < width; k += lanes) {
        Vector p = exponential(load(share + k) - normaliser);
        store(share + k, p);
        store(change + k, p * (load(change + k) - mean) * head.scale);
      }
    }
    multiply({changes.values, stride, 1}, head.key, {gradients.query[first], gradients.query.stride}, count, d,
             visible, false);
    multiply({changes.values, 1, stride}, query, gradients.key, visible, d, count, true);
    multiply({shares.values, 1, stride}, gradient, gradients.value, visible, d, count, true);
  }
}

#pragma clang attribute pop

#else

bool has_vectors() { return false; }
int64_t attention_scratch(const Head &) { return 0; }
void attention_forward(const Head &, float *) {}
void attention_backward(const Head &, const HeadGradients &, float *) {}

#endif

}  // namespace norma
