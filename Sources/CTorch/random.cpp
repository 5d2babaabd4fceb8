// Random numbers, always from a generator that the caller owns.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/detail/MPSHooksInterface.h>

#include <mutex>

#include "handles.h"

using namespace norma;

ct_status ct_generator_make(ct_device where, uint64_t seed, ct_generator *out) {
  return guarded([&] {
    at::Generator generator;
    switch (where.type) {
      case CT_CPU: generator = at::detail::createCPUGenerator(seed); break;
      case CT_CUDA: generator = at::detail::getCUDAHooks().getNewGenerator(static_cast<at::DeviceIndex>(where.index)); break;
      case CT_MPS: generator = at::detail::getMPSHooks().getNewGenerator(0); break;
    }
    generator.set_current_seed(seed);
    *out = new ct_generator_s{generator};
  });
}

void ct_generator_release(ct_generator generator) { delete generator; }

ct_status ct_generator_state(ct_generator generator, ct_tensor *out) {
  return made(out, [&] {
    std::lock_guard<std::mutex> lock(generator->value.mutex());
    return generator->value.get_state();
  });
}

ct_status ct_generator_set_state(ct_generator generator, ct_tensor state) {
  return guarded([&] {
    std::lock_guard<std::mutex> lock(generator->value.mutex());
    generator->value.set_state(state->value);
  });
}

ct_status ct_uniform(ct_ints shape, double low, double high, ct_dtype dtype, ct_device where, ct_generator generator,
                     ct_tensor *out) {
  return made(out, [&] { return at::empty(ints(shape), options(dtype, where)).uniform_(low, high, generator->value); });
}

ct_status ct_normal(ct_ints shape, double mean, double deviation, ct_dtype dtype, ct_device where,
                    ct_generator generator, ct_tensor *out) {
  return made(
      out, [&] { return at::empty(ints(shape), options(dtype, where)).normal_(mean, deviation, generator->value); });
}

ct_status ct_random_integers(int64_t low, int64_t high, ct_ints shape, ct_device where, ct_generator generator,
                             ct_tensor *out) {
  return made(out, [&] { return at::randint(low, high, ints(shape), generator->value, options(CT_INT64, where)); });
}

ct_status ct_permutation(int64_t count, ct_device where, ct_generator generator, ct_tensor *out) {
  return made(out, [&] { return at::randperm(count, generator->value, options(CT_INT64, where)); });
}

ct_status ct_bernoulli(ct_tensor probabilities, ct_generator generator, ct_tensor *out) {
  return made(out, [&] { return at::bernoulli(probabilities->value, generator->value); });
}

ct_status ct_multinomial(ct_tensor probabilities, int64_t count, bool replacement, ct_generator generator,
                         ct_tensor *out) {
  return made(out, [&] { return at::multinomial(probabilities->value, count, replacement, generator->value); });
}
