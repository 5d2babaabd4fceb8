// Vectors of sixteen floats for processors with AVX-512, and the matrix product that the kernels share: its blocks of results
// stay in registers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace norma {

// A matrix whose rows lie `stride` floats apart.
struct Rows {
  float *values;
  int64_t stride;

  float *operator[](int64_t index) const { return values + index * stride; }
};

// Columns of a right factor that lies in panels, each dense row by row and followed by the next.
constexpr int64_t panel = 64;

// Whether this processor can run what is written with these.
bool has_vectors();

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,fma"))), apply_to = function)

constexpr int64_t lanes = 16;

inline int64_t rounded(int64_t count) { return (count + lanes - 1) / lanes * lanes; }

using Vector = float __attribute__((vector_size(64)));
using Integers = int32_t __attribute__((vector_size(64)));

// Copies, as memory need not be aligned: one instruction each.
inline Vector load(const float *values) {
  Vector vector;
  std::memcpy(&vector, values, sizeof vector);
  return vector;
}
inline void store(float *values, Vector vector) { std::memcpy(values, &vector, sizeof vector); }
inline Vector all(float value) { return value - Vector{}; }  // a sum with zero would be computed, for −0

// e^x to one unit in the last place or two (Cody and Waite's reduction, a polynomial of degree 5); zero below −87. What is
// no number stays none.
inline Vector exponential(Vector x) {
  const float shift = 12582912;  // 1.5 · 2²³: rounds to whole numbers
  Vector bounded = x > -87 ? x : all(-87);
  Vector shifted = bounded * 1.44269504088896341f + shift;
  Vector whole = shifted - shift;
  Vector r = bounded - whole * 0.693359375f;
  r = r + whole * 2.12194440e-4f;
  Vector p = all(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1;
  Integers power = (reinterpret_cast<Integers &>(shifted) - 0x4B400000) << 23;
  Integers bits = reinterpret_cast<Integers &>(p) + power;
  Vector result = x > -87 ? reinterpret_cast<Vector &>(bits) : all(0);
  return x == x ? result : x;
}

inline float sum(Vector vector) {
  float total = 0;
  for (int i = 0; i < lanes; i++) total += vector[i];
  return total;
}

inline float maximum(const float *values, int64_t count) {
  Vector largest = load(values);
  for (int64_t k = lanes; k < count; k += lanes) {
    Vector next = load(values + k);
    largest = next > largest ? next : largest;
  }
  float result = largest[0];
  for (int i = 1; i < lanes; i++) result = std::max(result, largest[i]);
  return result;
}

// x/2 · (1 + erf(x/√2)), with erf to 1.5 · 10⁻⁷ (Abramowitz and Stegun, 7.1.26).
inline Vector gelu(Vector x) {
  const Vector z = (x < 0 ? -x : x) * 0.70710678118654752f;
  const Vector t = 1 / (z * 0.3275911f + 1);
  Vector p = t * 1.061405429f - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const Vector tail = x * (p * t * exponential(-z * z)) * 0.5f;
  return x > 0 ? x - tail : tail;
}

// Rows of a block of results that leave registers for the factors.
template <int vectors>
constexpr int tallest = vectors == panel / lanes ? 6 : 8;

// A left factor: element (r, t) lies at r · row + t · step.
struct Left {
  const float *values;
  int64_t row, step;
};

template <int rows, int vectors>
inline void block(Left a, const float *b, int64_t b_stride, float *c, int64_t c_stride, int64_t depth, bool adds) {
  Vector sums[rows][vectors];
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vectors; v++) sums[r][v] = adds ? load(c + r * c_stride + v * lanes) : all(0);
  for (int64_t t = 0; t < depth; t++) {
    Vector right[vectors];
    for (int v = 0; v < vectors; v++) right[v] = load(b + t * b_stride + v * lanes);
    if constexpr (vectors == panel / lanes && rows == tallest<vectors>)  // the next panel follows this one
      for (int v = 0; v < vectors; v++) __builtin_prefetch(b + (t + depth) * b_stride + v * lanes, 0, 2);
    for (int r = 0; r < rows; r++) {
      Vector left = all(a.values[r * a.row + t * a.step]);
      for (int v = 0; v < vectors; v++) sums[r][v] += left * right[v];
    }
  }
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vectors; v++) store(c + r * c_stride + v * lanes, sums[r][v]);
}

// As many rows as there are, at most `most`, in one block.
template <int most, int vectors>
inline void rest(int64_t rows, Left a, const float *b, int64_t b_stride, float *c, int64_t c_stride, int64_t depth,
                 bool adds) {
  if constexpr (most > 0) {
    if (rows == most) return block<most, vectors>(a, b, b_stride, c, c_stride, depth, adds);
    rest<most - 1, vectors>(rows, a, b, b_stride, c, c_stride, depth, adds);
  }
}

template <int vectors>
inline void columns(Left a, const float *b, int64_t b_stride, float *c, int64_t c_stride, int64_t rows, int64_t depth,
                    bool adds) {
  constexpr int most = tallest<vectors>;
  for (int64_t r = 0; r < rows; r += most)
    rest<most, vectors>(std::min<int64_t>(rows - r, most), {a.values + r * a.row, a.row, a.step}, b, b_stride,
                        c + r * c_stride, c_stride, depth, adds);
}

// c = a · b, or c += a · b: `rows` × `width` by way of `depth`; the width is a multiple of 16.
inline void multiply(Left a, Rows b, Rows c, int64_t rows, int64_t width, int64_t depth, bool adds) {
  int64_t v = 0;
  for (; v + 3 * lanes <= width; v += 3 * lanes)
    columns<3>(a, b.values + v, b.stride, c.values + v, c.stride, rows, depth, adds);
  if (width - v == 2 * lanes) columns<2>(a, b.values + v, b.stride, c.values + v, c.stride, rows, depth, adds);
  if (width - v == lanes) columns<1>(a, b.values + v, b.stride, c.values + v, c.stride, rows, depth, adds);
}

#pragma clang attribute pop

#endif

}  // namespace norma
