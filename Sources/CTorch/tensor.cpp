// Making tensors, reading them, moving them.
#include <cstring>

#include "handles.h"

using namespace norma;

ct_status ct_from_data(const void *data, ct_dtype dtype, ct_ints shape, ct_device where, ct_tensor *out) {
  return made(out, [&] {
    auto host = at::empty(ints(shape), options(dtype, {CT_CPU, 0}));
    if (host.nbytes() > 0) std::memcpy(host.mutable_data_ptr(), data, host.nbytes());
    return host.to(device(where));
  });
}

ct_status ct_copy_out(ct_tensor a, void *buffer, size_t bytes) {
  return guarded([&] {
    auto host = a->value.detach().to(at::kCPU).contiguous();
    TORCH_CHECK(host.nbytes() == bytes, "the buffer has ", bytes, " bytes and the tensor ", host.nbytes());
    if (bytes > 0) std::memcpy(buffer, host.const_data_ptr(), bytes);
  });
}

ct_status ct_full(double value, ct_dtype dtype, ct_ints shape, ct_device where, ct_tensor *out) {
  return made(out, [&] { return at::full(ints(shape), value, options(dtype, where)); });
}

ct_status ct_arange(double start, double end, double step, ct_dtype dtype, ct_device where, ct_tensor *out) {
  return made(out, [&] { return at::arange(start, end, step, options(dtype, where)); });
}

size_t ct_rank(ct_tensor a) { return static_cast<size_t>(a->value.dim()); }

void ct_shape(ct_tensor a, int64_t *extents) {
  for (auto extent : a->value.sizes()) *extents++ = extent;
}

int64_t ct_count(ct_tensor a) { return a->value.numel(); }
ct_dtype ct_dtype_of(ct_tensor a) { return dtype_of(a->value.scalar_type()); }

ct_device ct_device_of(ct_tensor a) {
  auto where = a->value.device();
  auto type = where.is_cuda() ? CT_CUDA : where.is_mps() ? CT_MPS : CT_CPU;
  return {type, where.has_index() ? where.index() : 0};
}

bool ct_requires_gradient(ct_tensor a) { return a->value.requires_grad(); }

ct_status ct_to_dtype(ct_tensor a, ct_dtype dtype, ct_tensor *out) {
  return made(out, [&] { return a->value.to(scalar_type(dtype)); });
}

ct_status ct_to_device(ct_tensor a, ct_device where, ct_tensor *out) {
  // From pinned memory the copy goes on while the processor does; operators on the GPU wait for it by themselves.
  return made(out, [&] { return a->value.to(device(where), where.type == CT_CUDA && a->value.is_pinned()); });
}

ct_status ct_clone(ct_tensor a, ct_tensor *out) {
  return made(out, [&] { return a->value.clone(); });
}

ct_status ct_contiguous(ct_tensor a, bool channels_last, ct_tensor *out) {
  return made(out, [&] {
    if (!channels_last) return a->value.contiguous();
    return a->value.contiguous(a->value.dim() == 5 ? at::MemoryFormat::ChannelsLast3d : at::MemoryFormat::ChannelsLast);
  });
}

ct_status ct_copy_into(ct_tensor target, ct_tensor source) {
  return guarded([&] {
    at::NoGradGuard guard;
    TORCH_CHECK(target->value.sizes() == source->value.sizes(), "shapes differ: ", target->value.sizes(), " and ",
                source->value.sizes());
    target->value.copy_(source->value);
  });
}

ct_status ct_fill(ct_tensor target, double value) {
  return guarded([&] {
    at::NoGradGuard guard;
    target->value.fill_(value);
  });
}

ct_status ct_item(ct_tensor a, double *out) {
  return guarded([&] { *out = a->value.item().toDouble(); });
}
