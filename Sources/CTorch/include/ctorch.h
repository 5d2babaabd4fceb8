// The C face of libtorch: what Norma uses of it, and nothing more.
//
// Every function returns 0, or 1 after an exception, whose text `ct_last_error` then holds for this thread; results go
// through out-parameters. A C++ exception never crosses this line. Tensors are opaque handles: each one that a function
// hands out is the caller's to release. A null handle stands for an absent optional tensor where the comment says so.
#ifndef NORMA_CTORCH_H
#define NORMA_CTORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int ct_status;
typedef struct ct_tensor_s *ct_tensor;
typedef struct ct_generator_s *ct_generator;

// A list of extents, axes, strides or the like; borrowed for the call.
typedef struct {
  const int64_t *values;
  size_t count;
} ct_ints;

// A list of tensors; borrowed for the call.
typedef struct {
  const ct_tensor *values;
  size_t count;
} ct_tensors;

typedef enum {
  CT_FLOAT32, CT_FLOAT64, CT_FLOAT16, CT_BFLOAT16, CT_INT64, CT_INT32, CT_INT16, CT_INT8, CT_UINT8, CT_BOOL
} ct_dtype;

typedef enum { CT_CPU, CT_CUDA, CT_MPS } ct_device_type;

typedef struct {
  ct_device_type type;
  int index;
} ct_device;

// MARK: runtime (runtime.cpp)
const char *ct_last_error(void);             // text of this thread's latest failure; valid until its next call
const char *ct_version(void);                // libtorch's version, "2.13.0"
int64_t ct_live_tensors(void);               // handles handed out and not yet released, all threads
bool ct_device_available(ct_device device);
void ct_set_threads(int count);              // threads inside one operator
int ct_threads(void);
void ct_use_one_thread(void);                // operators that this thread calls have no other threads work for them
bool ct_set_gradients_enabled(bool enabled); // this thread's gradient recording; returns what it was
ct_status ct_set_autocast(ct_device_type type, bool enabled, ct_dtype dtype, bool *was_enabled, ct_dtype *was_dtype);
bool ct_autocasts(ct_device_type type, ct_dtype dtype); // whether this thread's products on such a device take `dtype`
bool ct_has_bfloat16(ct_device device);      // whether products in bfloat16 are faster there than in float32
void ct_set_deterministic(bool enabled);
void ct_give_freed_memory_back(void);        // to the system, where it is kept for what comes next

// MARK: counting (counting.cpp)
typedef struct {
  int64_t multiply_adds, reduced_multiply_adds; // in float32 and wider, and in 16 bits
  int64_t bytes_read, bytes_written, operators;
} ct_work;
ct_status ct_begin_count(void);              // of this thread's work; waits while another thread counts, fails inside a count
ct_status ct_end_count(ct_work *out);
ct_status ct_add_into(ct_tensor target, ct_tensor a, ct_tensor b, double factor); // a + factor·b; what memory is measured by

// MARK: tensors (tensor.cpp)
void ct_release(ct_tensor tensor);
ct_status ct_from_data(const void *data, ct_dtype dtype, ct_ints shape, ct_device device, ct_tensor *out); // copies
ct_status ct_copy_out(ct_tensor a, void *buffer, size_t bytes);  // row-major; fails when `bytes` is not the tensor's size
ct_status ct_full(double value, ct_dtype dtype, ct_ints shape, ct_device device, ct_tensor *out);
ct_status ct_arange(double start, double end, double step, ct_dtype dtype, ct_device device, ct_tensor *out);
size_t ct_rank(ct_tensor a);
void ct_shape(ct_tensor a, int64_t *extents);
int64_t ct_count(ct_tensor a);
ct_dtype ct_dtype_of(ct_tensor a);
ct_device ct_device_of(ct_tensor a);
bool ct_requires_gradient(ct_tensor a);
ct_status ct_to_dtype(ct_tensor a, ct_dtype dtype, ct_tensor *out);
ct_status ct_to_device(ct_tensor a, ct_device device, ct_tensor *out);
ct_status ct_clone(ct_tensor a, ct_tensor *out);
ct_status ct_contiguous(ct_tensor a, bool channels_last, ct_tensor *out);
ct_status ct_copy_into(ct_tensor target, ct_tensor source);      // in place, without gradient
ct_status ct_fill(ct_tensor target, double value);               // in place, without gradient
ct_status ct_item(ct_tensor a, double *out);                     // the one value of a one-element tensor

// MARK: memory (memory.cpp)
// Memory as it happens to be, row-major on the processor; pinned: where a GPU can fetch it while the processor goes on.
ct_status ct_empty(ct_ints shape, ct_dtype dtype, bool pinned, ct_tensor *out);
void *ct_memory(ct_tensor a);                // the first element of a tensor that `ct_empty` made
// A tensor over memory of somebody else, read-only to its users; `release` is called with `owner` when the last view goes,
// also on failure.
ct_status ct_over(const void *memory, ct_dtype dtype, ct_ints shape, void *owner, void (*release)(void *), ct_tensor *out);
bool ct_is_alone(ct_tensor a);               // whether nothing else shares its memory, which it owns, or its history
// Counts the bytes that tensors take from here on, on this thread and on those that work for it.
typedef struct ct_meter_s *ct_meter;
ct_status ct_meter_begin(ct_meter *out);
int64_t ct_meter_end(ct_meter meter);        // the most bytes held at one time of those taken since; ends the count
// Free bytes of a device other than the processor; fails where its allocator does not tell.
ct_status ct_free_memory(ct_device device, int64_t *out);
bool ct_was_out_of_memory(void);             // whether this thread's latest failure was

// MARK: shape and indexing (indexing.cpp)
ct_status ct_reshape(ct_tensor a, ct_ints shape, ct_tensor *out);
ct_status ct_permute(ct_tensor a, ct_ints axes, ct_tensor *out);
ct_status ct_transpose(ct_tensor a, int64_t axis, int64_t other, ct_tensor *out);
ct_status ct_unsqueeze(ct_tensor a, int64_t axis, ct_tensor *out);
ct_status ct_squeeze(ct_tensor a, int64_t axis, ct_tensor *out);
ct_status ct_expand(ct_tensor a, ct_ints shape, ct_tensor *out);
ct_status ct_flip(ct_tensor a, ct_ints axes, ct_tensor *out);
ct_status ct_roll(ct_tensor a, ct_ints shifts, ct_ints axes, ct_tensor *out);
ct_status ct_slice(ct_tensor a, int64_t axis, int64_t start, int64_t end, int64_t step, ct_tensor *out);
ct_status ct_select(ct_tensor a, int64_t axis, int64_t index, ct_tensor *out);
ct_status ct_unbind(ct_tensor a, int64_t axis, ct_tensor *out, size_t count); // `count` tensors: the axis' extent
ct_status ct_index_select(ct_tensor a, int64_t axis, ct_tensor indices, ct_tensor *out);
ct_status ct_gather(ct_tensor a, int64_t axis, ct_tensor indices, ct_tensor *out);
ct_status ct_scatter(ct_tensor a, int64_t axis, ct_tensor indices, ct_tensor source, ct_tensor *out);
ct_status ct_scatter_add(ct_tensor a, int64_t axis, ct_tensor indices, ct_tensor source, ct_tensor *out);
ct_status ct_masked_fill(ct_tensor a, ct_tensor mask, double value, ct_tensor *out);
ct_status ct_masked_select(ct_tensor a, ct_tensor mask, ct_tensor *out);
ct_status ct_where(ct_tensor condition, ct_tensor a, ct_tensor b, ct_tensor *out);
ct_status ct_concatenate(ct_tensors list, int64_t axis, ct_tensor *out);
ct_status ct_stack(ct_tensors list, int64_t axis, ct_tensor *out);
ct_status ct_repeat_interleave(ct_tensor a, int64_t repeats, int64_t axis, ct_tensor *out);
ct_status ct_tile(ct_tensor a, ct_ints repeats, ct_tensor *out);
ct_status ct_index_copy_into(ct_tensor target, int64_t axis, ct_tensor indices, ct_tensor source); // in place
ct_status ct_unfold(ct_tensor a, ct_ints kernel, ct_ints stride, ct_ints padding, ct_tensor *out); // im2col, [N, C·k, L]
ct_status ct_windows(ct_tensor a, int64_t axis, int64_t size, int64_t step, ct_tensor *out);       // Tensor.unfold
ct_status ct_pad(ct_tensor a, ct_ints padding, const char *mode, double value, ct_tensor *out);

// MARK: arithmetic, element by element (arithmetic.cpp)
#define CT_UNARY_OPERATORS(X) \
  X(neg) X(abs) X(exp) X(log) X(log1p) X(sqrt) X(rsqrt) X(square) X(sin) X(cos) X(tanh) X(sigmoid) X(relu) X(silu) \
  X(floor) X(ceil) X(round) X(sign) X(erf) X(reciprocal) X(isnan) X(isfinite) X(logical_not) X(log_sigmoid) X(softplus)
#define CT_BINARY_OPERATORS(X) \
  X(add) X(sub) X(mul) X(div) X(pow) X(maximum) X(minimum) X(eq) X(ne) X(lt) X(le) X(gt) X(ge) X(logical_and) \
  X(logical_or) X(matmul) X(bmm) X(floor_divide) X(remainder)
#define CT_SCALAR_OPERATORS(X) \
  X(add) X(sub) X(mul) X(div) X(pow) X(eq) X(ne) X(lt) X(le) X(gt) X(ge) X(remainder)
#define CT_DECLARE_UNARY(name) ct_status ct_##name(ct_tensor a, ct_tensor *out);
#define CT_DECLARE_BINARY(name) ct_status ct_##name(ct_tensor a, ct_tensor b, ct_tensor *out);
#define CT_DECLARE_SCALAR(name) ct_status ct_##name##_scalar(ct_tensor a, double b, ct_tensor *out);
CT_UNARY_OPERATORS(CT_DECLARE_UNARY)
CT_BINARY_OPERATORS(CT_DECLARE_BINARY)
CT_SCALAR_OPERATORS(CT_DECLARE_SCALAR)
ct_status ct_clamp(ct_tensor a, double low, double high, ct_tensor *out);
ct_status ct_relu_reusing(ct_tensor a, ct_tensor *out); // in the memory of `a` where nobody else looks at it
ct_status ct_leaky_relu_reusing(ct_tensor a, double slope, ct_tensor *out);
ct_status ct_gelu(ct_tensor a, bool tanh_approximation, ct_tensor *out);
ct_status ct_leaky_relu(ct_tensor a, double slope, ct_tensor *out);
ct_status ct_elu(ct_tensor a, double alpha, ct_tensor *out);
ct_status ct_lerp(ct_tensor a, ct_tensor b, double weight, ct_tensor *out);
ct_status ct_addcmul(ct_tensor a, ct_tensor b, ct_tensor c, double value, ct_tensor *out);
ct_status ct_baddbmm(ct_tensor input, ct_tensor a, ct_tensor b, ct_tensor *out);
ct_status ct_einsum(const char *equation, ct_tensors operands, ct_tensor *out);

// MARK: linear layers (linear.cpp)
ct_status ct_linear(ct_tensor a, ct_tensor weight, ct_tensor bias_or_null, ct_tensor *out);
ct_status ct_linear_gelu(ct_tensor a, ct_tensor weight, ct_tensor bias_or_null, ct_tensor *out); // exact, fused if it can be

// MARK: attention (attention.cpp); keep: [batch, keys], zero where no query may look; not together with a mask
ct_status ct_attention(ct_tensor query, ct_tensor key, ct_tensor value, ct_tensor mask_or_null, ct_tensor keep_or_null,
                       bool causal, double scale_or_nan, ct_tensor *out);

// MARK: sequences of tokens, read and drawn anew by a causal transformer (sequences.cpp); float32 on the processor
typedef struct ct_sequence_model_s *ct_sequence_model;
// Weights: tokens, places, of each block norm, projections in and out, norm, two layers, then norm and head; a bias follows its
// weight. Lays them out; null where processor or widths do not suit.
ct_status ct_sequence_model_make(ct_tensors weights, int64_t heads, double epsilon, ct_sequence_model *out);
void ct_sequence_model_release(ct_sequence_model model);
// Tokens: [B, L]; logits: [B, L, codes + 1]; memory: keys and values, for the next function.
ct_status ct_read_sequences(ct_sequence_model model, ct_tensor tokens, ct_tensor *logits, ct_tensor *memory);
// Chances: [B, samples, L], read where flags, [B, L], are set; out: [B, samples, L].
ct_status ct_redraw_tokens(ct_sequence_model model, ct_tensor tokens, ct_tensor flags, ct_tensor logits, ct_tensor memory,
                           ct_tensor chances, double temperature, ct_tensor *out);

// MARK: reductions, sorting (reduction.cpp); no axes: all of them
ct_status ct_sum(ct_tensor a, ct_ints axes, bool keep, ct_tensor *out);
ct_status ct_mean(ct_tensor a, ct_ints axes, bool keep, ct_tensor *out);
ct_status ct_variance(ct_tensor a, ct_ints axes, int64_t correction, bool keep, ct_tensor *out);
ct_status ct_amax(ct_tensor a, ct_ints axes, bool keep, ct_tensor *out);
ct_status ct_amin(ct_tensor a, ct_ints axes, bool keep, ct_tensor *out);
ct_status ct_norm(ct_tensor a, double p, ct_ints axes, bool keep, ct_tensor *out);
ct_status ct_logsumexp(ct_tensor a, ct_ints axes, bool keep, ct_tensor *out);
ct_status ct_argmax(ct_tensor a, int64_t axis, bool keep, ct_tensor *out);
ct_status ct_argmin(ct_tensor a, int64_t axis, bool keep, ct_tensor *out);
ct_status ct_all(ct_tensor a, ct_tensor *out);
ct_status ct_any(ct_tensor a, ct_tensor *out);
ct_status ct_cumsum(ct_tensor a, int64_t axis, ct_tensor *out);
ct_status ct_softmax(ct_tensor a, int64_t axis, ct_tensor *out);
ct_status ct_log_softmax(ct_tensor a, int64_t axis, ct_tensor *out);
ct_status ct_topk(ct_tensor a, int64_t k, int64_t axis, bool largest, ct_tensor *values, ct_tensor *indices);
ct_status ct_sort(ct_tensor a, int64_t axis, bool descending, ct_tensor *values, ct_tensor *indices);
ct_status ct_kthvalue(ct_tensor a, int64_t k, int64_t axis, bool keep, ct_tensor *values);
ct_status ct_quantile(ct_tensor a, double q, ct_tensor *out);
ct_status ct_spectrum(ct_tensor a, ct_ints axes, ct_tensor *real, ct_tensor *imaginary); // orthonormal Fourier transform
ct_status ct_cdist(ct_tensor a, ct_tensor b, double p, ct_tensor *out);
ct_status ct_cholesky(ct_tensor a, ct_tensor *out);
ct_status ct_eigh(ct_tensor a, ct_tensor *values, ct_tensor *vectors);
ct_status ct_solve_triangular(ct_tensor a, ct_tensor b, bool upper, ct_tensor *out);

// MARK: layers (layers.cpp)
ct_status ct_convolution(ct_tensor a, ct_tensor weight, ct_tensor bias_or_null, ct_ints stride, ct_ints padding,
                         ct_ints dilation, bool transposed, ct_ints output_padding, int64_t groups, ct_tensor *out);
ct_status ct_convolution_relu(ct_tensor a, ct_tensor weight, ct_tensor bias_or_null, ct_tensor added_or_null, ct_ints stride,
                              ct_ints padding, ct_ints dilation, ct_tensor *out); // relu(convolution + added)
ct_status ct_batch_norm(ct_tensor a, ct_tensor weight_or_null, ct_tensor bias_or_null, ct_tensor mean_or_null,
                        ct_tensor variance_or_null, bool training, double momentum, double epsilon, ct_tensor *out);
ct_status ct_batch_norm_relu(ct_tensor a, ct_tensor added_or_null, ct_tensor weight, ct_tensor bias, ct_tensor mean,
                             ct_tensor variance, double momentum, double epsilon,
                             ct_tensor *out); // relu(norm + added), by the statistics of `a`, which mean and variance follow
ct_status ct_instance_norm(ct_tensor a, ct_tensor weight_or_null, ct_tensor bias_or_null, double epsilon,
                           ct_tensor *out);
ct_status ct_layer_norm(ct_tensor a, ct_ints shape, ct_tensor weight_or_null, ct_tensor bias_or_null, double epsilon,
                        ct_tensor *out);
ct_status ct_group_norm(ct_tensor a, int64_t groups, ct_tensor weight_or_null, ct_tensor bias_or_null, double epsilon,
                        ct_tensor *out);
ct_status ct_embedding(ct_tensor weight, ct_tensor indices, ct_tensor *out);
ct_status ct_max_pool(ct_tensor a, ct_ints kernel, ct_ints stride, ct_ints padding, ct_tensor *out);     // 2-D or 3-D
ct_status ct_average_pool(ct_tensor a, ct_ints kernel, ct_ints stride, ct_ints padding, ct_tensor *out); // 2-D or 3-D
ct_status ct_adaptive_average_pool(ct_tensor a, ct_ints size, ct_tensor *out);                           // 2-D or 3-D
ct_status ct_interpolate(ct_tensor a, ct_ints size, const char *mode, bool antialias, ct_tensor *out);
ct_status ct_affine_grid(ct_tensor theta, ct_ints size, ct_tensor *out);                 // align_corners = false
ct_status ct_grid_sample(ct_tensor a, ct_tensor grid, const char *mode, const char *padding, ct_tensor *out);

// MARK: losses, mean over all elements unless said (losses.cpp)
ct_status ct_mse_loss(ct_tensor a, ct_tensor target, ct_tensor *out);
ct_status ct_l1_loss(ct_tensor a, ct_tensor target, ct_tensor *out);
ct_status ct_smooth_l1_loss(ct_tensor a, ct_tensor target, double beta, ct_tensor *out);
ct_status ct_bce_with_logits(ct_tensor logits, ct_tensor target, ct_tensor *out);
ct_status ct_cross_entropy(ct_tensor logits, ct_tensor target, double label_smoothing, ct_tensor *out);

// MARK: autograd (autograd.cpp)
ct_status ct_set_requires_gradient(ct_tensor a, bool required);
ct_status ct_detach(ct_tensor a, ct_tensor *out);
ct_status ct_backward(ct_tensor loss);
ct_status ct_gradient(ct_tensor a, ct_tensor *out_or_null);      // null when there is none
ct_status ct_clear_gradient(ct_tensor a);
// d sum(output) / d input, one per input; `recorded`: as part of the graph, so that they can be differentiated again.
ct_status ct_gradients(ct_tensor output, ct_tensors inputs, bool recorded, ct_tensor *outs);

// MARK: optimiser kernels, in place (optimiser.cpp)
typedef struct {
  double learning_rate, beta1, beta2, weight_decay, epsilon;
  bool decoupled_weight_decay;  // AdamW
} ct_adam_options;
ct_status ct_adam_step(ct_tensors parameters, ct_tensors gradients, ct_tensors first_moments, ct_tensors second_moments,
                       ct_tensors steps, ct_adam_options options);
// buffer = momentum · buffer + gradient + decay · weight; weight −= rate · buffer
ct_status ct_sgd_step(ct_tensors parameters, ct_tensors gradients, ct_tensors buffers, double learning_rate,
                      double momentum, double weight_decay);
ct_status ct_lerp_all(ct_tensors targets, ct_tensors sources, double weight);
ct_status ct_clip_gradient_norm(ct_tensors gradients, double maximum, double *norm);

// MARK: random numbers (random.cpp)
ct_status ct_generator_make(ct_device device, uint64_t seed, ct_generator *out);
void ct_generator_release(ct_generator generator);
ct_status ct_generator_state(ct_generator generator, ct_tensor *out);
ct_status ct_generator_set_state(ct_generator generator, ct_tensor state);
ct_status ct_uniform(ct_ints shape, double low, double high, ct_dtype dtype, ct_device device, ct_generator generator,
                     ct_tensor *out);
ct_status ct_normal(ct_ints shape, double mean, double deviation, ct_dtype dtype, ct_device device,
                    ct_generator generator, ct_tensor *out);
ct_status ct_random_integers(int64_t low, int64_t high, ct_ints shape, ct_device device, ct_generator generator,
                             ct_tensor *out);
ct_status ct_permutation(int64_t count, ct_device device, ct_generator generator, ct_tensor *out);
ct_status ct_bernoulli(ct_tensor probabilities, ct_generator generator, ct_tensor *out);
ct_status ct_multinomial(ct_tensor probabilities, int64_t count, bool replacement, ct_generator generator,
                         ct_tensor *out);

#ifdef __cplusplus
}
#endif
#endif
