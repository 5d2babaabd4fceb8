// Views, selections, and putting tensors together.
#include "handles.h"

using namespace norma;

ct_status ct_reshape(ct_tensor a, ct_ints shape, ct_tensor *out) {
  return made(out, [&] { return a->value.reshape(ints(shape)); });
}

ct_status ct_permute(ct_tensor a, ct_ints axes, ct_tensor *out) {
  return made(out, [&] { return a->value.permute(ints(axes)); });
}

ct_status ct_transpose(ct_tensor a, int64_t axis, int64_t other, ct_tensor *out) {
  return made(out, [&] { return a->value.transpose(axis, other); });
}

ct_status ct_unsqueeze(ct_tensor a, int64_t axis, ct_tensor *out) {
  return made(out, [&] { return a->value.unsqueeze(axis); });
}

ct_status ct_squeeze(ct_tensor a, int64_t axis, ct_tensor *out) {
  return made(out, [&] { return a->value.squeeze(axis); });
}

ct_status ct_expand(ct_tensor a, ct_ints shape, ct_tensor *out) {
  return made(out, [&] { return a->value.expand(ints(shape)); });
}

ct_status ct_flip(ct_tensor a, ct_ints axes, ct_tensor *out) {
  return made(out, [&] { return a->value.flip(ints(axes)); });
}

ct_status ct_roll(ct_tensor a, ct_ints shifts, ct_ints axes, ct_tensor *out) {
  return made(out, [&] { return a->value.roll(ints(shifts), ints(axes)); });
}

ct_status ct_slice(ct_tensor a, int64_t axis, int64_t start, int64_t end, int64_t step, ct_tensor *out) {
  return made(out, [&] { return a->value.slice(axis, start, end, step); });
}

ct_status ct_select(ct_tensor a, int64_t axis, int64_t index, ct_tensor *out) {
  return made(out, [&] { return a->value.select(axis, index); });
}

ct_status ct_unbind(ct_tensor a, int64_t axis, ct_tensor *out, size_t count) {
  return guarded([&] {
    auto slices = a->value.unbind(axis);
    TORCH_CHECK(slices.size() == count, "unbind: the axis has ", slices.size(), " slices, not ", count);
    for (size_t i = 0; i < count; i++) out[i] = hand_out(slices[i]);
  });
}

ct_status ct_index_select(ct_tensor a, int64_t axis, ct_tensor indices, ct_tensor *out) {
  return made(out, [&] { return a->value.index_select(axis, indices->value); });
}

ct_status ct_gather(ct_tensor a, int64_t axis, ct_tensor indices, ct_tensor *out) {
  return made(out, [&] { return a->value.gather(axis, indices->value); });
}

ct_status ct_scatter(ct_tensor a, int64_t axis, ct_tensor indices, ct_tensor source, ct_tensor *out) {
  return made(out, [&] { return a->value.scatter(axis, indices->value, source->value); });
}

ct_status ct_scatter_add(ct_tensor a, int64_t axis, ct_tensor indices, ct_tensor source, ct_tensor *out) {
  return made(out, [&] { return a->value.scatter_add(axis, indices->value, source->value); });
}

ct_status ct_masked_fill(ct_tensor a, ct_tensor mask, double value, ct_tensor *out) {
  return made(out, [&] { return a->value.masked_fill(mask->value, value); });
}

ct_status ct_masked_select(ct_tensor a, ct_tensor mask, ct_tensor *out) {
  return made(out, [&] { return a->value.masked_select(mask->value); });
}

ct_status ct_where(ct_tensor condition, ct_tensor a, ct_tensor b, ct_tensor *out) {
  return made(out, [&] { return at::where(condition->value, a->value, b->value); });
}

ct_status ct_concatenate(ct_tensors list, int64_t axis, ct_tensor *out) {
  return made(out, [&] { return at::cat(tensors(list), axis); });
}

ct_status ct_stack(ct_tensors list, int64_t axis, ct_tensor *out) {
  return made(out, [&] { return at::stack(tensors(list), axis); });
}

ct_status ct_repeat_interleave(ct_tensor a, int64_t repeats, int64_t axis, ct_tensor *out) {
  return made(out, [&] { return a->value.repeat_interleave(repeats, axis); });
}

ct_status ct_tile(ct_tensor a, ct_ints repeats, ct_tensor *out) {
  return made(out, [&] { return a->value.tile(ints(repeats)); });
}

ct_status ct_index_copy_into(ct_tensor target, int64_t axis, ct_tensor indices, ct_tensor source) {
  return guarded([&] {
    at::NoGradGuard guard;
    target->value.index_copy_(axis, indices->value, source->value);
  });
}

ct_status ct_unfold(ct_tensor a, ct_ints kernel, ct_ints stride, ct_ints padding, ct_tensor *out) {
  return made(out, [&] { return at::im2col(a->value, ints(kernel), {1, 1}, ints(padding), ints(stride)); });
}

ct_status ct_windows(ct_tensor a, int64_t axis, int64_t size, int64_t step, ct_tensor *out) {
  return made(out, [&] { return a->value.unfold(axis, size, step); });
}

ct_status ct_pad(ct_tensor a, ct_ints padding, const char *mode, double value, ct_tensor *out) {
  return made(out, [&] {
    std::string name(mode);
    return at::pad(a->value, ints(padding), name, name == "constant" ? std::optional<double>(value) : std::nullopt);
  });
}
