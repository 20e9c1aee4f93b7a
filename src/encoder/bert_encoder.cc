#include "encoder/bert_encoder.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <thread>

namespace tinyarms::encoder {

struct BertEncoder::Layer {
  PackedWeights in;
  PackedWeights out;
  PackedWeights up;
  PackedWeights down;
  std::vector<float> in_bias;
  std::vector<float> out_bias;
  std::vector<float> out_gain;
  std::vector<float> out_shift;
  std::vector<float> up_bias;
  std::vector<float> down_bias;
  std::vector<float> down_gain;
  std::vector<float> down_shift;
};

struct BertEncoder::Pack {
  struct Text {
    const std::vector<int32_t>* ids = nullptr;
    size_t begin = 0;   // its first row
    size_t second = 0;  // its first token of the second type
    float* pooled = nullptr;  // one row, or
    float* rows = nullptr;    // all of them
  };
  std::vector<Text> texts;
  size_t tokens = 0;
};

// Rows of a pack. Keys and values are kept twice over, so that a thread may write those of the next
// layer while another still reads those of this one.
struct BertEncoder::Workspace {
  size_t capacity = 0;
  size_t key_stride = 0;
  Aligned<float> x;        // tokens × width
  Aligned<float> queries;  // tokens × width
  Aligned<float> context;  // tokens × width
  Aligned<float> keys[2];    // width × key_stride
  Aligned<float> values[2];  // heads × tokens × head width
};

// Scratch for a block of rows.
struct BertEncoder::Desk {
  dnnl_stream_t stream = nullptr;
  Aligned<std::byte> source;   // the left side of a product
  Aligned<float> product;      // and what comes out of it; int32 sums for Int8
  Aligned<std::byte> scratch;  // oneDNN's
  Aligned<float> scores;
  size_t score_tokens = 0;
  float scales[kBlockRows] = {};
};

struct BertEncoder::Step {
  const Pack& pack;
  Workspace& space;
  Desk& desk;
  Barrier* barrier;  // null where one thread has the pack to itself
  int rank;
  int ranks;
  size_t begin;  // its rows
  size_t end;

  void meet() const {
    if (barrier != nullptr) barrier->wait();
  }
};

Result<std::unique_ptr<BertEncoder>> BertEncoder::create(const BertFile& file,
                                                         BertOptions options) {
  std::unique_ptr<BertEncoder> encoder(new BertEncoder(file));
  if (auto loaded = encoder->load(options); !loaded) return loaded.error();
  return Result<std::unique_ptr<BertEncoder>>(std::move(encoder));
}

BertEncoder::BertEncoder(const BertFile& file) : file_(file) {}

BertEncoder::~BertEncoder() {
  team_.reset();
  for (const Desk& desk : desks_) {
    if (desk.stream != nullptr) context_->library().stream_destroy(desk.stream);
  }
}

Result<void> BertEncoder::load(BertOptions options) {
  options_ = options;
  width_ = file_.width();
  inner_ = file_.inner();
  heads_ = file_.heads();
  auto context = DnnlContext::create();
  if (!context) return context.error();
  context_ = std::move(*context);
  struct Shape {
    std::unique_ptr<Matmul>& matmul;
    size_t in;
    size_t out;
  };
  const Shape shapes[] = {{in_, width_, 3 * width_},
                          {out_, width_, width_},
                          {up_, width_, inner_},
                          {down_, inner_, width_}};
  size_t scratch_bytes = 0;
  for (const Shape& shape : shapes) {
    auto made = Matmul::create(*context_, shape.in, shape.out, options.precision);
    if (!made) return made.error();
    shape.matmul = std::move(*made);
    scratch_bytes = std::max(scratch_bytes, shape.matmul->scratch_bytes());
  }
  auto positions = file_.positions();
  if (!positions) return positions.error();
  auto type_step = file_.type_step();
  if (!type_step) return type_step.error();
  type_step_ = std::move(*type_step);
  auto gain = file_.vector("token_embd_norm.weight", width_);
  if (!gain) return gain.error();
  auto shift = file_.vector("token_embd_norm.bias", width_);
  if (!shift) return shift.error();
  auto bias = file_.relative_bias();
  if (!bias) return bias.error();
  bias_ = std::move(*bias);
  positions_ = std::move(*positions);
  first_gain_ = std::move(*gain);
  first_shift_ = std::move(*shift);
  for (size_t i = 0; i < file_.facts().layers; ++i) {
    if (auto loaded = load_layer(i); !loaded) return loaded;
  }
  return make_desks(scratch_bytes);
}

Result<void> BertEncoder::make_desks(size_t scratch_bytes) {
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int threads = std::clamp(options_.threads > 0 ? options_.threads : cores, 1, 256);
  const size_t widest = std::max(3 * width_, inner_);
  for (int i = 0; i < threads; ++i) {
    Desk& desk = desks_.emplace_back();
    desk.source = allocate<std::byte>(kBlockRows * widest * sizeof(float));
    desk.product = allocate<float>(kBlockRows * widest);
    desk.scratch = allocate<std::byte>(scratch_bytes);
    if (!desk.source || !desk.product || !desk.scratch ||
        context_->library().stream_create(&desk.stream, context_->engine(),
                                          dnnl_stream_default_flags) != dnnl_success) {
      return Error{ErrorCode::Internal, "there is no memory for the encoder", "",
                   "free some memory and try again"};
    }
  }
  const DnnlLibrary& library = context_->library();
  team_ = std::make_unique<ThreadTeam>(threads, [&library] { library.set_threads(1); });
  return {};
}

Result<void> BertEncoder::load_layer(size_t index) {
  auto read = file_.layer(index);
  if (!read) return read.error();
  Layer layer;
  struct Product {
    const Matmul& matmul;
    const BertMatrix& from;
    PackedWeights& to;
  };
  const Product products[] = {{*in_, read->in, layer.in},
                              {*out_, read->out, layer.out},
                              {*up_, read->up, layer.up},
                              {*down_, read->down, layer.down}};
  for (const Product& product : products) {
    auto packed = product.matmul.pack(product.from.values());
    if (!packed) return packed.error();
    product.to = std::move(*packed);
  }
  layer.in_bias = std::move(read->in_bias);
  layer.out_bias = std::move(read->out_bias);
  layer.out_gain = std::move(read->out_gain);
  layer.out_shift = std::move(read->out_shift);
  layer.up_bias = std::move(read->up_bias);
  layer.down_bias = std::move(read->down_bias);
  layer.down_gain = std::move(read->down_gain);
  layer.down_shift = std::move(read->down_shift);
  layers_.push_back(std::move(layer));
  return {};
}

// Longest first, so that the last packs, which threads wait for, are the smallest.
std::vector<BertEncoder::Pack> BertEncoder::pack(const BertBatch& batch) const {
  const auto& texts = batch.texts;
  std::vector<size_t> order(texts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return texts[a].size() > texts[b].size(); });
  std::vector<Pack> packs;
  for (const size_t text : order) {
    if (packs.empty() || packs.back().tokens + texts[text].size() > options_.pack_tokens) {
      packs.emplace_back();
    }
    Pack& last = packs.back();
    last.texts.push_back({.ids = &texts[text],
                          .begin = last.tokens,
                          .second = batch.second.empty() ? texts[text].size()
                                                         : batch.second[text]});
    last.tokens += texts[text].size();
  }
  return packs;
}

bool BertEncoder::reserve(size_t workspaces, size_t tokens) {
  if (workspaces_.size() < workspaces) workspaces_.resize(workspaces);
  for (size_t i = 0; i < workspaces; ++i) {
    Workspace& space = workspaces_[i];
    if (space.capacity >= tokens) continue;
    space = Workspace{};
    const size_t rows = tokens + kRowStep;
    // An odd number of cache lines, so that a token's keys do not all fall on one set of the cache.
    space.key_stride = ((tokens + kKeyPadding + 31) / 32 * 2 + 1) * 16;
    space.x = allocate<float>(rows * width_);
    space.queries = allocate<float>(rows * width_);
    space.context = allocate<float>(rows * width_);
    bool whole = space.x && space.queries && space.context;
    for (int i2 = 0; i2 < 2; ++i2) {
      space.keys[i2] = allocate<float>(width_ * space.key_stride + kKeyPadding);
      space.values[i2] = allocate<float>(rows * width_);
      whole = whole && space.keys[i2] && space.values[i2];
    }
    if (!whole) return false;
    space.capacity = tokens;
  }
  for (Desk& desk : desks_) {
    if (desk.score_tokens >= tokens) continue;
    desk.scores = allocate<float>(attention_scratch(tokens));
    if (!desk.scores) return false;
    desk.score_tokens = tokens;
  }
  return true;
}

Result<void> BertEncoder::encode(const BertBatch& batch, float* pooled) {
  std::vector<Pack> packs = pack(batch);
  for (Pack& pack : packs) {
    for (Pack::Text& text : pack.texts) {
      text.pooled = pooled + static_cast<size_t>(text.ids - batch.texts.data()) * width_;
    }
  }
  return encode_packs(packs);
}

Result<void> BertEncoder::encode_tokens(const BertBatch& batch, float* rows) {
  std::vector<size_t> first;
  size_t tokens = 0;
  for (const auto& text : batch.texts) {
    first.push_back(tokens);
    tokens += text.size();
  }
  std::vector<Pack> packs = pack(batch);
  for (Pack& pack : packs) {
    for (Pack::Text& text : pack.texts) {
      text.rows = rows + first[static_cast<size_t>(text.ids - batch.texts.data())] * width_;
    }
  }
  return encode_packs(packs);
}

Result<void> BertEncoder::encode_packs(std::vector<Pack>& packs) {
  size_t longest = 0;
  for (const Pack& pack : packs) longest = std::max(longest, pack.tokens);
  const auto ranks = static_cast<size_t>(team_->size());
  const bool together = packs.size() < 2 * ranks;
  const bool one_step = packs.size() == 1 && longest <= kRowStep;  // nothing to share
  if (!reserve(together ? 1 : ranks, longest)) {
    return Error{ErrorCode::Internal, "there is no memory for these texts", "",
                 "free some memory or embed fewer at once"};
  }
  Barrier barrier(team_->size());
  std::atomic<size_t> next{0};
  std::atomic<bool> sound{true};
  const auto work = [&](int rank) {
    const auto r = static_cast<size_t>(rank);
    if (!together || one_step) {
      for (size_t i = next++; i < packs.size(); i = next++) {
        const Step alone{packs[i], workspaces_[r], desks_[r], nullptr, 0, 1, 0, packs[i].tokens};
        if (!forward(alone)) sound = false;
      }
      return;
    }
    for (const Pack& pack : packs) {
      const size_t steps = (pack.tokens + kRowStep - 1) / kRowStep;
      const Step part{pack, workspaces_[0], desks_[r], ranks > 1 ? &barrier : nullptr, rank,
                      static_cast<int>(ranks), std::min(pack.tokens, steps * r / ranks * kRowStep),
                      std::min(pack.tokens, steps * (r + 1) / ranks * kRowStep)};
      if (!forward(part)) sound = false;
    }
  };
  const SingleThreaded alone(context_->library());
  one_step ? work(0) : team_->run(work);
  if (!sound) {
    return Error{ErrorCode::Internal, "a matrix product failed", "oneDNN",
                 "free some memory and try again"};
  }
  return {};
}

// Every thread takes every step, also after a failure: the others wait for it.
bool BertEncoder::forward(const Step& step) const {
  bool sound = true;
  embed_rows(step);
  for (size_t i = 0; i < layers_.size(); ++i) {
    sound = project_in(step, layers_[i], i % 2) && sound;
    step.meet();
    attend(step, i % 2);
    sound = project_out(step, layers_[i]) && sound;
  }
  step.meet();
  pool(step);
  step.meet();  // the next pack overwrites these rows
  return sound;
}

void BertEncoder::embed_rows(const Step& step) const {
  for (const Pack::Text& text : step.pack.texts) {
    const size_t end = std::min(step.end, text.begin + text.ids->size());
    for (size_t row = std::max(step.begin, text.begin); row < end; ++row) {
      float* x = step.space.x.get() + row * width_;
      file_.word(static_cast<size_t>((*text.ids)[row - text.begin]), x);
      const float* position = positions_.data() + (row - text.begin) * width_;
      for (size_t i = 0; i < width_; ++i) x[i] += position[i];
      if (row - text.begin >= text.second && !type_step_.empty()) {
        for (size_t i = 0; i < width_; ++i) x[i] += type_step_[i];
      }
      kernels().norm({.x = x,
                      .gain = first_gain_.data(),
                      .shift = first_shift_.data(),
                      .width = width_,
                      .epsilon = file_.epsilon()});
    }
  }
}

// The desk's product = rows × weights, for at most a block of rows.
bool BertEncoder::multiply(const Step& step, const Matmul& matmul, const PackedWeights& weights,
                           const float* rows, size_t count) const {
  const Kernels& fast = kernels();
  Desk& desk = step.desk;
  const void* source = desk.source.get();
  switch (options_.precision) {
    case Precision::F32:
      source = rows;
      if (rows == desk.product.get()) {
        std::copy_n(rows, count * matmul.in(), reinterpret_cast<float*>(desk.source.get()));
        source = desk.source.get();
      }
      break;
    case Precision::BF16:
      fast.to_bf16(rows, reinterpret_cast<uint16_t*>(desk.source.get()), count * matmul.in());
      break;
    case Precision::Int8:
      for (size_t i = 0; i < count; ++i) {
        desk.scales[i] = fast.quantise(
            rows + i * matmul.in(),
            reinterpret_cast<uint8_t*>(desk.source.get()) + i * matmul.in(), matmul.in());
      }
      break;
  }
  if (!matmul.run({.weights = &weights,
                   .source = source,
                   .product = desk.product.get(),
                   .rows = count,
                   .stream = desk.stream,
                   .scratch = desk.scratch.get()})) {
    return false;
  }
  if (options_.precision != Precision::Int8) return true;
  for (size_t i = 0; i < count; ++i) {
    float* out = desk.product.get() + i * matmul.out();
    fast.dequantise({.sums = reinterpret_cast<const int32_t*>(out),
                     .column_scales = weights.column_scales.data(),
                     .column_sums = weights.column_sums.data(),
                     .out = out,
                     .width = matmul.out(),
                     .row_scale = desk.scales[i]});
  }
  return true;
}

bool BertEncoder::project_in(const Step& step, const Layer& layer, size_t parity) const {
  const Workspace& space = step.space;
  const size_t head_width = width_ / heads_;
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_width));
  for (size_t begin = step.begin; begin < step.end; begin += kBlockRows) {
    const size_t count = std::min(kBlockRows, step.end - begin);
    if (!multiply(step, *in_, layer.in, space.x.get() + begin * width_, count)) return false;
    kernels().split_heads({.product = step.desk.product.get(),
                           .bias = layer.in_bias.data(),
                           .queries = space.queries.get() + begin * width_,
                           .keys = space.keys[parity].get() + begin,
                           .values = space.values[parity].get() + begin * head_width,
                           .rows = count,
                           .width = width_,
                           .head_width = head_width,
                           .stride = space.key_stride,
                           .head_stride = space.capacity * head_width,
                           .scale = scale});
  }
  return true;
}

void BertEncoder::attend(const Step& step, size_t parity) const {
  const Workspace& space = step.space;
  const size_t head_width = width_ / heads_;
  for (const Pack::Text& text : step.pack.texts) {
    const size_t begin = std::max(step.begin, text.begin);
    const size_t end = std::min(step.end, text.begin + text.ids->size());
    if (begin >= end) continue;
    for (size_t head = 0; head < heads_; ++head) {
      const size_t column = head * head_width;
      kernels().attention(
          {.queries = space.queries.get() + begin * width_ + column,
           .keys = space.keys[parity].get() + column * space.key_stride + text.begin,
           .values = space.values[parity].get() + (head * space.capacity + text.begin) * head_width,
           .bias = bias_.row(head, begin - text.begin),
           .scores = step.desk.scores.get(),
           .out = space.context.get() + begin * width_ + column,
           .rows = end - begin,
           .tokens = text.ids->size(),
           .head_width = head_width,
           .query_stride = width_,
           .key_stride = space.key_stride,
           .out_stride = width_});
    }
  }
}

bool BertEncoder::project_out(const Step& step, const Layer& layer) const {
  const Kernels& fast = kernels();
  float* product = step.desk.product.get();
  const auto add_and_norm = [&](float* x, size_t count, const std::vector<float>& bias,
                                const std::vector<float>& gain, const std::vector<float>& shift) {
    for (size_t i = 0; i < count; ++i) {
      fast.norm({.x = x + i * width_,
                 .added = product + i * width_,
                 .bias = bias.data(),
                 .gain = gain.data(),
                 .shift = shift.data(),
                 .width = width_,
                 .epsilon = file_.epsilon()});
    }
  };
  for (size_t begin = step.begin; begin < step.end; begin += kBlockRows) {
    const size_t count = std::min(kBlockRows, step.end - begin);
    float* x = step.space.x.get() + begin * width_;
    const float* context = step.space.context.get() + begin * width_;
    if (!multiply(step, *out_, layer.out, context, count)) return false;
    add_and_norm(x, count, layer.out_bias, layer.out_gain, layer.out_shift);
    if (!multiply(step, *up_, layer.up, x, count)) return false;
    for (size_t i = 0; i < count; ++i) {
      fast.gelu(product + i * inner_, layer.up_bias.data(), inner_);
    }
    if (!multiply(step, *down_, layer.down, product, count)) return false;
    add_and_norm(x, count, layer.down_bias, layer.down_gain, layer.down_shift);
  }
  return true;
}

void BertEncoder::pool(const Step& step) const {
  for (size_t i = static_cast<size_t>(step.rank); i < step.pack.texts.size();
       i += static_cast<size_t>(step.ranks)) {
    const Pack::Text& text = step.pack.texts[i];
    const float* rows = step.space.x.get() + text.begin * width_;
    const size_t count = text.ids->size();
    if (text.rows != nullptr) {
      std::copy_n(rows, count * width_, text.rows);
      continue;
    }
    if (file_.pooling() != Pooling::Mean) {
      const size_t row = file_.pooling() == Pooling::Last ? count - 1 : 0;
      std::copy_n(rows + row * width_, width_, text.pooled);
      continue;
    }
    std::fill_n(text.pooled, width_, 0.0f);
    for (size_t row = 0; row < count; ++row) {
      for (size_t c = 0; c < width_; ++c) text.pooled[c] += rows[row * width_ + c];
    }
    for (size_t c = 0; c < width_; ++c) text.pooled[c] /= static_cast<float>(count);
  }
}

}  // namespace tinyarms::encoder
