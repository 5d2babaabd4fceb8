#include "sequence_kernel.h"

#include <cmath>
#include <cstring>

namespace norma {

Panels packed(const float *weight, int64_t outputs, int64_t inputs, float *memory) {
  constexpr int64_t deep = 16;
  std::fill(memory, memory + in_panels(outputs) * inputs, 0.0f);
  for (int64_t top = 0; top < inputs; top += deep)
    for (int64_t column = 0; column < outputs; column++)
      for (int64_t row = top; row < std::min(top + deep, inputs); row++)
        memory[column / panel * panel * inputs + row * panel + column % panel] = weight[column * inputs + row];
  return {memory, inputs, outputs};
}

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,fma"))), apply_to = function)

namespace {

constexpr int64_t tile = 24;  // queries of a head that are worked on together: their scores stay in the cache
constexpr float lowest = -1e30f;

// Floats between rows of scores: an odd number of vectors, so that columns do not fall on the same lines of the cache.
int64_t score_stride(const BlockShape &shape) { return (shape.capacity / lanes | 1) * lanes; }

// c = a · b, or c += a · b, of `rows` rows and the first columns of b.
void product(Rows a, Panels b, Rows c, int64_t rows, bool adds) {
  const Left left{a.values, a.stride, 1};
  int64_t first = 0;
  for (; first + panel <= rounded(b.width); first += panel)
    columns<panel / lanes>(left, b.values + first * b.depth, panel, c.values + first, c.stride, rows, b.depth, adds);
  multiply(left, {const_cast<float *>(b.values) + first * b.depth, panel}, {c.values + first, c.stride}, rows,
           rounded(b.width) - first, b.depth, adds);
}

void normalise(Norm norm, const BlockShape &shape, const float *vectors, int64_t rows, float *output) {
  const int64_t width = shape.width;
  for (int64_t r = 0; r < rows; r++, vectors += width, output += width) {
    Vector total = all(0), squares = all(0);
    for (int64_t i = 0; i < width; i += lanes) total += load(vectors + i);
    const float mean = sum(total) / width;
    for (int64_t i = 0; i < width; i += lanes) {
      const Vector difference = load(vectors + i) - mean;
      squares += difference * difference;
    }
    const float factor = 1 / std::sqrt(sum(squares) / width + shape.epsilon);
    for (int64_t i = 0; i < width; i += lanes)
      store(output + i, (load(vectors + i) - mean) * factor * load(norm.scale + i) + load(norm.shift + i));
  }
}

// Parts of the scratch memory for `rows` vectors.
struct Scratch {
  Rows normalised, wide, attended, scores;

  Scratch(const BlockShape &shape, int64_t rows, float *memory) {
    const int64_t widest = std::max(2 * shape.inner(), shape.hidden);
    normalised = {memory, shape.width};
    wide = {normalised[rows], widest};
    attended = {wide[rows], shape.inner()};
    scores = {attended[rows], score_stride(shape)};
  }
};

// What a block remembers of a head of a sequence.
struct HeadMemory {
  float *keys, *values;

  HeadMemory(const BlockShape &shape, const Slots &slots, int64_t sequence, int64_t head) {
    keys = slots.memory + sequence * slots.memory_stride + 2 * head * shape.head_width * shape.capacity;
    values = keys + shape.head_width * shape.capacity;
  }
};

// Turns scores of a query that sees `count` keys, of `width`, into shares that are still to be divided by what is returned.
float soften(float *scores, int64_t count, int64_t width, float scale) {
  std::fill(scores + count, scores + width, lowest);
  const float largest = maximum(scores, width);
  Vector total = all(0);
  for (int64_t k = 0; k < width; k += lanes) {
    const Vector share = exponential((load(scores + k) - largest) * scale);
    store(scores + k, share);
    total += share;
  }
  return sum(total);
}

// Attention of one head of one sequence's slots.
void attend(const BlockShape &shape, const Slots &slots, HeadMemory memory, Rows queries, Rows output, Rows scores) {
  const int64_t d = shape.head_width;
  const float scale = 1 / std::sqrt(static_cast<float>(d));
  for (int64_t first = 0; first < slots.count; first += tile) {
    const int64_t count = std::min(tile, slots.count - first), before = slots.start + first, visible = before + count;
    product({queries[first], queries.stride}, Panels{memory.keys, d, visible}, scores, count, false);
    float sums[tile];
    for (int64_t q = 0; q < count; q++) sums[q] = soften(scores[q], before + q + 1, rounded(visible), scale);
    multiply({scores.values, scores.stride, 1}, {memory.values, d}, {output[first], output.stride}, count, d, visible,
             false);
    for (int64_t q = 0; q < count; q++)
      for (int64_t t = 0; t < d; t += lanes) store(output[first + q] + t, load(output[first + q] + t) / sums[q]);
  }
}

}  // namespace

int64_t BlockShape::scratch(int64_t vectors) const {
  return vectors * (width + std::max(2 * inner(), hidden) + inner()) + tile * score_stride(*this);
}

void remember(const Block &block, const BlockShape &shape, const Slots &slots) {
  const Scratch scratch(shape, slots.rows(), slots.scratch);
  const int64_t d = shape.head_width;
  normalise(block.before_attention, shape, slots.vectors, slots.rows(), scratch.normalised.values);
  product(scratch.normalised, block.keys_values, scratch.wide, slots.rows(), false);
  for (int64_t sequence = 0; sequence < slots.sequences; sequence++)
    for (int64_t head = 0; head < shape.heads; head++) {
      const HeadMemory memory(shape, slots, sequence, head);
      for (int64_t slot = 0; slot < slots.count; slot++) {
        const float *key = scratch.wide[sequence * slots.count + slot] + head * d;
        const int64_t place = slots.start + slot;
        float *column = memory.keys + place / panel * panel * d + place % panel;
        for (int64_t t = 0; t < d; t++) column[t * panel] = key[t];
        std::memcpy(memory.values + place * d, key + shape.inner(), d * sizeof(float));
      }
    }
}

void transform(const Block &block, const BlockShape &shape, const Slots &slots) {
  const Scratch scratch(shape, slots.rows(), slots.scratch);
  const int64_t d = shape.head_width, rows = slots.rows();
  const Rows vectors{slots.vectors, shape.width};
  normalise(block.before_attention, shape, slots.vectors, rows, scratch.normalised.values);
  product(scratch.normalised, block.query, scratch.wide, rows, false);
  for (int64_t sequence = 0; sequence < slots.sequences; sequence++)
    for (int64_t head = 0; head < shape.heads; head++) {
      const int64_t row = sequence * slots.count;
      attend(shape, slots, HeadMemory(shape, slots, sequence, head),
             {scratch.wide[row] + head * d, scratch.wide.stride},
             {scratch.attended[row] + head * d, scratch.attended.stride}, scratch.scores);
    }
  product(scratch.attended, block.output, vectors, rows, true);
  normalise(block.before_layers, shape, slots.vectors, rows, scratch.normalised.values);
  product(scratch.normalised, block.widening, scratch.wide, rows, false);
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t i = 0; i < shape.hidden; i += lanes)
      store(scratch.wide[r] + i, gelu(load(scratch.wide[r] + i) + load(block.widening_bias + i)));
    for (int64_t i = 0; i < shape.width; i += lanes)
      store(vectors[r] + i, load(vectors[r] + i) + load(block.narrowing_bias + i));
  }
  product(scratch.wide, block.narrowing, vectors, rows, true);
}

void predict(Norm norm, Panels head, const float *bias, const BlockShape &shape, const float *vectors, int64_t rows,
             float *logits, float *scratch) {
  const Rows output{logits, in_panels(head.width)};
  normalise(norm, shape, vectors, rows, scratch);
  product({scratch, shape.width}, head, output, rows, false);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t i = 0; i < head.width; i++) output[r][i] += bias[i];
}

#pragma clang attribute pop

#else

int64_t BlockShape::scratch(int64_t) const { return 0; }
void remember(const Block &, const BlockShape &, const Slots &) {}
void transform(const Block &, const BlockShape &, const Slots &) {}
void predict(Norm, Panels, const float *, const BlockShape &, const float *, int64_t, float *, float *) {}

#endif

}  // namespace norma
