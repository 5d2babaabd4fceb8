// Counts the multiply-adds and the bytes of a thread's work. libtorch tells of every operator that it calls, and of those
// that it calls inside; nothing is called, and nothing costs, while nobody counts.

// As libtorch itself was built: in a debug build its header looks for a mark that only a debug libtorch sets.
#ifndef NDEBUG
#define NDEBUG
#endif

#include "counting.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <mutex>

#include "handles.h"

using namespace norma;

namespace {

struct Work {
  int64_t multiply_adds = 0, reduced_multiply_adds = 0, read = 0, written = 0, operators = 0;

  bool moves() const { return read + written > 0; }
  int64_t products() const { return multiply_adds + reduced_multiply_adds; }
};

std::mutex one_at_a_time;  // held while a thread counts
std::mutex lock;           // the gradient's pass runs on a thread of its own on a GPU
Work total;
thread_local std::optional<at::CallbackHandle> callback;

bool is_reduced(at::ScalarType type) { return type == at::kBFloat16 || type == at::kHalf; }

Work of_products(at::ScalarType type, int64_t count) {
  Work work;
  (is_reduced(type) ? work.reduced_multiply_adds : work.multiply_adds) = count;
  return work;
}

// Bytes of the elements that lie in memory: repeated axes count once.
int64_t bytes(const at::Tensor &tensor) {
  if (!tensor.defined() || tensor.layout() != at::kStrided || tensor.numel() == 0)
    return tensor.defined() && tensor.layout() == at::kMkldnn ? tensor.numel() * tensor.element_size() : 0;
  int64_t count = tensor.element_size();
  for (int64_t axis = 0; axis < tensor.dim(); axis++)
    if (tensor.stride(axis) != 0) count *= tensor.size(axis);
  return count;
}

const void *storage(const at::Tensor &tensor) {
  return tensor.defined() && tensor.has_storage() ? tensor.storage().unsafeGetStorageImpl() : nullptr;
}

template <typename Visit>
void each_tensor(const c10::IValue &value, Visit visit) {
  if (value.isTensor()) {
    if (value.toTensor().defined()) visit(value.toTensor());
  } else if (value.isTensorList()) {
    for (const at::Tensor &tensor : value.toTensorVector())
      if (tensor.defined()) visit(tensor);
  } else if (value.isList()) {  // optional tensors
    for (const c10::IValue &element : value.toListRef()) each_tensor(element, visit);
  }
}

// MARK: multiply-adds

using Inputs = c10::ArrayRef<const c10::IValue>;

int64_t at_axis(const std::vector<int64_t> &list, int64_t axis, int64_t otherwise) {
  return list.empty() ? otherwise : list[std::min<size_t>(axis, list.size() - 1)];
}

// Of a convolution: every weight once for every place of the result (of the source where it is transposed), for every image.
int64_t of_convolution(const at::Tensor &input, const at::Tensor &weight, const std::vector<int64_t> &stride,
                       const std::vector<int64_t> &padding, const std::vector<int64_t> &dilation, bool transposed) {
  int64_t places = input.size(0);
  for (int64_t axis = 0; axis < input.dim() - 2; axis++) {
    const int64_t side = input.size(axis + 2), reach = at_axis(dilation, axis, 1) * (weight.size(axis + 2) - 1) + 1;
    places *= transposed ? side : (side + 2 * at_axis(padding, axis, 0) - reach) / at_axis(stride, axis, 1) + 1;
  }
  return places * weight.numel();
}

int64_t of_convolution_gradients(Inputs inputs) {
  const auto &gradient = inputs[0].toTensor(), &input = inputs[1].toTensor(), &weight = inputs[2].toTensor();
  const auto &source = inputs[7].toBool() ? input : gradient;
  int64_t places = source.size(0);
  for (int64_t axis = 2; axis < source.dim(); axis++) places *= source.size(axis);
  auto wanted = inputs[10].toBoolList();
  return places * weight.numel() * ((wanted[0] ? 1 : 0) + (wanted[1] ? 1 : 0));
}

int64_t of_attention(const at::Tensor &query, const at::Tensor &key, const at::Tensor &value, bool causal) {
  const int64_t queries = query.size(-2), keys = key.size(-2);
  int64_t pairs = queries * keys;
  if (causal) {  // libtorch's first query sees the first key, whatever follows
    const int64_t rising = std::min(queries, keys);
    pairs = rising * (rising + 1) / 2 + (queries - rising) * keys;
  }
  const int64_t heads = query.numel() / (queries * query.size(-1));
  return heads * pairs * (query.size(-1) + value.size(-1));
}

bool flag(const c10::FunctionSchema &schema, Inputs inputs, const char *name) {
  auto index = schema.argumentIndexWithName(name);
  return index && static_cast<size_t>(*index) < inputs.size() && inputs[*index].isBool() && inputs[*index].toBool();
}

// Multiply-adds of convolutions, matrix products and attention; none for other operators.
Work products(const std::string &name, const c10::FunctionSchema &schema, Inputs inputs) {
  auto tensor = [&](size_t index) -> const at::Tensor & { return inputs[index].toTensor(); };
  auto type = [&] { return tensor(0).scalar_type(); };
  auto list = [&](size_t index) { return inputs[index].toIntVector(); };
  if (name == "aten::convolution")
    return of_products(
        type(), of_convolution(tensor(0), tensor(1), list(3), list(4), list(5), inputs[6].toBool()));
  if (name == "aten::convolution_backward") return of_products(type(), of_convolution_gradients(inputs));
  if (name == "mkldnn::_convolution_pointwise" || name == "mkldnn::_convolution_pointwise_") {
    const size_t weight = *schema.argumentIndexWithName("W"), input = *schema.argumentIndexWithName("X");
    return of_products(type(), of_convolution(tensor(input), tensor(weight), list(weight + 3), list(weight + 2),
                                              list(weight + 4), false));
  }
  if (name == "mkldnn::_linear_pointwise")
    return of_products(type(), tensor(0).numel() * tensor(*schema.argumentIndexWithName("W")).size(0));
  if (name == "aten::mm") return of_products(type(), tensor(0).numel() * tensor(1).size(1));
  if (name == "aten::bmm") return of_products(type(), tensor(0).numel() * tensor(1).size(2));
  if (name == "aten::addmm" || name == "aten::_addmm_activation")
    return of_products(type(), tensor(1).numel() * tensor(2).size(1));
  if (name == "aten::baddbmm" || name == "aten::addbmm")
    return of_products(type(), tensor(1).numel() * tensor(2).size(2));
  if (name == "aten::mv" || name == "aten::dot" || name == "aten::vdot") return of_products(type(), tensor(0).numel());
  if (name == "aten::addmv") return of_products(type(), tensor(1).numel());
  if (name.find("attention") != std::string::npos && name.find("_scaled_dot_product_") != std::string::npos &&
      name.find("_math") == std::string::npos && name.find("_fused_") == std::string::npos) {
    const bool backward = name.size() > 9 && name.compare(name.size() - 9, 9, "_backward") == 0;
    const size_t first = backward ? 1 : 0;  // a backward operator has the gradient before query, key and value
    int64_t count = of_attention(tensor(first), tensor(first + 1), tensor(first + 2), flag(schema, inputs, "is_causal"));
    return of_products(type(), backward ? 2 * count : count);
  }
  return {};
}

// MARK: bytes

bool starts(const std::string &name, std::initializer_list<const char *> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(), [&](const char *text) { return name.rfind(text, 0) == 0; });
}

// Whether the operator has a kernel of its own, whatever other operators that calls.
bool has_kernel(const c10::OperatorHandle &handle, const std::string &name) {
  if (starts(name, {"aten::mkldnn_", "mkldnn::", "aten::cudnn_"})) return true;
  return handle.hasKernelForDispatchKey(c10::DispatchKey::CPU) ||
         handle.hasKernelForDispatchKey(c10::DispatchKey::CUDA) || handle.hasKernelForDispatchKey(c10::DispatchKey::MPS);
}

bool is_free(const std::string &name) {
  return starts(name, {"aten::empty", "aten::new_empty", "aten::resize", "aten::set_", "aten::is_", "aten::size",
                       "aten::stride", "aten::_has_", "aten::detach", "aten::_version", "profiler::", "prim::"});
}

bool only_writes(const std::string &name) {
  return starts(name, {"aten::copy_", "aten::fill_", "aten::zero_", "aten::uniform_", "aten::normal_", "aten::bernoulli_",
                       "aten::random_", "aten::exponential_"});
}

// An operator that runs.
struct Running : at::ObserverContext {
  std::string name;
  Work before, own;                   // the count when it began, and what it adds
  bool has_kernel = false, free = false, changes = false;
  bool calls_itself = false;          // as mixed precision does after casting
  std::vector<const void *> sources;  // memory of its inputs
  std::vector<bool> makes;            // which of its results are new
};

thread_local std::vector<Running *> running;

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction &function) {
  auto name = function.operator_name();
  if (!name) return nullptr;
  auto handle = c10::Dispatcher::singleton().findSchema(*name);
  if (!handle) return nullptr;
  const auto &schema = handle->schema();
  auto inputs = function.inputs();
  auto entry = std::make_unique<Running>();
  entry->name = name->name;
  entry->own = products(entry->name, schema, inputs);
  entry->has_kernel = has_kernel(*handle, entry->name);
  entry->free = is_free(entry->name);
  const auto &arguments = schema.arguments();
  for (size_t i = 0; i < std::min(inputs.size(), arguments.size()); i++) {
    const auto *alias = arguments[i].alias_info();
    const bool is_written = alias && alias->isWrite();
    const bool is_read = !is_written || !(arguments[i].is_out() || only_writes(entry->name));
    each_tensor(inputs[i], [&](const at::Tensor &tensor) {
      const int64_t size = bytes(tensor);
      if (is_read) entry->own.read += size;
      if (is_written) entry->own.written += size;
      entry->changes |= is_written;
      entry->sources.push_back(storage(tensor));
    });
  }
  for (const auto &result : schema.returns()) entry->makes.push_back(!result.alias_info());
  for (auto *outer : running) outer->calls_itself |= outer->name == entry->name;
  running.push_back(entry.get());
  std::lock_guard<std::mutex> guard(lock);
  entry->before = total;
  return entry;
}

void end(const at::RecordFunction &function, at::ObserverContext *context) {
  auto *entry = static_cast<Running *>(context);
  if (!entry) return;
  running.erase(std::remove(running.begin(), running.end(), entry), running.end());
  bool is_new = entry->changes;
  const auto &outputs = function.outputs();
  for (size_t i = 0; i < outputs.size(); i++)
    each_tensor(outputs[i], [&](const at::Tensor &tensor) {
      const auto &known = entry->sources;
      if ((i < entry->makes.size() && !entry->makes[i]) ||
          std::find(known.begin(), known.end(), storage(tensor)) != known.end())
        return;
      entry->own.written += bytes(tensor);
      is_new = true;
    });
  std::lock_guard<std::mutex> guard(lock);
  const bool nothing_inside = total.read == entry->before.read && total.written == entry->before.written;
  if (total.products() == entry->before.products()) {  // else an operator inside has been counted
    total.multiply_adds += entry->own.multiply_adds;
    total.reduced_multiply_adds += entry->own.reduced_multiply_adds;
  }
  if (!is_new || entry->free) return;
  if (entry->has_kernel && !entry->calls_itself) {  // its bytes instead of those of what it called
    total.read = entry->before.read;
    total.written = entry->before.written;
    total.operators = entry->before.operators;
  } else if (!nothing_inside) {
    return;
  }
  total.read += entry->own.read;
  total.written += entry->own.written;
  total.operators += 1;
}

}  // namespace

namespace norma {

bool is_counting() { return callback.has_value(); }

void count_kernel(at::ScalarType type, int64_t multiply_adds, std::initializer_list<at::Tensor> read,
                  std::initializer_list<at::Tensor> written) {
  auto work = of_products(type, multiply_adds);
  std::lock_guard<std::mutex> guard(lock);
  total.multiply_adds += work.multiply_adds;
  total.reduced_multiply_adds += work.reduced_multiply_adds;
  for (const auto &tensor : read) total.read += bytes(tensor);
  for (const auto &tensor : written) total.written += bytes(tensor);
  total.operators += 1;
}

}  // namespace norma

ct_status ct_begin_count(void) {
  return guarded([] {
    TORCH_CHECK(!callback, "operations of this thread are being counted already");
    one_at_a_time.lock();
    total = Work();
    running.clear();
    callback = at::addThreadLocalCallback(at::RecordFunctionCallback(begin, end)
                                              .needsInputs(true)
                                              .needsOutputs(true)
                                              .scopes({at::RecordScope::FUNCTION}));
  });
}

ct_status ct_end_count(ct_work *out) {
  return guarded([&] {
    TORCH_CHECK(callback, "operations of this thread are not being counted");
    at::removeCallback(*callback);
    callback.reset();
    *out = {total.multiply_adds, total.reduced_multiply_adds, total.read, total.written, total.operators};
    one_at_a_time.unlock();
  });
}

ct_status ct_add_into(ct_tensor target, ct_tensor a, ct_tensor b, double factor) {
  return guarded([&] {
    at::NoGradGuard no_gradients;
    at::add_out(target->value, a->value, b->value, factor);
  });
}
