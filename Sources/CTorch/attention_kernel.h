// Softmax attention of one head in float32, forward and backward, where `has_vectors`. libtorch's own goes through
// MKL in small products, and takes twice the time.
#pragma once

#include <cstdint>

#include "vectors.h"

namespace norma {

// One head: n queries and m keys of width d, a multiple of 16.
struct Head {
  int64_t queries, keys, width;
  Rows query, key, value, output;
  const float *bias;   // added to every query's score of a key, m of them; null: nothing
  float *normalisers;  // logarithms of the softmax's denominators, n of them; null: not wanted
  float scale;
  bool causal;  // the last query sees all keys, each one before it one key less
};

// What a head's backward pass reads and writes: gradients of output, query, key and value. Those of key and value must be zero.
struct HeadGradients {
  Rows output, query, key, value;
};

// Floats of scratch memory that one head needs.
int64_t attention_scratch(const Head &head);

void attention_forward(const Head &head, float *scratch);
void attention_backward(const Head &head, const HeadGradients &gradients, float *scratch);

}  // namespace norma
