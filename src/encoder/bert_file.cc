#include "encoder/bert_file.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "encoder/kernels.h"

namespace tinyarms::encoder {
namespace {

// Types of weights, as GGUF numbers them.
enum WeightType { kF32 = 0, kF16 = 1, kQ8 = 8, kBF16 = 30 };
constexpr const char* kRelativeTable = "attn_rel_b.weight";
constexpr size_t kQ8Block = 32;                 // values, after one half-precision scale
constexpr size_t kQ8Bytes = 2 + kQ8Block;

float from_half(uint16_t bits) {
  const uint32_t sign = (bits & 0x8000u) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1f;
  const uint32_t fraction = bits & 0x3ff;
  if (exponent == 0) {
    const float tiny = std::ldexp(static_cast<float>(fraction), -24);
    return sign != 0 ? -tiny : tiny;
  }
  const uint32_t wide = exponent == 31 ? 0xff : exponent + 112;
  return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}

template <typename T>
T read(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

bool is_mpnet(const engine::ModelFacts& facts) { return facts.architecture == "mpnet"; }

bool known_type(int type) {
  return type == kF32 || type == kF16 || type == kQ8 || type == kBF16;
}

size_t row_bytes(int type, size_t width) {
  if (type == kF32) return width * 4;
  return type == kQ8 ? width / kQ8Block * kQ8Bytes : width * 2;
}

void read_row(int type, const char* from, size_t width, float* row) {
  switch (type) {
    case kF32: std::memcpy(row, from, width * sizeof(float)); return;
    case kF16:
      for (size_t i = 0; i < width; ++i) row[i] = from_half(read<uint16_t>(from + 2 * i));
      return;
    case kBF16:
      for (size_t i = 0; i < width; ++i) {
        row[i] = std::bit_cast<float>(uint32_t{read<uint16_t>(from + 2 * i)} << 16);
      }
      return;
    case kQ8:
      for (size_t i = 0; i < width; ++i) {
        const char* block = from + i / kQ8Block * kQ8Bytes;
        row[i] = from_half(read<uint16_t>(block)) *
                 static_cast<float>(static_cast<int8_t>(block[2 + i % kQ8Block]));
      }
      return;
    default: return;
  }
}

// Null where they are of another type, or stand where no float may.
const float* floats_at(const engine::GgufTensor& tensor, const char* from) {
  const bool aligned = reinterpret_cast<uintptr_t>(from) % alignof(float) == 0;
  return tensor.type == kF32 && aligned ? reinterpret_cast<const float*>(from) : nullptr;
}

Error unsupported(const std::filesystem::path& path, std::string what) {
  return Error{ErrorCode::Unsupported, std::move(what), path.string(), "name another model"};
}

Error corrupt(const std::filesystem::path& path, std::string what) {
  return Error{ErrorCode::Corrupt, std::move(what), path.string(), "import the model again"};
}

Result<WordPiece> read_tokenizer(const engine::GgufHeader& header,
                                 const std::filesystem::path& path) {
  const auto kind = header.text("tokenizer.ggml.model");
  const engine::GgufArray* pieces = header.array("tokenizer.ggml.tokens");
  if (!kind || *kind != "bert" || pieces == nullptr) {
    return unsupported(path, "its vocabulary is not one of word pieces");
  }
  const bool lower = header.flag("tokenizer.ggml.normalizer.lowercase").value_or(true);
  const bool strip = header.flag("tokenizer.ggml.normalizer.strip_accents").value_or(lower);
  const uint64_t unknown = header.integer("tokenizer.ggml.unknown_token_id").value_or(100);
  auto made = WordPiece::create(pieces->texts(),
                                {.lower_case = lower,
                                 .strip_accents = strip,
                                 .unknown = static_cast<int32_t>(unknown & 0x7fffffff)});
  if (!made) return corrupt(path, made.error().what);
  return made;
}

}  // namespace

Result<BertFile> BertFile::open(const std::filesystem::path& path) {
  auto facts = engine::inspect_model(path);
  if (!facts) return facts.error();
  if (facts->architecture != "bert" && !is_mpnet(*facts)) {
    return unsupported(path, fmt::format("'{}' is neither BERT nor MPNet", facts->architecture));
  }
  auto bytes = engine::MappedFile::open(path);
  if (!bytes) return bytes.error();
  auto header = engine::GgufHeader::parse(bytes->bytes(), path);
  if (!header) return header.error();
  auto tokenizer = read_tokenizer(*header, path);
  if (!tokenizer) return tokenizer.error();
  BertFile file(std::move(*bytes), std::move(*header), std::move(*facts), std::move(*tokenizer));
  if (auto sound = file.check(); !sound) return sound.error();
  return file;
}

Result<void> BertFile::check() {
  const engine::ModelFacts& f = facts_;
  const size_t head = f.heads == 0 ? 0 : width() / f.heads;
  if (f.layers == 0 || f.heads == 0 || f.context_tokens < 3 || head * f.heads != width() ||
      f.layers > 256 || width() > 16384 || inner() == 0 || inner() > 65536) {
    return corrupt(f.path, "its sizes are not those of an encoder");
  }
  if (head % kWidthStep != 0 || inner() % kWidthStep != 0) {
    return unsupported(f.path, fmt::format("heads of {} values", head));
  }
  if (auto known = check_relatives(); !known) return known;
  switch (header_.integer(f.architecture + ".pooling_type").value_or(0)) {
    case 1: pooling_ = Pooling::Mean; break;
    case 2: pooling_ = Pooling::Cls; break;
    case 3: pooling_ = Pooling::Last; break;
    case 4: pooling_ = Pooling::Rank; break;
    default: return unsupported(f.path, "does not say how to pool its outputs into a vector");
  }
  if (is_mpnet(f) && pooling_ == Pooling::Rank) {
    return unsupported(f.path, "a reranker of MPNet's architecture, of which only encoders run");
  }
  epsilon_ = static_cast<float>(
      header_.real(f.architecture + ".attention.layer_norm_epsilon").value_or(1e-12));
  if (!(epsilon_ >= 0 && epsilon_ < 1)) return corrupt(f.path, "its norms' epsilon is absurd");
  return check_words();
}

// What the architecture itself does not have and relatives of the same name do.
Result<void> BertFile::check_relatives() const {
  for (const char* relative : {"blk.0.attn_qkv.weight", "blk.0.ffn_gate.weight",
                               "blk.0.attn_q_norm.weight", "rope_freqs.weight",
                               is_mpnet(facts_) ? "token_types.weight" : kRelativeTable}) {
    if (header_.tensor(relative) != nullptr) {
      return unsupported(facts_.path, fmt::format("has '{}', which {} has not", relative,
                                                  is_mpnet(facts_) ? "MPNet" : "BERT"));
    }
  }
  return {};
}

Result<void> BertFile::check_words() {
  const engine::ModelFacts& f = facts_;
  words_ = header_.tensor("token_embd.weight");
  if (words_ == nullptr || words_->dimensions != 2 || words_->shape[0] != width()) {
    return corrupt(f.path, "the tensor 'token_embd.weight' is missing or of another shape");
  }
  if (!known_type(words_->type)) {
    return unsupported(f.path, "weights of a type only libllama reads");
  }
  vocabulary_ = words_->shape[1];
  const auto* pieces = header_.array("tokenizer.ggml.tokens");
  // BERT's ids are customary, MPNet's are not: its file must say them.
  const auto id = [&](const char* key, uint64_t usual) {
    return header_.integer(key).value_or(is_mpnet(f) ? UINT64_MAX : usual);
  };
  const uint64_t begin = header_.integer("tokenizer.ggml.cls_token_id")
                             .value_or(id("tokenizer.ggml.bos_token_id", 101));
  const uint64_t end = id("tokenizer.ggml.seperator_token_id", 102);
  const uint64_t padding = is_mpnet(f) ? id("tokenizer.ggml.padding_token_id", 0) : 0;
  if (pieces->count > vocabulary_ || begin >= vocabulary_ || end >= vocabulary_ ||
      padding >= vocabulary_) {
    return corrupt(f.path, "its vocabulary is larger than its table of words");
  }
  begin_ = static_cast<int32_t>(begin);
  end_ = static_cast<int32_t>(end);
  first_position_ = is_mpnet(f) ? padding + 1 : 0;
  return {};
}

Result<const engine::GgufTensor*> BertFile::tensor(std::string_view name, Shape shape) const {
  const engine::GgufTensor* found = header_.tensor(name);
  if (found == nullptr) return corrupt(facts_.path, fmt::format("'{}' is missing", name));
  if (found->shape[0] != shape.columns || found->elements() != shape.rows * shape.columns) {
    return corrupt(facts_.path, fmt::format("'{}' is not of {} × {} values", name, shape.rows,
                                            shape.columns));
  }
  if (!known_type(found->type) || (found->type == kQ8 && shape.columns % kQ8Block != 0)) {
    return unsupported(facts_.path, fmt::format("'{}' is of a type only libllama reads", name));
  }
  return found;
}

Result<void> BertFile::append(std::string_view name, Shape shape, std::vector<float>& to) const {
  auto found = tensor(name, shape);
  if (!found) return found.error();
  const char* from = bytes_.bytes().data() + (*found)->offset;
  if (const float* floats = floats_at(**found, from); floats != nullptr) {
    to.insert(to.end(), floats, floats + shape.rows * shape.columns);
    return {};
  }
  size_t at = to.size();
  to.resize(at + shape.rows * shape.columns);
  for (size_t row = 0; row < shape.rows; ++row, at += shape.columns) {
    read_row((*found)->type, from, shape.columns, to.data() + at);
    from += row_bytes((*found)->type, shape.columns);
  }
  return {};
}

Result<std::vector<float>> BertFile::matrix(std::string_view name, size_t rows,
                                            size_t columns) const {
  std::vector<float> values;
  if (auto read = append(name, {rows, columns}, values); !read) return read.error();
  return values;
}

Result<BertMatrix> BertFile::rows_of(std::string_view name, Shape shape) const {
  auto found = tensor(name, shape);
  if (!found) return found.error();
  const char* from = bytes_.bytes().data() + (*found)->offset;
  if (const float* floats = floats_at(**found, from); floats != nullptr) {
    return BertMatrix(std::span(floats, shape.rows * shape.columns));
  }
  auto made = matrix(name, shape.rows, shape.columns);
  if (!made) return made.error();
  return BertMatrix(std::move(*made));
}

Result<std::vector<float>> BertFile::vector(std::string_view name, size_t size) const {
  return matrix(name, 1, size);
}

Result<std::vector<float>> BertFile::positions() const {
  const engine::GgufTensor* table = header_.tensor("position_embd.weight");
  if (table == nullptr || table->shape[1] < first_position_ + facts_.context_tokens) {
    return corrupt(facts_.path, "its table of positions is missing or too short");
  }
  auto positions = matrix("position_embd.weight", table->shape[1], width());
  if (!positions) return positions;
  positions->erase(positions->begin(),
                   positions->begin() + static_cast<ptrdiff_t>(first_position_ * width()));
  positions->resize(size_t{facts_.context_tokens} * width());
  const engine::GgufTensor* types = header_.tensor("token_types.weight");
  if (types == nullptr) return positions;
  auto type = matrix("token_types.weight", types->shape[1], width());
  if (!type) return type;
  for (size_t i = 0; i < positions->size(); ++i) (*positions)[i] += (*type)[i % width()];
  return positions;
}

Result<std::vector<float>> BertFile::type_step() const {
  const engine::GgufTensor* types = header_.tensor("token_types.weight");
  if (types == nullptr || types->shape[1] < 2) return std::vector<float>();
  auto rows = matrix("token_types.weight", types->shape[1], width());
  if (!rows) return rows;
  std::vector<float> step(width());
  for (size_t i = 0; i < width(); ++i) step[i] = (*rows)[width() + i] - (*rows)[i];
  return step;
}

Result<RelativeBias> BertFile::relative_bias() const {
  if (!is_mpnet(facts_)) return RelativeBias();
  const uint64_t buckets = header_.integer("mpnet.attention.relative_buckets_count").value_or(0);
  const uint64_t farthest = header_.integer("mpnet.attention.relative_max_distance").value_or(0);
  if (!RelativeBias::plausible(buckets, farthest)) {
    return corrupt(facts_.path, "its buckets of relative positions are absurd or not said");
  }
  auto table = matrix(kRelativeTable, buckets, heads());
  if (!table) return table.error();
  // A sum with a product stays far from infinity, and above what the kernel pads scores with.
  constexpr float kBiasMax = 1e6f;
  for (const float value : *table) {
    if (!(std::abs(value) <= kBiasMax)) {
      return corrupt(facts_.path, fmt::format("'{}' has a value that is no sensible number",
                                              kRelativeTable));
    }
  }
  return RelativeBias(*table, {.buckets = buckets,
                               .heads = heads(),
                               .farthest = farthest,
                               .tokens = facts_.context_tokens});
}

Result<BertClassifier> BertFile::classifier() const {
  BertClassifier made;
  if (header_.tensor("cls.norm.weight") != nullptr) {
    return unsupported(facts_.path, "has a norm in its classifier, which BERT has not");
  }
  if (header_.tensor("cls.weight") != nullptr) {
    auto dense = matrix("cls.weight", width(), width());
    if (!dense) return dense.error();
    made.dense = std::move(*dense);
    made.dense_bias.resize(width());
    if (header_.tensor("cls.bias") != nullptr) {
      auto bias = vector("cls.bias", width());
      if (!bias) return bias.error();
      made.dense_bias = std::move(*bias);
    }
  }
  auto out = vector("cls.output.weight", width());
  if (!out) return out.error();
  made.out = std::move(*out);
  if (header_.tensor("cls.output.bias") != nullptr) {
    auto bias = vector("cls.output.bias", 1);
    if (!bias) return bias.error();
    made.out_bias = bias->front();
  }
  return made;
}

Result<BertLayer> BertFile::layer(size_t index) const {
  BertLayer layer;
  const auto name = [&](const char* part) { return fmt::format("blk.{}.{}", index, part); };
  const size_t w = width();
  std::vector<float> in;
  in.reserve(3 * w * w);
  for (const char* part : {"attn_q.weight", "attn_k.weight", "attn_v.weight"}) {
    if (auto read = append(name(part), {w, w}, in); !read) return read.error();
  }
  layer.in = BertMatrix(std::move(in));
  struct Matrix {
    BertMatrix& to;
    const char* name;
    Shape shape;
  };
  const Matrix matrices[] = {{layer.out, "attn_output.weight", {w, w}},
                             {layer.up, "ffn_up.weight", {inner(), w}},
                             {layer.down, "ffn_down.weight", {w, inner()}}};
  for (const Matrix& matrix : matrices) {
    auto read = rows_of(name(matrix.name), matrix.shape);
    if (!read) return read.error();
    matrix.to = std::move(*read);
  }
  struct Vector {
    std::vector<float>& to;
    const char* name;
    size_t size;
  };
  const Vector vectors[] = {
      {layer.in_bias, "attn_q.bias", w},
      {layer.in_bias, "attn_k.bias", w},
      {layer.in_bias, "attn_v.bias", w},
      {layer.out_bias, "attn_output.bias", w},
      {layer.out_gain, "attn_output_norm.weight", w},
      {layer.out_shift, "attn_output_norm.bias", w},
      {layer.up_bias, "ffn_up.bias", inner()},
      {layer.down_bias, "ffn_down.bias", w},
      {layer.down_gain, "layer_output_norm.weight", w},
      {layer.down_shift, "layer_output_norm.bias", w},
  };
  for (const Vector& part : vectors) {
    if (auto read = append(name(part.name), {1, part.size}, part.to); !read) return read.error();
  }
  return layer;
}

void BertFile::word(size_t id, float* row) const {
  const size_t bytes = row_bytes(words_->type, width());
  read_row(words_->type, bytes_.bytes().data() + words_->offset + id * bytes, width(), row);
}

}  // namespace tinyarms::encoder
