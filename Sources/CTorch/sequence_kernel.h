// Blocks of a causal transformer that are fed a few slots at a time, in float32 where `has_vectors`. Weights and keys lie in
// panels, as products read them, so that nothing is laid out anew for a call.
#pragma once

#include <cstdint>

#include "vectors.h"

namespace norma {

// A right factor, [depth, width], in panels.
struct Panels {
  const float *values;
  int64_t depth, width;
};

// `count` as full panels.
inline int64_t in_panels(int64_t count) { return (count + panel - 1) / panel * panel; }

// A linear layer's weight, [outputs, inputs], as a factor in `memory`, which holds `in_panels(outputs) · inputs` floats.
Panels packed(const float *weight, int64_t outputs, int64_t inputs, float *memory);

// Layer norm: scale and shift per feature.
struct Norm {
  const float *scale, *shift;
};

// Where numbers lie, in all blocks alike: widths are multiples of 16.
struct BlockShape {
  int64_t width, hidden, heads, head_width;
  int64_t capacity;  // slots that are remembered at most, in full panels
  float epsilon;     // of norms

  int64_t inner() const { return heads * head_width; }
  // Floats that a block remembers of a sequence: for each head keys in panels, then values, slot by slot.
  int64_t memory() const { return 2 * inner() * capacity; }
  // Floats of scratch memory for so many vectors.
  int64_t scratch(int64_t vectors) const;
};

// x ← x + attention(norm x); x ← x + layers(norm x), a GELU between the two layers.
struct Block {
  Norm before_attention, before_layers;
  Panels query, keys_values, output, widening, narrowing;
  const float *widening_bias, *narrowing_bias;
};

// The next slots of some sequences.
struct Slots {
  int64_t sequences, count, start;  // `count` of each, after `start` others
  float *vectors;                   // [sequences · count, width]: what goes into a block, and what comes out
  float *memory;                    // what the block remembers of the first sequence
  int64_t memory_stride;            // floats to that of the next
  float *scratch;

  int64_t rows() const { return sequences * count; }
};

// Adds the slots' keys and values to what the block remembers.
void remember(const Block &block, const BlockShape &shape, const Slots &slots);

// Passes slots that are remembered through the block.
void transform(const Block &block, const BlockShape &shape, const Slots &slots);

// head(norm x) of `rows` vectors, [rows, in_panels(head.width)].
void predict(Norm norm, Panels head, const float *bias, const BlockShape &shape, const float *vectors, int64_t rows,
             float *logits, float *scratch);

}  // namespace norma
