// Sequences of tokens, read by a causal transformer, and some of their tokens drawn anew. One call does what would take
// thousands of operators on a few rows each: samples go from their first flagged token to the last on one thread.
#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "autocast.h"
#include "counting.h"
#include "handles.h"
#include "parallel.h"
#include "sequence_kernel.h"

using namespace norma;

struct ct_sequence_model_s {
  std::vector<at::Tensor> weights;
  at::Tensor factors;  // all matrices, in panels
  BlockShape shape;
  std::vector<Block> blocks;
  Norm norm;
  Panels head;
  const float *head_bias;

  int64_t slots() const { return weights[1].size(0); }
  int64_t codes() const { return head.width - 1; }
  int64_t memory() const { return static_cast<int64_t>(blocks.size()) * shape.memory(); }
};

namespace {

using Model = ct_sequence_model_s;

constexpr size_t of_block = 10;      // weights of a block
constexpr int64_t at_once = 256;      // vectors that go through a block together: they stay in the cache
constexpr int64_t read_at_once = 32;  // slots of a sequence that is read

const float *numbers(const at::Tensor &tensor) { return static_cast<const float *>(tensor.const_data_ptr()); }

bool is_multiple(int64_t count) { return count > 0 && count % 16 == 0; }

// The order of weights: tokens, places, the blocks' (norm, projections in and out, norm, two layers), norm, head.
bool suits(const std::vector<at::Tensor> &weights, int64_t heads) {
  if (!has_vectors() || weights.size() < 6 + of_block || (weights.size() - 6) % of_block != 0) return false;
  const at::Tensor &into_heads = weights[4], &widening = weights[8];
  return is_multiple(weights[0].size(1)) && is_multiple(into_heads.size(0) / (3 * heads)) &&
         is_multiple(widening.size(0)) && !autocast_type(weights[0]) &&
         std::all_of(weights.begin(), weights.end(), [](const at::Tensor &weight) {
           return weight.is_cpu() && weight.scalar_type() == at::kFloat;
         });
}

void lay_out(Model &model, int64_t heads, double epsilon) {
  auto &weights = model.weights;
  for (auto &weight : weights) weight = weight.detach().contiguous();
  const int64_t width = weights[0].size(1), inner = weights[4].size(0) / 3, hidden = weights[8].size(0);
  model.shape = {width, hidden, heads, inner / heads, in_panels(model.slots()), static_cast<float>(epsilon)};
  const auto &head = weights[weights.size() - 2];
  const int64_t blocks = static_cast<int64_t>((weights.size() - 6) / of_block);
  model.factors = at::empty({blocks * (in_panels(inner) * width + in_panels(2 * inner) * width + in_panels(width) * inner +
                                       in_panels(hidden) * width + in_panels(width) * hidden) +
                             in_panels(head.size(0)) * width},
                            at::kFloat);
  float *free = model.factors.data_ptr<float>();
  auto factor = [&](const float *weight, int64_t outputs, int64_t inputs) {
    Panels panels = packed(weight, outputs, inputs, free);
    free += in_panels(outputs) * inputs;
    return panels;
  };
  for (int64_t index = 0; index < blocks; index++) {
    const at::Tensor *own = &weights[2 + index * of_block];
    Block block;
    block.before_attention = {numbers(own[0]), numbers(own[1])};
    block.query = factor(numbers(own[2]), inner, width);
    block.keys_values = factor(numbers(own[2]) + inner * width, 2 * inner, width);
    block.output = factor(numbers(own[3]), width, inner);
    block.before_layers = {numbers(own[4]), numbers(own[5])};
    block.widening = factor(numbers(own[6]), hidden, width);
    block.widening_bias = numbers(own[7]);
    block.narrowing = factor(numbers(own[8]), width, hidden);
    block.narrowing_bias = numbers(own[9]);
    model.blocks.push_back(block);
  }
  model.norm = {numbers(weights[weights.size() - 4]), numbers(weights[weights.size() - 3])};
  model.head = factor(numbers(head), head.size(0), width);
  model.head_bias = numbers(weights.back());
}

// Multiply-adds of what slots do.
struct Count {
  const BlockShape &shape;
  int64_t products = 0;

  void remember(const Slots &slots) { products += slots.rows() * shape.width * 2 * shape.inner(); }
  void transform(const Slots &slots) {
    products += slots.rows() * 2 * shape.width * (shape.inner() + shape.hidden);
    products += slots.sequences * attended_pairs(slots.count, slots.start + slots.count, true) * 2 * shape.inner();
  }
  void predict(int64_t rows, Panels head) { products += rows * head.depth * head.width; }
};

// Vectors of slots that hold tokens after the first one, which holds the token that begins a sequence.
void embed(const Model &model, const int64_t *tokens, int64_t start, int64_t count, float *vectors) {
  const int64_t width = model.shape.width;
  const float *table = numbers(model.weights[0]), *places = numbers(model.weights[1]);
  for (int64_t slot = start; slot < start + count; slot++, vectors += width) {
    const float *token = table + (slot == 0 ? model.codes() : tokens[slot - 1]) * width, *place = places + slot * width;
    for (int64_t i = 0; i < width; i++) vectors[i] = token[i] + place[i];
  }
}

// MARK: reading

struct Reading {
  at::Tensor logits, memory;
};

Reading read(const Model &model, const at::Tensor &tokens) {
  const int64_t sequences = tokens.size(0), length = tokens.size(1), width = model.shape.width;
  const int64_t pieces = (length + read_at_once - 1) / read_at_once, outputs = model.head.width;
  auto vectors = at::empty({sequences, length, width}, at::kFloat);
  Reading reading{at::empty({sequences, length, outputs}, at::kFloat),
                  at::empty({sequences, model.memory()}, at::kFloat)};
  std::atomic<int64_t> products = 0;
  // Late pieces attend to more than early ones: each thread gets both.
  auto each_piece = [&](size_t block, auto body) {
    in_parallel(sequences * pieces, [&](int64_t begin, int64_t end) {
      auto scratch = at::empty({model.shape.scratch(read_at_once)}, at::kFloat);
      Count count{model.shape};
      for (int64_t i = begin; i < end; i++) {
        const int64_t sequence = i / pieces, turn = i % pieces, place = turn % 2 == 0 ? turn / 2 : pieces - 1 - turn / 2;
        const int64_t start = place * read_at_once;
        Slots slots{1, std::min(read_at_once, length - start), start,
                    vectors.data_ptr<float>() + (sequence * length + start) * width,
                    reading.memory.data_ptr<float>() + sequence * model.memory() + block * model.shape.memory(), 0,
                    scratch.data_ptr<float>()};
        body(slots, sequence, count);
      }
      products += count.products;
    });
  };
  each_piece(0, [&](Slots &slots, int64_t sequence, Count &count) {
    embed(model, tokens.data_ptr<int64_t>() + sequence * length, slots.start, slots.count, slots.vectors);
    remember(model.blocks[0], model.shape, slots);
    count.remember(slots);
  });
  for (size_t index = 0; index < model.blocks.size(); index++)
    each_piece(index, [&](Slots &slots, int64_t sequence, Count &count) {
      transform(model.blocks[index], model.shape, slots);
      count.transform(slots);
      if (index + 1 < model.blocks.size()) {
        slots.memory += model.shape.memory();
        remember(model.blocks[index + 1], model.shape, slots);
        count.remember(slots);
      } else {
        std::vector<float> logits(slots.count * in_panels(outputs));
        predict(model.norm, model.head, model.head_bias, model.shape, slots.vectors, slots.count, logits.data(),
                slots.scratch);
        count.predict(slots.count, model.head);
        float *own = reading.logits.data_ptr<float>() + (sequence * length + slots.start) * outputs;
        for (int64_t slot = 0; slot < slots.count; slot++)
          std::copy_n(logits.data() + slot * in_panels(outputs), outputs, own + slot * outputs);
      }
    });
  if (is_counting())
    count_kernel(at::kFloat, products, {model.factors, tokens}, {reading.logits, reading.memory});
  return reading;
}

// MARK: drawing anew

// The code where the running sum of probabilities passes `chance`; the likeliest one at temperature 0.
int64_t draw(const float *logits, int64_t codes, double temperature, float chance) {
  const float *largest = std::max_element(logits, logits + codes);
  if (!(temperature > 0)) return largest - logits;
  std::vector<double> running(codes);
  double total = 0;
  for (int64_t code = 0; code < codes; code++)
    running[code] = total += std::exp((logits[code] - *largest) / temperature);
  auto passed = std::lower_bound(running.begin(), running.end(), total * chance);
  return std::min<int64_t>(passed - running.begin(), codes - 1);
}

// Some samples of one sequence, which go along together from one flagged token to the next.
class Samples {
 public:
  Samples(const Model &model, int64_t count, int64_t length, int64_t *tokens)
      : model_(model), count_(count), length_(length), tokens_(tokens), work_{model.shape} {}

  // `logits` are those of the first flagged token, `memory` is that of the sequence as it was read.
  void redraw(const std::vector<int64_t> &flagged, const float *logits, const float *memory, const float *chances,
              double temperature) {
    memory_ = at::empty({count_ * model_.memory()}, at::kFloat);
    scratch_ = at::empty({model_.shape.scratch(at_once)}, at::kFloat);
    vectors_.resize(at_once * model_.shape.width);
    recall(memory, flagged[0] + 1);
    std::vector<float> own(count_ * in_panels(model_.head.width));
    for (size_t index = 0; index < flagged.size(); index++) {
      const int64_t place = flagged[index];
      for (int64_t sample = 0; sample < count_; sample++)
        tokens_[sample * length_ + place] =
            draw(index == 0 ? logits : own.data() + sample * in_panels(model_.head.width), model_.codes(), temperature,
                 chances[sample * length_ + place]);
      if (index + 1 < flagged.size()) feed(place + 1, flagged[index + 1] + 1, own.data());
    }
  }

  int64_t products() const { return work_.products; }

 private:
  // Takes up what was read of the first slots.
  void recall(const float *memory, int64_t slots) {
    const BlockShape &shape = model_.shape;
    const int64_t part = shape.head_width * shape.capacity, used = in_panels(slots) * shape.head_width;
    for (int64_t start = 0; start < model_.memory(); start += part)
      for (int64_t sample = 0; sample < count_; sample++)
        std::copy_n(memory + start, used, memory_.data_ptr<float>() + sample * model_.memory() + start);
  }

  // Feeds slots, and gives the logits that the last of them predicts.
  void feed(int64_t start, int64_t end, float *logits) {
    const int64_t step = std::max<int64_t>(1, at_once / count_), width = model_.shape.width;
    for (int64_t next = start; next < end; next += step) {
      Slots slots{count_, std::min(step, end - next), next, vectors_.data(), memory_.data_ptr<float>(), model_.memory(),
                  scratch_.data_ptr<float>()};
      for (int64_t sample = 0; sample < count_; sample++)
        embed(model_, tokens_ + sample * length_, next, slots.count, slots.vectors + sample * slots.count * width);
      for (const Block &block : model_.blocks) {
        remember(block, model_.shape, slots);
        work_.remember(slots);
        if (&block == &model_.blocks.back()) {
          if (next + slots.count < end) break;
          keep_last(slots);  // nobody reads what the others predict
        }
        transform(block, model_.shape, slots);
        work_.transform(slots);
        slots.memory += model_.shape.memory();
      }
    }
    predict(model_.norm, model_.head, model_.head_bias, model_.shape, vectors_.data(), count_, logits,
            scratch_.data_ptr<float>());
    work_.predict(count_, model_.head);
  }

  void keep_last(Slots &slots) const {
    const int64_t width = model_.shape.width;
    for (int64_t sample = 0; sample < count_; sample++)
      std::memmove(slots.vectors + sample * width, slots.vectors + ((sample + 1) * slots.count - 1) * width,
                   width * sizeof(float));
    slots.start += slots.count - 1;
    slots.count = 1;
  }

  const Model &model_;
  const int64_t count_, length_;
  int64_t *const tokens_;
  Count work_;
  at::Tensor memory_, scratch_;
  std::vector<float> vectors_;
};

at::Tensor redraw(const Model &model, const at::Tensor &tokens, const at::Tensor &flags, const Reading &reading,
                  const at::Tensor &chances, double temperature) {
  const int64_t sequences = tokens.size(0), length = tokens.size(1), samples = chances.size(1);
  auto result = tokens.unsqueeze(1).repeat({1, samples, 1});
  // As many samples go together as leave every thread some.
  const int64_t together = std::min<int64_t>((samples + at::get_num_threads() - 1) / at::get_num_threads(), at_once);
  const int64_t groups = (samples + together - 1) / together;
  std::atomic<int64_t> products = 0;
  in_parallel(sequences * groups, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t sequence = i / groups, first = i % groups * together;
      const bool *flag = flags.data_ptr<bool>() + sequence * length;
      std::vector<int64_t> flagged;
      for (int64_t place = 0; place < length; place++)
        if (flag[place]) flagged.push_back(place);
      if (flagged.empty()) continue;
      const int64_t row = (sequence * samples + first) * length;
      Samples own(model, std::min(together, samples - first), length, result.data_ptr<int64_t>() + row);
      own.redraw(flagged, numbers(reading.logits) + (sequence * length + flagged[0]) * model.head.width,
                 numbers(reading.memory) + sequence * model.memory(), numbers(chances) + row, temperature);
      products += own.products();
    }
  });
  if (is_counting()) count_kernel(at::kFloat, products, {model.factors, tokens, reading.memory}, {result});
  return result;
}

void check_tokens(const Model &model, const at::Tensor &tokens) {
  TORCH_CHECK(tokens.is_cpu() && tokens.scalar_type() == at::kLong && tokens.dim() == 2 && tokens.size(1) > 0 &&
                  tokens.size(1) <= model.slots(),
              "sequences: tokens must be [sequences, 1 to ", model.slots(), "] whole numbers on the processor");
  TORCH_CHECK(tokens.numel() == 0 ||
                  (tokens.min().item<int64_t>() >= 0 && tokens.max().item<int64_t>() < model.weights[0].size(0)),
              "sequences: a token is none of the ", model.weights[0].size(0), " in the table");
}

}  // namespace

ct_status ct_sequence_model_make(ct_tensors weights, int64_t heads, double epsilon, ct_sequence_model *out) {
  *out = nullptr;
  return guarded([&] {
    auto model = std::make_unique<Model>();
    model->weights = tensors(weights);
    if (!suits(model->weights, heads)) return;
    lay_out(*model, heads, epsilon);
    *out = model.release();
  });
}

void ct_sequence_model_release(ct_sequence_model model) { delete model; }

ct_status ct_read_sequences(ct_sequence_model model, ct_tensor tokens, ct_tensor *logits, ct_tensor *memory) {
  return guarded([&] {
    check_tokens(*model, tokens->value);
    auto reading = read(*model, tokens->value.contiguous());
    *logits = hand_out(reading.logits);
    *memory = hand_out(reading.memory);
  });
}

ct_status ct_redraw_tokens(ct_sequence_model model, ct_tensor tokens, ct_tensor flags, ct_tensor logits, ct_tensor memory,
                           ct_tensor chances, double temperature, ct_tensor *out) {
  return made(out, [&] {
    check_tokens(*model, tokens->value);
    const int64_t sequences = tokens->value.size(0), length = tokens->value.size(1);
    TORCH_CHECK(flags->value.sizes() == tokens->value.sizes() && flags->value.scalar_type() == at::kBool,
                "sequences: there must be a flag for every token");
    TORCH_CHECK(chances->value.dim() == 3 && chances->value.size(0) == sequences && chances->value.size(2) == length &&
                    chances->value.scalar_type() == at::kFloat,
                "sequences: there must be a chance for every token of every sample");
    TORCH_CHECK(logits->value.sizes() == at::IntArrayRef({sequences, length, model->head.width}) &&
                    memory->value.sizes() == at::IntArrayRef({sequences, model->memory()}),
                "sequences: what was read is not of these tokens");
    return redraw(*model, tokens->value.contiguous(), flags->value.contiguous(),
                  {logits->value.contiguous(), memory->value.contiguous()}, chances->value.contiguous(), temperature);
  });
}
