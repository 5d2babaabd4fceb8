// Work that libtorch's dispatcher does not see, told to the count of this thread (counting.cpp).
#pragma once

#include <ATen/ATen.h>

#include <initializer_list>

namespace norma {

// Whether this thread's work is being counted; ask before working out what to tell.
bool is_counting();

// Adds what one kernel of this library does.
void count_kernel(at::ScalarType type, int64_t multiply_adds, std::initializer_list<at::Tensor> read,
                  std::initializer_list<at::Tensor> written);

// Pairs of a query and a key that attention looks at; causal queries are the last ones of the keys' places.
inline int64_t attended_pairs(int64_t queries, int64_t keys, bool causal) {
  return causal ? queries * keys - queries * (queries - 1) / 2 : queries * keys;
}

}  // namespace norma
