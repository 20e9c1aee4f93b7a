// With an encoder of two layers and a dozen tokens, written as sentence-transformers publishes.
#include "engine/bert_import.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "engine/embedder.h"
#include "engine/tiny_model.h"

namespace tinyarms::engine {
namespace {

using nlohmann::json;
using testing::TemporaryFolder;

constexpr int kWidth = 64;
constexpr int kInner = 96;

class BertImportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    config_ = {{"model_type", "bert"},       {"hidden_size", kWidth},
               {"num_hidden_layers", 2},     {"num_attention_heads", 4},
               {"intermediate_size", kInner}, {"max_position_embeddings", 32},
               {"type_vocab_size", 2},       {"vocab_size", 12},
               {"layer_norm_eps", 1e-12},    {"hidden_act", "gelu"}};
    vocabulary_ = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nre\n##verse\nlist\na\n,\n##s\nsort\n";
    add("embeddings.word_embeddings.weight", {12, kWidth});
    add("embeddings.position_embeddings.weight", {32, kWidth});
    add("embeddings.token_type_embeddings.weight", {2, kWidth});
    add_norm("embeddings.LayerNorm");
    for (const std::string layer : {"encoder.layer.0.", "encoder.layer.1."}) {
      add_dense(layer + "attention.self.query", kWidth, kWidth);
      add_dense(layer + "attention.self.key", kWidth, kWidth);
      add_dense(layer + "attention.self.value", kWidth, kWidth);
      add_dense(layer + "attention.output.dense", kWidth, kWidth);
      add_norm(layer + "attention.output.LayerNorm");
      add_dense(layer + "intermediate.dense", kInner, kWidth);
      add_dense(layer + "output.dense", kWidth, kInner);
      add_norm(layer + "output.LayerNorm");
    }
  }

  void add(const std::string& name, std::vector<int> shape) {
    size_t count = 1;
    for (const int extent : shape) count *= static_cast<size_t>(extent);
    const size_t begin = data_.size();
    for (size_t i = 0; i < count; ++i) {
      const float value = std::sin(static_cast<float>(begin + i) * 0.37f) * 0.4f;
      data_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
    table_[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, data_.size()}}};
  }
  void add_dense(const std::string& name, int rows, int columns) {
    add(name + ".weight", {rows, columns});
    add(name + ".bias", {rows});
  }
  void add_norm(const std::string& name) {
    add(name + ".weight", {kWidth});
    add(name + ".bias", {kWidth});
  }

  void write() {
    testing::write_bytes(source() / "config.json", config_.dump());
    testing::write_bytes(source() / "vocab.txt", vocabulary_);
    testing::write_bytes(source() / "sentence_bert_config.json", R"({"max_seq_length": 8})");
    testing::write_bytes(source() / "README.md", "---\nlanguage: en\nlicense: mit\n---\n");
    const std::string table = table_.dump();
    const uint64_t length = table.size();
    testing::write_bytes(
        source() / "model.safetensors",
        std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + table + data_);
  }

  std::filesystem::path source() const { return folder_ / "tiny-encoder"; }
  std::filesystem::path target() const { return folder_ / "out.gguf"; }

  ErrorCode refusal() {
    write();
    auto imported = import_bert(source(), target(), EncoderType::F32);
    EXPECT_FALSE(imported);
    EXPECT_EQ(folder_.files(), 1u) << "something was left behind";
    return imported ? ErrorCode::Internal : imported.error().code;
  }

  TemporaryFolder folder_;
  json config_;
  json table_ = json::object();
  std::string vocabulary_;
  std::string data_;
};

TEST_F(BertImportTest, WritesWhatTheEngineEmbedsWith) {
  write();
  for (const EncoderType type : {EncoderType::F32, EncoderType::F16, EncoderType::Q8_0}) {
    auto imported = import_bert(source(), target(), type);
    ASSERT_TRUE(imported) << imported.error().message();
    auto facts = inspect_model(target());
    ASSERT_TRUE(facts) << facts.error().message();
    EXPECT_TRUE(facts->encoder);
    EXPECT_EQ(facts->name, "tiny-encoder");
    EXPECT_EQ(facts->licence, "mit");
    EXPECT_EQ(facts->context_tokens, 8u);
    EXPECT_EQ(facts->vocabulary, 12u);

    auto embedder = Embedder::load(target(), 1);
    ASSERT_TRUE(embedder) << embedder.error().message();
    EXPECT_EQ((*embedder)->dimensions(), kWidth);
    auto ids = (*embedder)->tokenize("Reverse a lists, x");
    ASSERT_TRUE(ids);
    EXPECT_EQ(*ids, (std::vector<int32_t>{2, 5, 6, 8, 7, 10, 9, 3})) << "cut to eight";
    const std::vector<std::string> texts = {"reverse", "sort a list", "reverse", ""};
    auto embeddings = (*embedder)->embed(texts);
    ASSERT_TRUE(embeddings) << embeddings.error().message();
    ASSERT_EQ(embeddings->size(), 4u);
    for (const Embedding& embedding : *embeddings) {
      double squares = 0;
      for (const float value : embedding.values) squares += double(value) * value;
      EXPECT_NEAR(squares, 1, 1e-5);
      EXPECT_FALSE(embedding.truncated);
    }
    EXPECT_EQ((*embeddings)[0].values.size(), size_t{kWidth});
    EXPECT_NE((*embeddings)[0].values, (*embeddings)[1].values);
    const std::vector<std::string> long_text = {"reverse a lists, sort a list"};
    auto cut = (*embedder)->embed(long_text);
    ASSERT_TRUE(cut);
    EXPECT_GT((*cut)[0].parts, 1);
    EXPECT_FALSE((*cut)[0].truncated);
  }
}

TEST_F(BertImportTest, OneTextEmbedsAlikeAloneAndAmongMany) {
  write();
  ASSERT_TRUE(import_bert(source(), target(), EncoderType::F32));
  auto embedder = Embedder::load(target(), 1);
  ASSERT_TRUE(embedder);
  std::vector<std::string> texts;
  for (int i = 0; i < 100; ++i) texts.push_back(i % 3 == 0 ? "sort a list" : "reverse, a");
  auto many = (*embedder)->embed(texts);
  ASSERT_TRUE(many);
  ASSERT_EQ(many->size(), 100u);
  const std::vector<std::string> single = {"sort a list"};
  auto one = (*embedder)->embed(single);
  ASSERT_TRUE(one);
  for (size_t i = 0; i < one->front().values.size(); ++i) {
    EXPECT_NEAR((*many)[99].values[i], one->front().values[i], 1e-5);
  }
  EXPECT_TRUE((*embedder)->embed({})->empty());
}

TEST_F(BertImportTest, HostileTextsAreHandled) {
  write();
  ASSERT_TRUE(import_bert(source(), target(), EncoderType::F32));
  auto embedder = Embedder::load(target(), 1);
  ASSERT_TRUE(embedder);
  const std::vector<std::string> invalid = {"a\xFF"};
  EXPECT_EQ((*embedder)->embed(invalid).error().code, ErrorCode::InvalidArgument);
  std::string endless;
  while (endless.size() < 1'000'000) endless += "list ";
  const std::vector<std::string> texts = {endless, std::string(10'000'000, 'x'),
                                          std::string("\0a", 2), "[SEP] [CLS]"};
  auto embeddings = (*embedder)->embed(texts);
  ASSERT_TRUE(embeddings) << embeddings.error().message();
  EXPECT_TRUE((*embeddings)[0].truncated);
  auto ids = (*embedder)->tokenize("[SEP]");
  ASSERT_TRUE(ids);
  EXPECT_EQ(std::count(ids->begin(), ids->end(), 3), 1) << "only the closing one is special";
}

TEST_F(BertImportTest, MissingFilesAreNamed) {
  auto nothing = import_bert(source(), target(), EncoderType::F32);
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, ErrorCode::NotFound);
  for (const std::string file : {"config.json", "vocab.txt", "model.safetensors"}) {
    write();
    std::filesystem::remove(source() / file);
    auto imported = import_bert(source(), target(), EncoderType::F32);
    ASSERT_FALSE(imported);
    EXPECT_EQ(imported.error().code, ErrorCode::NotFound);
    EXPECT_NE(imported.error().where.find(file), std::string::npos);
  }
  EXPECT_FALSE(std::filesystem::exists(target()));
}

TEST_F(BertImportTest, OtherArchitecturesAreUnsupported) {
  config_["model_type"] = "roberta";
  EXPECT_EQ(refusal(), ErrorCode::Unsupported);
  config_["model_type"] = "bert";
  config_["hidden_act"] = "silu";
  EXPECT_EQ(refusal(), ErrorCode::Unsupported);
  config_["hidden_act"] = "gelu";
  config_["position_embedding_type"] = "relative_key";
  EXPECT_EQ(refusal(), ErrorCode::Unsupported);
}

TEST_F(BertImportTest, OtherPoolingsAndLayersAreUnsupported) {
  testing::write_bytes(source() / "1_Pooling" / "config.json",
                       R"({"pooling_mode_max_tokens": true})");
  EXPECT_EQ(refusal(), ErrorCode::Unsupported);
  testing::write_bytes(source() / "1_Pooling" / "config.json",
                       R"({"pooling_mode_mean_tokens": true})");
  testing::write_bytes(source() / "modules.json",
                       R"([{"type": "sentence_transformers.models.Dense"}])");
  EXPECT_EQ(refusal(), ErrorCode::Unsupported);
}

TEST_F(BertImportTest, ConfigurationsThatContradictTheFilesAreCorrupt) {
  const json good = config_;
  for (const auto& [key, value] : std::vector<std::pair<std::string, json>>{
           {"hidden_size", 128}, {"hidden_size", -1}, {"hidden_size", "64"},
           {"num_attention_heads", 5}, {"num_hidden_layers", 3}, {"num_hidden_layers", 0},
           {"vocab_size", 13}, {"max_position_embeddings", 16}, {"layer_norm_eps", 7}}) {
    config_ = good;
    config_[key] = value;
    EXPECT_EQ(refusal(), ErrorCode::Corrupt) << key << " " << value;
  }
}

TEST_F(BertImportTest, VocabulariesThatAreNotWordPiece) {
  const std::string good = vocabulary_;
  vocabulary_ = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\n";
  EXPECT_EQ(refusal(), ErrorCode::Unsupported);
  vocabulary_ = good.substr(0, good.size() - 5) + "list\n";
  EXPECT_EQ(refusal(), ErrorCode::Corrupt);
  vocabulary_ = good.substr(0, good.size() - 5) + "\xFF\n";
  EXPECT_EQ(refusal(), ErrorCode::Corrupt);
  vocabulary_ = good + "more\n";
  EXPECT_EQ(refusal(), ErrorCode::Corrupt);
  vocabulary_ = "";
  EXPECT_EQ(refusal(), ErrorCode::Unsupported);
}

TEST_F(BertImportTest, TruncatedWeightsLeaveNothingBehind) {
  data_.resize(data_.size() - 4);
  EXPECT_EQ(refusal(), ErrorCode::Corrupt);
}

TEST_F(BertImportTest, AnUnwritableDestinationIsAnIoError) {
  write();
  auto imported = import_bert(source(), folder_ / "no" / "such" / "out.gguf", EncoderType::F32);
  ASSERT_FALSE(imported);
  EXPECT_EQ(imported.error().code, ErrorCode::Io);
  EXPECT_EQ(import_bert(source(), "/dev/full/x.gguf", EncoderType::F32).error().code,
            ErrorCode::Io);
}

}  // namespace
}  // namespace tinyarms::engine
