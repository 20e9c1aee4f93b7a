// The weights of a BERT encoder in a GGUF file: absolute positions, GELU, norms after each block, a
// WordPiece vocabulary. Or of MPNet, which has no token types, begins its positions after that of
// padding, and has one table of relative positions for all layers. Names: the GGUF specification;
// MPNet's, which it lacks, are those of engine/bert_import.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "encoder/relative_bias.h"
#include "encoder/wordpiece.h"
#include "engine/gguf_header.h"
#include "engine/mapped_file.h"
#include "engine/model_facts.h"

namespace tinyarms::encoder {

// Rank: a score of a pair of texts, by a classifier over the first token.
enum class Pooling { Mean, Cls, Last, Rank };

// Rows of a matrix: the file's own bytes where it holds floats, else floats made of them. No longer
// than the file is open.
class BertMatrix {
 public:
  BertMatrix() = default;
  explicit BertMatrix(std::span<const float> mapped) : values_(mapped) {}
  explicit BertMatrix(std::vector<float> made) : made_(std::move(made)), values_(made_) {}
  BertMatrix(BertMatrix&&) = default;
  BertMatrix& operator=(BertMatrix&&) = default;

  std::span<const float> values() const { return values_; }

 private:
  std::vector<float> made_;
  std::span<const float> values_;  // of `made_`, or of the file
};

struct BertLayer {
  BertMatrix in;  // queries, keys, values: 3 × width rows of width
  std::vector<float> in_bias;
  BertMatrix out;  // width × width
  std::vector<float> out_bias;
  std::vector<float> out_gain;
  std::vector<float> out_shift;
  BertMatrix up;  // inner × width
  std::vector<float> up_bias;
  BertMatrix down;  // width × inner
  std::vector<float> down_bias;
  std::vector<float> down_gain;
  std::vector<float> down_shift;
};

// What turns the first token's vector into a score: out · tanh(dense × x + dense_bias) + out_bias,
// or out · x + out_bias where `dense` is empty.
struct BertClassifier {
  std::vector<float> dense;  // width × width
  std::vector<float> dense_bias;
  std::vector<float> out;  // width
  float out_bias = 0;
};

// Keeps the file mapped: rows of the word table are read when they are needed.
class BertFile {
 public:
  // Errors: those of inspect_model; Corrupt (a weight missing, of another shape); Unsupported
  // (another architecture, vocabulary or type of weights: one that libllama may know).
  static Result<BertFile> open(const std::filesystem::path& path);

  const engine::ModelFacts& facts() const { return facts_; }
  size_t width() const { return facts_.embedding_width; }
  size_t inner() const { return facts_.feed_forward_width; }
  size_t heads() const { return facts_.heads; }
  size_t vocabulary() const { return vocabulary_; }
  float epsilon() const { return epsilon_; }
  Pooling pooling() const { return pooling_; }
  int32_t begin_token() const { return begin_; }
  int32_t end_token() const { return end_; }
  WordPiece take_tokenizer() { return std::move(tokenizer_); }

  // `positions`: as many rows as the window has tokens, the first token type added.
  Result<std::vector<float>> positions() const;
  Result<std::vector<float>> vector(std::string_view name, size_t size) const;
  Result<BertLayer> layer(size_t index) const;
  // What a token of the second type has over one of the first; empty where there is one type.
  Result<std::vector<float>> type_step() const;
  Result<RelativeBias> relative_bias() const;  // empty where it is BERT
  Result<BertClassifier> classifier() const;  // of a file pooled by Rank

  // `id` < vocabulary(); adds nothing, overwrites `row`.
  void word(size_t id, float* row) const;

 private:
  BertFile(engine::MappedFile bytes, engine::GgufHeader header, engine::ModelFacts facts,
           WordPiece tokenizer)
      : bytes_(std::move(bytes)),
        header_(std::move(header)),
        facts_(std::move(facts)),
        tokenizer_(std::move(tokenizer)) {}

  struct Shape {
    size_t rows = 0;
    size_t columns = 0;
  };
  Result<const engine::GgufTensor*> tensor(std::string_view name, Shape shape) const;
  Result<std::vector<float>> matrix(std::string_view name, size_t rows, size_t columns) const;
  Result<BertMatrix> rows_of(std::string_view name, Shape shape) const;
  Result<void> append(std::string_view name, Shape shape, std::vector<float>& to) const;
  Result<void> check();
  Result<void> check_relatives() const;
  Result<void> check_words();

  engine::MappedFile bytes_;
  engine::GgufHeader header_;
  engine::ModelFacts facts_;
  WordPiece tokenizer_;
  const engine::GgufTensor* words_ = nullptr;
  size_t vocabulary_ = 0;
  float epsilon_ = 0;
  Pooling pooling_ = Pooling::Mean;
  size_t first_position_ = 0;  // the row of the first token's
  int32_t begin_ = -1;
  int32_t end_ = -1;
};

}  // namespace tinyarms::encoder
