// MPNet with random weights, imported and embedded with, against 64-bit floats.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/temporary_folder.h"
#include "encoder/bert_file.h"
#include "encoder/dnnl_library.h"
#include "encoder/encoder_memory.h"
#include "encoder/relative_bias.h"
#include "encoder/text_encoder.h"
#include "encoder/text_reranker.h"
#include "engine/bert_import.h"
#include "engine/model_facts.h"
#include "engine/tiny_mpnet.h"

namespace tinyarms::encoder {
namespace {

using engine::testing::TinyMpnet;

class MpnetTest : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_ / "model.gguf"; }

  Result<void> import(const TinyMpnet& model,
                      engine::EncoderType type = engine::EncoderType::F32) const {
    model.write(folder_ / "source");
    return engine::import_bert(folder_ / "source", file(), type);
  }
  ErrorCode refusal(const TinyMpnet& model) const {
    auto imported = import(model);
    EXPECT_FALSE(imported);
    EXPECT_FALSE(std::filesystem::exists(file())) << "something was left behind";
    return imported ? ErrorCode::Internal : imported.error().code;
  }
  // Of the imported file with `from` in place of the first `to`, as long.
  ErrorCode damaged(std::string from, std::string to) const {
    EXPECT_EQ(from.size(), to.size());
    std::string bytes = read_bytes(file());
    const size_t at = bytes.find(from);
    EXPECT_NE(at, std::string::npos);
    bytes.replace(at, from.size(), to);
    return opened(bytes);
  }
  ErrorCode opened(const std::string& bytes) const {
    write_bytes(folder_ / "damaged.gguf", bytes);
    auto loaded = load_text_encoder(folder_ / "damaged.gguf", {.threads = 1, .precision = {}});
    EXPECT_FALSE(loaded);
    return loaded ? ErrorCode::Internal : loaded.error().code;
  }

  TemporaryFolder folder_;
};

// What needs oneDNN, which ./setup/install brings and a machine of one's own may lack.
class MpnetOnednnTest : public MpnetTest {
 protected:
  void SetUp() override {
    if (!dnnl_library()) {
      GTEST_SKIP() << "SKIPPED: oneDNN is missing, so no vector of MPNet's is held against the "
                      "reference here: apt-get install libdnnl2";
    }
  }
};

// "a" 9, "list" 8, "re" 6, "##verse" 7, "," 10, "##s" 11, "sort" 12, [UNK] 5.
struct Text {
  std::string words;
  std::vector<int32_t> ids = {0};
};

Text text_of(size_t tokens) {
  struct Word {
    const char* text;
    int32_t id;
  };
  constexpr Word kWords[] = {{"sort", 12}, {"a", 9}, {"list", 8}, {"<s>x", -1}, {",", 10}};
  Text made;
  for (size_t i = 0; made.ids.size() + 1 < tokens; ++i) {
    const Word& word = kWords[(i * i + i / 3) % 5];
    made.words += word.id < 0 ? std::string("zebra ") : std::string(word.text) + " ";
    made.ids.push_back(word.id < 0 ? 5 : word.id);
  }
  made.ids.push_back(2);
  return made;
}

double cosine_of(const std::vector<float>& a, const std::vector<double>& b) {
  double product = 0;
  for (size_t i = 0; i < a.size(); ++i) product += a[i] * b[i];
  return product;  // both are of length 1
}

TEST(RelativeBiasTest, BucketsAreThoseCountedByHand) {
  const RelativeShape shape{.buckets = 32, .heads = 1, .farthest = 128, .tokens = 600};
  for (int distance = -600; distance <= 600; ++distance) {
    EXPECT_EQ(relative_bucket(distance, shape), size_t(TinyMpnet::bucket(distance))) << distance;
  }
}

TEST(RelativeBiasTest, ARowIsTheBiasTowardsEveryToken) {
  std::vector<float> table(64);
  for (size_t i = 0; i < table.size(); ++i) table[i] = static_cast<float>(i);
  const RelativeShape shape{.buckets = 32, .heads = 2, .farthest = 128, .tokens = 150};
  const RelativeBias bias(table, shape);
  for (const int from : {0, 1, 75, 149}) {
    for (int to = 0; to < 150; ++to) {
      EXPECT_EQ(bias.row(1, size_t(from))[to], float(TinyMpnet::bucket(to - from) * 2 + 1));
    }
  }
  EXPECT_EQ(RelativeBias().row(0, 0), nullptr);
  EXPECT_FALSE(RelativeBias::plausible(0, 128));
  EXPECT_FALSE(RelativeBias::plausible(30, 128));
  EXPECT_FALSE(RelativeBias::plausible(32, 8));
  EXPECT_FALSE(RelativeBias::plausible(UINT64_MAX, UINT64_MAX));
}

TEST_F(MpnetOnednnTest, EmbedsAsTheReferenceDoes) {
  const TinyMpnet model;
  ASSERT_TRUE(import(model));
  struct Case {
    Precision precision;
    int threads;
    double cosine;
  };
  for (const Case& each : {Case{Precision::F32, 1, 0.999999}, Case{Precision::F32, 3, 0.999999},
                           Case{Precision::BF16, 2, 0.9999}}) {
    if (!supports(each.precision)) continue;
    auto loaded = load_text_encoder(file(), {.threads = each.threads,
                                             .precision = each.precision});
    ASSERT_TRUE(loaded) << loaded.error().message();
    std::vector<std::string> texts;
    std::vector<Text> made;
    for (const size_t tokens : {2, 3, 4, 9, 17, 33, 64, 129, 250, 384}) {
      made.push_back(text_of(tokens));
      texts.push_back(made.back().words);
      auto ids = (*loaded)->tokenize(texts.back());
      ASSERT_TRUE(ids);
      EXPECT_EQ(*ids, made.back().ids);
    }
    auto together = (*loaded)->embed(texts);
    ASSERT_TRUE(together) << together.error().message();
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto expected = model.embed(made[i].ids);
      EXPECT_GE(cosine_of((*together)[i].values, expected), each.cosine)
          << made[i].ids.size() << " tokens";
      auto alone = (*loaded)->embed(std::vector<std::string>{texts[i]});
      ASSERT_TRUE(alone);
      EXPECT_EQ((*alone)[0].parts, 1);
      EXPECT_GE(cosine_of((*alone)[0].values, expected), each.cosine);
    }
  }
}

// What a decoder of the wrong kind would do to it must show in the test above.
TEST_F(MpnetTest, TheBiasMatters) {
  TinyMpnet model;
  const auto ids = text_of(64).ids;
  const auto with = model.embed(ids);
  for (float& value : model.weights["encoder.relative_attention_bias.weight"]) value = 0;
  const auto without = model.embed(ids);
  double product = 0;
  for (size_t i = 0; i < with.size(); ++i) product += with[i] * without[i];
  EXPECT_LT(product, 0.999);
}

TEST_F(MpnetTest, TheFileSaysWhatItIs) {
  ASSERT_TRUE(import(TinyMpnet()));
  auto facts = engine::inspect_model(file());
  ASSERT_TRUE(facts) << facts.error().message();
  EXPECT_EQ(facts->architecture, "mpnet");
  EXPECT_TRUE(facts->encoder);
  EXPECT_FALSE(facts->reranker);
  EXPECT_EQ(facts->context_tokens, 384u);
  EXPECT_EQ(runs_on_onednn(*facts), dnnl_library().has_value());
  auto refused = engine::Embedder::load(file(), 1);
  ASSERT_FALSE(refused) << "libllama knows no MPNet";
  EXPECT_EQ(refused.error().code, ErrorCode::Unsupported);
}

TEST_F(MpnetOnednnTest, SmallerTypesEmbedToo) {
  const TinyMpnet model;
  const Text text = text_of(40);
  for (const auto type : {engine::EncoderType::F16, engine::EncoderType::Q8_0}) {
    ASSERT_TRUE(import(model, type));
    auto loaded = load_text_encoder(file(), {.threads = 1, .precision = Precision::F32});
    ASSERT_TRUE(loaded) << loaded.error().message();
    auto embedded = (*loaded)->embed(std::vector<std::string>{text.words});
    ASSERT_TRUE(embedded);
    EXPECT_GE(cosine_of((*embedded)[0].values, model.embed(text.ids)), 0.995);
  }
}

TEST_F(MpnetTest, FoldersThatContradictThemselvesAreRefused) {
  const auto with = [&](const char* key, nlohmann::json value) {
    TinyMpnet model;
    model.config[key] = std::move(value);
    return refusal(model);
  };
  EXPECT_EQ(with("relative_attention_num_buckets", 64), ErrorCode::Corrupt);
  EXPECT_EQ(with("relative_attention_num_buckets", 0), ErrorCode::Corrupt);
  EXPECT_EQ(with("relative_attention_num_buckets", 30), ErrorCode::Corrupt);
  EXPECT_EQ(with("relative_attention_num_buckets", "32"), ErrorCode::Corrupt);
  EXPECT_EQ(with("max_position_embeddings", 512), ErrorCode::Corrupt);
  EXPECT_EQ(with("max_position_embeddings", 4), ErrorCode::Corrupt);
  EXPECT_EQ(with("pad_token_id", 0), ErrorCode::Unsupported);
  EXPECT_EQ(with("architectures", {"MPNetForSequenceClassification"}), ErrorCode::Unsupported);
  TinyMpnet moved;
  moved.vocabulary = "<pad>\n<s>" + moved.vocabulary.substr(std::strlen("<s>\n<pad>"));
  EXPECT_EQ(refusal(moved), ErrorCode::Corrupt);
  TinyMpnet bert;
  bert.vocabulary.replace(0, 3, "[s]");
  EXPECT_EQ(refusal(bert), ErrorCode::Unsupported);
  TinyMpnet nan;
  nan.weights["encoder.relative_attention_bias.weight"][5] = NAN;
  EXPECT_EQ(refusal(nan), ErrorCode::Corrupt);
  TinyMpnet bare;
  bare.weights.erase("encoder.relative_attention_bias.weight");
  EXPECT_EQ(refusal(bare), ErrorCode::Corrupt);
}

TEST_F(MpnetOnednnTest, DamagedFilesAreRefused) {
  TinyMpnet model;
  auto& table = model.weights["encoder.relative_attention_bias.weight"];
  table[3] = 2e6f;
  ASSERT_TRUE(import(model));
  EXPECT_EQ(opened(read_bytes(file())), ErrorCode::Corrupt) << "absurd bias";
  table[3] = 0.123456f;
  ASSERT_TRUE(import(model));
  EXPECT_EQ(damaged("attn_rel_b.weight", "attn_rel_c.weight"), ErrorCode::Corrupt);
  EXPECT_EQ(damaged("mpnet.attention.relative_buckets_count",
                    "mpnet.attention.relative_buckets_other"), ErrorCode::Corrupt);
  EXPECT_EQ(damaged("mpnet.attention.relative_max_distance",
                    "mpnet.attention.relative_max_distaste"), ErrorCode::Corrupt);
  EXPECT_EQ(damaged("tokenizer.ggml.padding_token_id", "tokenizer.ggml.padding_token_ix"),
            ErrorCode::Corrupt);
  EXPECT_EQ(damaged("tokenizer.ggml.seperator_token_id", "tokenizer.ggml.seperator_token_ix"),
            ErrorCode::Corrupt);
  std::string bytes = read_bytes(file());
  const float value = 0.123456f, nan = std::numeric_limits<float>::quiet_NaN();
  const size_t at = bytes.find(std::string(reinterpret_cast<const char*>(&value), 4));
  ASSERT_NE(at, std::string::npos);
  std::memcpy(bytes.data() + at, &nan, sizeof nan);
  EXPECT_EQ(opened(bytes), ErrorCode::Corrupt);
}

}  // namespace
}  // namespace tinyarms::encoder
