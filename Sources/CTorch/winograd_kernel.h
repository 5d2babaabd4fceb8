// 3×3 convolutions of stride 1 and padding 1 in float32 as Winograd's minimal filtering F(4×4, 3×3) (Lavin and Gray 2016), where
// `has_vectors`: 36 multiply-adds for every 16 results, where the definition takes 144.
#pragma once

#include <cstdint>

namespace norma {

// Maps [images, height, width, channels], dense: `in` channels before the convolution, `out` after it, both multiples of 16.
// They are cut into tiles of 4×4 results, each of which sees 6×6 samples.
struct Maps {
  int64_t images, height, width, in, out;

  int64_t down() const { return (height + 3) / 4; }
  int64_t across() const { return (width + 3) / 4; }
  int64_t tiles() const { return images * down() * across(); }
  bool operator==(const Maps &) const = default;
};

// A kernel [out, in, 3, 3], or its gradient: how many floats lie between neighbours along each axis.
struct Taps {
  float *values;
  int64_t out, in, row, column;

  // The kernel of the gradient to the input: turned by half a turn, `in` and `out` exchanged.
  Taps turned() const { return {values + 2 * row + 2 * column, in, out, -row, -column}; }
};

// What becomes of results before they are written: the bias of their channel, `out` numbers, and other maps of the same shape
// are added (null: nothing), and what is then negative is zero if `rectifies`.
struct Ending {
  const float *bias = nullptr, *maps = nullptr;
  bool rectifies = false;
};

// Floats of a transformed kernel.
int64_t winograd_kernel_size(const Maps &maps);
// Floats of scratch memory of a thread that works on some tiles, and of one that adds up gradients to weights.
int64_t winograd_scratch(const Maps &maps);
int64_t winograd_gradient_scratch(const Maps &maps);

// Transforms the `in` channels [begin, end) of a kernel.
void winograd_transform(const Maps &maps, Taps kernel, float *transformed, int64_t begin, int64_t end);

// The tiles [begin, end) of the results.
void winograd_convolve(const Maps &maps, const float *input, const float *transformed, const Ending &ending, float *output,
                       int64_t begin, int64_t end, float *scratch);

// Adds what the tiles [begin, end) give to the gradient of the transformed kernel, dense in `in` and `out`, and to that of the
// bias, which may be null.
void winograd_add_gradients(const Maps &maps, const float *input, const float *gradient, float *of_transformed,
                            float *of_bias, int64_t begin, int64_t end, float *scratch);

// The gradient of the kernel from that of the transformed one, for the `in` channels [begin, end).
void winograd_transform_gradient(const Maps &maps, const float *of_transformed, Taps of_kernel, int64_t begin, int64_t end);

}  // namespace norma
