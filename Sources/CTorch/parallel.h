// Work on libtorch's own threads. `at::parallel_for` is compiled into its caller and needs OpenMP there; an iterator over
// numbers runs inside of libtorch.
#pragma once

#include <ATen/ATen.h>
#include <ATen/TensorIterator.h>

namespace norma {

// Calls `body` with pieces [begin, end) of [0, count), at the same time on several threads.
template <typename Body>
void in_parallel(int64_t count, Body body) {
  auto numbers = at::arange(count, at::kLong);
  auto iterator = at::TensorIterator::nullary_op(numbers);
  iterator.for_each(
      [&](char **data, const int64_t *strides, int64_t inner, int64_t outer) {
        for (int64_t j = 0; j < outer; j++) {
          const int64_t begin = *reinterpret_cast<int64_t *>(data[0] + j * strides[1]);
          body(begin, begin + inner);
        }
      },
      1);
}

}  // namespace norma
