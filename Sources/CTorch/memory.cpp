// Memory: tensors over memory that is there already, pinned memory, and how much is taken and free.
#include <c10/core/Allocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <algorithm>
#include <atomic>
#include <memory>

#include "handles.h"

using namespace norma;

ct_status ct_empty(ct_ints shape, ct_dtype dtype, bool pinned, ct_tensor *out) {
  return made(out, [&] { return at::empty(ints(shape), options(dtype, {CT_CPU, 0}).pinned_memory(pinned)); });
}

void *ct_memory(ct_tensor a) { return a->value.mutable_data_ptr(); }

ct_status ct_over(const void *memory, ct_dtype dtype, ct_ints shape, void *owner, void (*release)(void *), ct_tensor *out) {
  // Released once, whether the tensor comes to be or not.
  std::shared_ptr<void> held(owner, release);
  return made(out, [&] {
    return at::from_blob(
        const_cast<void *>(memory), ints(shape), [held](void *) {}, options(dtype, {CT_CPU, 0}));
  });
}

bool ct_is_alone(ct_tensor a) {
  const auto &value = a->value;
  return value.use_count() == 1 && value.storage().use_count() == 1 && value.storage().resizable() && !value.is_view() &&
         !value.requires_grad() && value.is_leaf() && value.is_non_overlapping_and_dense() &&
         value.storage().nbytes() == value.nbytes();
}

namespace {

// Hears of every allocation of tensors, as libtorch's profiler does.
class Meter : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void *, int64_t bytes, size_t, size_t, c10::Device) override {
    auto now = held.fetch_add(bytes) + bytes;
    auto most = peak.load();
    while (now > most && !peak.compare_exchange_weak(most, now)) {
    }
  }

  bool memoryProfilingEnabled() const override { return true; }

  std::atomic<int64_t> held{0};
  std::atomic<int64_t> peak{0};
};

}  // namespace

struct ct_meter_s {
  std::shared_ptr<Meter> meter = std::make_shared<Meter>();
  c10::DebugInfoGuard guard{c10::DebugInfoKind::PROFILER_STATE, meter};
};

ct_status ct_meter_begin(ct_meter *out) {
  return guarded([&] { *out = new ct_meter_s; });
}

int64_t ct_meter_end(ct_meter meter) {
  auto peak = meter->meter->peak.load();
  delete meter;
  return peak;
}

namespace {

// Later versions of libtorch tell how much of a device's memory is free, earlier ones do not.
template <typename Allocator>
auto free_bytes(Allocator *allocator, c10::DeviceIndex index, int) -> decltype(allocator->getMemoryInfo(index).first) {
  return allocator->getMemoryInfo(index).first;
}

template <typename Allocator>
size_t free_bytes(Allocator *, c10::DeviceIndex, long) {
  TORCH_CHECK(false, "this libtorch does not tell how much memory is free");
}

}  // namespace

ct_status ct_free_memory(ct_device where, int64_t *out) {
  return guarded([&] {
    auto allocator = dynamic_cast<c10::DeviceAllocator *>(c10::GetAllocator(device(where).type()));
    TORCH_CHECK(allocator, "its allocator does not tell how much memory is free");
    *out = static_cast<int64_t>(free_bytes(allocator, device(where).index(), 0));
  });
}
