// What the topics share: handles, conversions, and the one place where an exception becomes a status.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <new>
#include <optional>
#include <string>
#include <vector>

#include "include/ctorch.h"

struct ct_tensor_s {
  at::Tensor value;
};

struct ct_generator_s {
  at::Generator value;
};

namespace norma {

void remember_error(const char *text, bool out_of_memory = false);
ct_tensor hand_out(at::Tensor value);

// Runs `body`; an exception of any kind becomes status 1 and this thread's last error.
template <typename Body>
ct_status guarded(Body &&body) noexcept {
  try {
    body();
    return 0;
  } catch (const c10::OutOfMemoryError &error) {
    remember_error(error.what_without_backtrace(), true);
  } catch (const std::bad_alloc &error) {
    remember_error(error.what(), true);
  } catch (const c10::Error &error) {
    remember_error(error.what_without_backtrace());
  } catch (const std::exception &error) {
    remember_error(error.what());
  } catch (...) {
    remember_error("an exception of unknown type");
  }
  return 1;
}

// Runs `body`, which makes one tensor, and hands that out.
template <typename Body>
ct_status made(ct_tensor *out, Body &&body) noexcept {
  return guarded([&] { *out = hand_out(body()); });
}

inline at::IntArrayRef ints(ct_ints list) { return {list.values, list.count}; }

inline at::OptionalIntArrayRef axes(ct_ints list) {
  return list.count == 0 ? at::OptionalIntArrayRef() : at::OptionalIntArrayRef(ints(list));
}

inline std::vector<at::Tensor> tensors(ct_tensors list) {
  std::vector<at::Tensor> values;
  values.reserve(list.count);
  for (size_t i = 0; i < list.count; i++) values.push_back(list.values[i]->value);
  return values;
}

inline std::optional<at::Tensor> optional(ct_tensor tensor) {
  return tensor ? std::optional<at::Tensor>(tensor->value) : std::nullopt;
}

at::ScalarType scalar_type(ct_dtype dtype);
ct_dtype dtype_of(at::ScalarType type);
at::Device device(ct_device device);

inline at::TensorOptions options(ct_dtype dtype, ct_device where) {
  return at::TensorOptions().dtype(scalar_type(dtype)).device(device(where));
}

}  // namespace norma
