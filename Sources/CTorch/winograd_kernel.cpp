// A block of tiles at a time, so that what lies between the transforms stays in the cache:
//   results = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A,   gradient of g = Gᵀ [Σ (A δ Aᵀ) ⊙ (Bᵀ d B)] G,
// where d are the samples that a tile sees, g the kernel and δ the tile's gradients. Products ⊙ of all channels are 36 matrix
// products, one for each place of a transformed tile.
#include "winograd_kernel.h"

#include <algorithm>

#include "vectors.h"

namespace norma {

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,fma"))), apply_to = function)

namespace {

constexpr int64_t places = 36;     // of a transformed tile
constexpr int64_t together = 56;   // tiles between transforms and products, seven blocks of rows
constexpr int64_t summed = 128;    // tiles whose products are added up before the sums go back to memory
constexpr int64_t broad = 2 * lanes;  // columns of a panel of the kernel

// The six numbers of a line of samples, Bᵀ d.
inline void transform_samples(Vector d[6], Vector v[6], int64_t step) {
  const Vector a = d[4] - 4 * d[2], b = d[3] - 4 * d[1], c = d[4] - d[2], e = 2 * (d[3] - d[1]);
  v[0] = 4 * d[0] - 5 * d[2] + d[4];
  v[step] = a + b;
  v[2 * step] = a - b;
  v[3 * step] = c + e;
  v[4 * step] = c - e;
  v[5 * step] = 4 * d[1] - 5 * d[3] + d[5];
}

// The four results of a line of products, Aᵀ m.
inline void transform_products(const Vector m[6], Vector y[4]) {
  const Vector a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
  y[0] = m[0] + a + c;
  y[1] = b + 2 * d;
  y[2] = a + 4 * c;
  y[3] = b + 8 * d + m[5];
}

// The transpose of that, A δ.
inline void transform_gradients(const Vector g[4], Vector z[6]) {
  const Vector a = g[0] + g[2], b = g[1] + g[3], c = g[0] + 4 * g[2], d = 2 * g[1] + 8 * g[3];
  z[0] = g[0];
  z[1] = a + b;
  z[2] = a - b;
  z[3] = c + d;
  z[4] = c - d;
  z[5] = g[3];
}

// A line of the kernel, G g.
inline void transform_taps(const Vector g[3], Vector u[6]) {
  const Vector a = (g[0] + g[2]) * (-1.0f / 6), b = g[1] * (1.0f / 6);
  const Vector c = g[0] * (1.0f / 24) + g[2] * (1.0f / 6), d = g[1] * (1.0f / 12);
  u[0] = g[0] * 0.25f;
  u[1] = a - b;
  u[2] = a + b;
  u[3] = c + d;
  u[4] = c - d;
  u[5] = g[2];
}

// The transpose of that, Gᵀ u.
inline void transform_tap_gradients(const Vector u[6], Vector g[3]) {
  const Vector a = (u[1] + u[2]) * (1.0f / 6), b = u[3] + u[4];
  g[0] = u[0] * 0.25f - a + b * (1.0f / 24);
  g[1] = (u[2] - u[1]) * (1.0f / 6) + (u[3] - u[4]) * (1.0f / 12);
  g[2] = b * (1.0f / 6) - a + u[5];
}

// Floats between the places of transformed tiles: a little more than there are, so that they do not fall on the same lines of
// the cache.
inline int64_t apart(int64_t count, int64_t channels) { return count * channels + lanes; }

// Where a tile lies: its image's first row, and its own first row and column.
struct Tile {
  int64_t image, row, column;

  Tile(const Maps &maps, int64_t index)
      : image(index / (maps.down() * maps.across())),
        row(index / maps.across() % maps.down() * 4),
        column(index % maps.across() * 4) {}
};

// Samples that tiles see, transformed: `to` is [36, count, channels].
void see(const Maps &maps, const float *input, int64_t channels, int64_t begin, int64_t count, float *to) {
  static const float outside[lanes] = {};
  const int64_t stride = apart(count, channels);
  for (int64_t t = 0; t < count; t++) {
    const Tile tile(maps, begin + t);
    const float *samples[6][6];
    int64_t step[6][6];
    for (int64_t r = 0; r < 6; r++)
      for (int64_t c = 0; c < 6; c++) {
        const int64_t row = tile.row + r - 1, column = tile.column + c - 1;
        const bool inside = row >= 0 && row < maps.height && column >= 0 && column < maps.width;
        samples[r][c] = inside ? input + ((tile.image * maps.height + row) * maps.width + column) * channels : outside;
        step[r][c] = inside ? 1 : 0;
      }
    for (int64_t channel = 0; channel < channels; channel += lanes) {
      Vector lines[6][6], line[6], seen[6];
      for (int c = 0; c < 6; c++) {
        for (int r = 0; r < 6; r++) line[r] = load(samples[r][c] + channel * step[r][c]);
        transform_samples(line, &lines[0][c], 6);
      }
      for (int r = 0; r < 6; r++) {
        transform_samples(lines[r], seen, 1);
        for (int c = 0; c < 6; c++) store(to + (r * 6 + c) * stride + t * channels + channel, seen[c]);
      }
    }
  }
}

// Gradients of the tiles' results, transformed: `to` is [36, count, out].
void receive(const Maps &maps, const float *gradient, int64_t begin, int64_t count, float *to) {
  const int64_t stride = apart(count, maps.out);
  for (int64_t t = 0; t < count; t++) {
    const Tile tile(maps, begin + t);
    const float *first = gradient + ((tile.image * maps.height + tile.row) * maps.width + tile.column) * maps.out;
    const int64_t rows = std::min<int64_t>(4, maps.height - tile.row), wide = std::min<int64_t>(4, maps.width - tile.column);
    for (int64_t channel = 0; channel < maps.out; channel += lanes) {
      Vector lines[6][4], line[4], received[6];
      for (int c = 0; c < 4; c++) {
        for (int r = 0; r < 4; r++)
          line[r] = r < rows && c < wide ? load(first + (r * maps.width + c) * maps.out + channel) : all(0);
        transform_gradients(line, received);
        for (int r = 0; r < 6; r++) lines[r][c] = received[r];
      }
      for (int r = 0; r < 6; r++) {
        transform_gradients(lines[r], received);
        for (int c = 0; c < 6; c++) store(to + (r * 6 + c) * stride + t * maps.out + channel, received[c]);
      }
    }
  }
}

// Results of tiles from their products [36, count, out].
void put(const Maps &maps, const float *products, const Ending &ending, float *output, int64_t begin, int64_t count) {
  const int64_t stride = apart(count, maps.out);
  for (int64_t t = 0; t < count; t++) {
    const Tile tile(maps, begin + t);
    const int64_t first = ((tile.image * maps.height + tile.row) * maps.width + tile.column) * maps.out;
    const int64_t rows = std::min<int64_t>(4, maps.height - tile.row), wide = std::min<int64_t>(4, maps.width - tile.column);
    for (int64_t channel = 0; channel < maps.out; channel += lanes) {
      Vector lines[4][6], line[6], results[4];
      for (int c = 0; c < 6; c++) {
        for (int r = 0; r < 6; r++) line[r] = load(products + (r * 6 + c) * stride + t * maps.out + channel);
        transform_products(line, results);
        for (int r = 0; r < 4; r++) lines[r][c] = results[r];
      }
      const Vector shift = ending.bias ? load(ending.bias + channel) : all(0);
      for (int r = 0; r < 4; r++) {
        if (r >= rows) break;
        transform_products(lines[r], results);
        for (int c = 0; c < 4; c++) {
          if (c >= wide) break;
          const int64_t place = first + (r * maps.width + c) * maps.out + channel;
          Vector result = results[c] + shift;
          if (ending.maps) result += load(ending.maps + place);
          if (ending.rectifies) result = result < 0 ? all(0) : result;
          store(output + place, result);
        }
      }
    }
  }
}

}  // namespace

int64_t winograd_kernel_size(const Maps &maps) { return places * maps.in * maps.out; }
int64_t winograd_scratch(const Maps &maps) { return places * (apart(together, maps.in) + apart(together, maps.out)); }
int64_t winograd_gradient_scratch(const Maps &maps) { return places * (apart(summed, maps.in) + apart(summed, maps.out)); }

// Every place has panels of 32 of the `out` channels (the last may have 16), each with all `in` channels: what a block of
// products reads lies together.
void winograd_transform(const Maps &maps, Taps kernel, float *transformed, int64_t begin, int64_t end) {
  for (int64_t out = 0; out < maps.out; out += lanes) {
    const int64_t first = out / broad * broad, wide = std::min(broad, maps.out - first);
    for (int64_t in = begin; in < end; in++) {
      Vector lines[6][3], line[3], results[6];
      for (int c = 0; c < 3; c++) {
        for (int r = 0; r < 3; r++) {
          const float *taps = kernel.values + out * kernel.out + in * kernel.in + r * kernel.row + c * kernel.column;
          for (int lane = 0; lane < lanes; lane++) line[r][lane] = taps[lane * kernel.out];
        }
        transform_taps(line, results);
        for (int r = 0; r < 6; r++) lines[r][c] = results[r];
      }
      float *to = transformed + first * maps.in + in * wide + out - first;
      for (int r = 0; r < 6; r++) {
        transform_taps(lines[r], results);
        for (int c = 0; c < 6; c++) store(to + (r * 6 + c) * maps.in * maps.out, results[c]);
      }
    }
  }
}

void winograd_convolve(const Maps &maps, const float *input, const float *transformed, const Ending &ending, float *output,
                       int64_t begin, int64_t end, float *scratch) {
  for (int64_t tile = begin; tile < end; tile += together) {
    const int64_t count = std::min(together, end - tile);
    const int64_t left_apart = apart(count, maps.in), result_apart = apart(count, maps.out);
    float *seen = scratch, *products = scratch + places * left_apart;
    see(maps, input, maps.in, tile, count, seen);
    for (int64_t place = 0; place < places; place++) {
      const Left left{seen + place * left_apart, maps.in, 1};
      const float *right = transformed + place * maps.in * maps.out;
      float *result = products + place * result_apart;
      int64_t out = 0;
      for (; out + broad <= maps.out; out += broad)
        columns<2>(left, right + out * maps.in, broad, result + out, maps.out, count, maps.in, false);
      if (out < maps.out) columns<1>(left, right + out * maps.in, lanes, result + out, maps.out, count, maps.in, false);
    }
    put(maps, products, ending, output, tile, count);
  }
}

void winograd_add_gradients(const Maps &maps, const float *input, const float *gradient, float *of_transformed,
                            float *of_bias, int64_t begin, int64_t end, float *scratch) {
  for (int64_t tile = begin; tile < end; tile += summed) {
    const int64_t count = std::min(summed, end - tile);
    const int64_t left_apart = apart(count, maps.in), right_apart = apart(count, maps.out);
    float *seen = scratch, *received = scratch + places * left_apart;
    see(maps, input, maps.in, tile, count, seen);
    receive(maps, gradient, tile, count, received);
    for (int64_t place = 0; place < places; place++) {
      const float *left = seen + place * left_apart, *right = received + place * right_apart;
      float *sums = of_transformed + place * maps.in * maps.out;
      for (int64_t in = 0; in < maps.in; in += lanes) {
        int64_t out = 0;
        for (; out + broad <= maps.out; out += broad)
          columns<2>({left + in, 1, maps.in}, right + out, maps.out, sums + in * maps.out + out, maps.out, lanes, count, true);
        if (out < maps.out)
          columns<1>({left + in, 1, maps.in}, right + out, maps.out, sums + in * maps.out + out, maps.out, lanes, count, true);
      }
    }
    if (!of_bias) continue;
    const float *totals = received + (6 + 1) * right_apart;  // place (1, 1) is the sum of a tile's gradients
    for (int64_t t = 0; t < count; t++)
      for (int64_t out = 0; out < maps.out; out += lanes)
        store(of_bias + out, load(of_bias + out) + load(totals + t * maps.out + out));
  }
}

void winograd_transform_gradient(const Maps &maps, const float *of_transformed, Taps of_kernel, int64_t begin, int64_t end) {
  for (int64_t in = begin; in < end; in++)
    for (int64_t out = 0; out < maps.out; out += lanes) {
      const float *from = of_transformed + in * maps.out + out;
      Vector lines[3][6], line[6], results[3];
      for (int c = 0; c < 6; c++) {
        for (int r = 0; r < 6; r++) line[r] = load(from + (r * 6 + c) * maps.in * maps.out);
        transform_tap_gradients(line, results);
        for (int r = 0; r < 3; r++) lines[r][c] = results[r];
      }
      for (int r = 0; r < 3; r++) {
        transform_tap_gradients(lines[r], results);
        for (int c = 0; c < 3; c++) {
          float *to = of_kernel.values + out * of_kernel.out + in * of_kernel.in + r * of_kernel.row + c * of_kernel.column;
          for (int lane = 0; lane < lanes; lane++) to[lane * of_kernel.out] = results[c][lane];
        }
      }
    }
}

#pragma clang attribute pop

#else

int64_t winograd_kernel_size(const Maps &) { return 0; }
int64_t winograd_scratch(const Maps &) { return 0; }
int64_t winograd_gradient_scratch(const Maps &) { return 0; }
void winograd_transform(const Maps &, Taps, float *, int64_t, int64_t) {}
void winograd_convolve(const Maps &, const float *, const float *, const Ending &, float *, int64_t, int64_t, float *) {}
void winograd_add_gradients(const Maps &, const float *, const float *, float *, float *, int64_t, int64_t, float *) {}
void winograd_transform_gradient(const Maps &, const float *, Taps, int64_t, int64_t) {}

#endif

}  // namespace norma
