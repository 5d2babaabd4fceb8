// Errors, handles, devices, threads and the modes of this thread.
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/version.h>

#include <atomic>

#ifdef __linux__
#include <dlfcn.h>
#endif
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "handles.h"

namespace norma {

static thread_local std::string last_error;
static thread_local bool was_out_of_memory = false;
static std::atomic<int64_t> live_tensors{0};

void remember_error(const char *text, bool out_of_memory) {
  // The first line says what is wrong; what follows speaks to people who write operators.
  std::string whole(text);
  // The processor's allocator has no exception of its own for this.
  was_out_of_memory = out_of_memory || whole.find("can't allocate memory") != std::string::npos ||
                      whole.find("not enough memory") != std::string::npos;
  last_error = whole.substr(0, whole.find('\n'));
}

ct_tensor hand_out(at::Tensor value) {
  auto handle = new ct_tensor_s{std::move(value)};
  live_tensors++;
  return handle;
}

at::ScalarType scalar_type(ct_dtype dtype) {
  switch (dtype) {
    case CT_FLOAT32: return at::kFloat;
    case CT_FLOAT64: return at::kDouble;
    case CT_FLOAT16: return at::kHalf;
    case CT_BFLOAT16: return at::kBFloat16;
    case CT_INT64: return at::kLong;
    case CT_INT32: return at::kInt;
    case CT_INT16: return at::kShort;
    case CT_INT8: return at::kChar;
    case CT_UINT8: return at::kByte;
    case CT_BOOL: return at::kBool;
  }
  throw std::invalid_argument("an element type that the shim does not know");
}

ct_dtype dtype_of(at::ScalarType type) {
  switch (type) {
    case at::kDouble: return CT_FLOAT64;
    case at::kHalf: return CT_FLOAT16;
    case at::kBFloat16: return CT_BFLOAT16;
    case at::kLong: return CT_INT64;
    case at::kInt: return CT_INT32;
    case at::kShort: return CT_INT16;
    case at::kChar: return CT_INT8;
    case at::kByte: return CT_UINT8;
    case at::kBool: return CT_BOOL;
    default: return CT_FLOAT32;
  }
}

static at::DeviceType device_type(ct_device_type type) {
  switch (type) {
    case CT_CUDA: return at::kCUDA;
    case CT_MPS: return at::kMPS;
    default: return at::kCPU;
  }
}

// libtorch's part for NVIDIA's GPUs, hundreds of megabytes with all that it needs, is loaded when a GPU is first asked for, from
// beside libtorch_cpu, and its kernels are registered then. Where it is not, there is no such device.
static void load_cuda() {
#ifdef __linux__
  static const bool once = [] {
    Dl_info here;
    if (!dladdr(reinterpret_cast<void *>(&at::globalContext), &here) || !here.dli_fname) return false;
    std::string path(here.dli_fname);
    path = path.substr(0, path.rfind('/') + 1) + "libtorch_cuda.so";
    return dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr;
  }();
  (void)once;
#endif
}

static int cuda_devices() {
  load_cuda();
  return at::globalContext().hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
}

at::Device device(ct_device where) {
  if (where.type == CT_CUDA) load_cuda();
  return where.type == CT_CPU ? at::Device(at::kCPU) : at::Device(device_type(where.type), where.index);
}

}  // namespace norma

using namespace norma;

// Activations come and go in every step. Keeping their memory instead of returning it to the system each time saves the
// page faults of getting it back: a third of the time of a large training step. No block is mapped by itself, the heap is not
// trimmed, and one arena serves all threads, as the arenas of threads other than the first are small heaps that are unmapped
// again whenever one is empty. Nothing else in the program may set these.
#ifdef __GLIBC__
static const bool keeps_memory = [] {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_ARENA_MAX, 1);
  return true;
}();
#endif

void ct_give_freed_memory_back(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

const char *ct_last_error(void) { return last_error.c_str(); }
bool ct_was_out_of_memory(void) { return was_out_of_memory; }
const char *ct_version(void) { return TORCH_VERSION; }
int64_t ct_live_tensors(void) { return live_tensors; }

void ct_release(ct_tensor tensor) {
  if (!tensor) return;
  delete tensor;
  live_tensors--;
}

bool ct_device_available(ct_device where) {
  int count = 0;
  guarded([&] {
    switch (where.type) {
      case CT_CPU: count = 1; break;
      case CT_CUDA: count = cuda_devices(); break;
      case CT_MPS: count = at::globalContext().hasMPS() ? 1 : 0; break;
    }
  });
  return where.index >= 0 && where.index < count;
}

void ct_set_threads(int count) {
  guarded([&] { at::set_num_threads(count); });
}

int ct_threads(void) { return at::get_num_threads(); }

// OpenMP keeps this number thread by thread; libtorch's own setting is everybody's.
extern "C" void omp_set_num_threads(int) __attribute__((weak));

void ct_use_one_thread(void) {
  at::get_num_threads();  // which would otherwise set this thread's number when an operator asks first
  if (omp_set_num_threads) omp_set_num_threads(1);
}

bool ct_set_gradients_enabled(bool enabled) {
  bool was = at::GradMode::is_enabled();
  at::GradMode::set_enabled(enabled);
  return was;
}

ct_status ct_set_autocast(ct_device_type type, bool enabled, ct_dtype dtype, bool *was_enabled, ct_dtype *was_dtype) {
  return guarded([&] {
    auto where = device_type(type);
    *was_enabled = at::autocast::is_autocast_enabled(where);
    *was_dtype = dtype_of(at::autocast::get_autocast_dtype(where));
    at::autocast::set_autocast_enabled(where, enabled);
    // libtorch would keep casts of weights in one table of the process, which every thread clears when it leaves mixed
    // precision: whether two uses of a weight share a cast, and so the rounding of its gradient, would depend on others.
    at::autocast::set_autocast_cache_enabled(false);
    at::autocast::set_autocast_dtype(where, scalar_type(dtype));
  });
}

bool ct_autocasts(ct_device_type type, ct_dtype dtype) {
  bool result = false;
  guarded([&] {
    auto where = device_type(type);
    result = at::autocast::is_autocast_enabled(where) && at::autocast::get_autocast_dtype(where) == scalar_type(dtype);
  });
  return result;
}

// Elsewhere than on x86 nothing is known of the processor, and Apple's libtorch comes without oneDNN, which has the kernels.
static bool processor_has_bfloat16() {
#if defined(__x86_64__)
  return at::hasMKLDNN() && at::globalContext().userEnabledMkldnn() && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

bool ct_has_bfloat16(ct_device where) {
  bool result = false;
  guarded([&] {
    switch (where.type) {
      case CT_CPU: result = processor_has_bfloat16(); break;
      case CT_CUDA:  // from compute capability 8.0 on; older GPUs emulate it slowly
        result = at::globalContext().hasCUDA() && at::detail::getCUDAHooks().supportsBFloat16ConvolutionWithCuDNNv8();
        break;
      case CT_MPS: result = at::globalContext().hasMPS(); break;
    }
  });
  return result;
}


void ct_set_deterministic(bool enabled) {
  // cuBLAS repeats itself only with a fixed workspace, and reads this once.
  if (enabled) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  guarded([&] {
    auto &context = at::globalContext();
    context.setDeterministicAlgorithms(enabled, /*warn_only=*/true);
    context.setDeterministicCuDNN(enabled);
    context.setBenchmarkCuDNN(!enabled);  // networks see few shapes: trying cuDNN's algorithms once for each pays
  });
}
