// Automatic mixed precision of this thread, for what libtorch does not cast by itself.
#pragma once

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>

#include <optional>

namespace norma {

// The type that products take beside `tensor`; none outside of mixed precision.
inline std::optional<at::ScalarType> autocast_type(const at::Tensor &tensor) {
  auto where = tensor.device().type();
  if (!at::autocast::is_autocast_enabled(where)) return std::nullopt;
  return at::autocast::get_autocast_dtype(where);
}

// No mixed precision on the processor while it lives.
class AutocastPause {
 public:
  AutocastPause() { at::autocast::set_autocast_enabled(at::kCPU, false); }
  ~AutocastPause() { at::autocast::set_autocast_enabled(at::kCPU, was_); }
  AutocastPause(const AutocastPause &) = delete;
  AutocastPause &operator=(const AutocastPause &) = delete;

 private:
  const bool was_ = at::autocast::is_autocast_enabled(at::kCPU);
};

}  // namespace norma
