#include "engine/model_facts.h"

#include <gtest/gtest.h>

#include <random>

#include "engine/tiny_model.h"

namespace tinyarms::engine {
namespace {

using testing::GgufBytes;
using testing::TemporaryFolder;

TEST(InspectModel, TellsWhatATinyModelIs) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf", {.layers = 3});
  auto facts = inspect_model(folder / "tiny.gguf");
  ASSERT_TRUE(facts) << facts.error().message();
  EXPECT_EQ(facts->architecture, "llama");
  EXPECT_EQ(facts->name, "Tiny");
  EXPECT_EQ(facts->licence, "apache-2.0");
  EXPECT_EQ(facts->quantization, "F32");
  EXPECT_EQ(facts->layers, 3u);
  EXPECT_EQ(facts->embedding_width, 64u);
  EXPECT_EQ(facts->feed_forward_width, 96u);
  EXPECT_EQ(facts->heads, 2u);
  EXPECT_EQ(facts->kv_heads, 1u);
  EXPECT_EQ(facts->key_width, 32u);
  EXPECT_EQ(facts->value_width, 32u);
  EXPECT_EQ(facts->context_tokens, 512u);
  EXPECT_EQ(facts->vocabulary, 259u);
  EXPECT_FALSE(facts->encoder);
  const uint64_t layer = 64 * 64 * 2 + 64 * 32 * 2 + 64 * 96 * 3 + 2 * 64;
  EXPECT_EQ(facts->parameters, 259 * 64 + 3 * layer + 64);
  EXPECT_EQ(facts->weight_bytes, facts->parameters * 4);
  EXPECT_EQ(facts->file_bytes, std::filesystem::file_size(folder / "tiny.gguf"));
}

TEST(InspectModel, NamesAndTypesComeFromElsewhereWhereTheHeaderIsSilent) {
  TemporaryFolder folder;
  GgufBytes bytes(3, 2, 1);
  bytes.text_pair("general.architecture", "qwen2");
  bytes.tensor("a", {32}, GGML_TYPE_F32, 0).tensor("b", {64}, GGML_TYPE_Q8_0, 128).pad();
  bytes.data(128).data(68);
  testing::write_bytes(folder / "some-model.gguf", bytes.bytes());
  auto facts = inspect_model(folder / "some-model.gguf");
  ASSERT_TRUE(facts) << facts.error().message();
  EXPECT_EQ(facts->name, "some-model");
  EXPECT_EQ(facts->quantization, "Q8_0");
}

TEST(InspectModel, KnowsEncodersByNameAttentionOrPooling) {
  TemporaryFolder folder;
  const auto encoder = [&](GgufBytes bytes) {
    testing::write_bytes(folder / "m.gguf", bytes.bytes());
    auto facts = inspect_model(folder / "m.gguf");
    EXPECT_TRUE(facts) << facts.error().message();
    return facts && facts->encoder;
  };
  EXPECT_TRUE(encoder(GgufBytes(3, 0, 1).text_pair("general.architecture", "bert")));
  EXPECT_FALSE(encoder(GgufBytes(3, 0, 1).text_pair("general.architecture", "qwen3")));
  EXPECT_TRUE(encoder(GgufBytes(3, 0, 2)
                          .text_pair("general.architecture", "qwen3")
                          .count_pair("qwen3.pooling_type", 3)));
  EXPECT_FALSE(encoder(GgufBytes(3, 0, 2)
                           .text_pair("general.architecture", "qwen3")
                           .count_pair("qwen3.pooling_type", 0)));
  EXPECT_TRUE(encoder(GgufBytes(3, 0, 2)
                          .text_pair("general.architecture", "llama")
                          .text("llama.attention.causal")
                          .number(int32_t(GGUF_TYPE_BOOL))
                          .number(uint8_t(0))));
}

TEST(InspectModel, TheWindowCutsTheContext) {
  TemporaryFolder folder;
  GgufBytes bytes(3, 0, 3);
  bytes.text_pair("general.architecture", "bert").count_pair("bert.context_length", 512);
  bytes.count_pair(kWindowKey, 256);
  testing::write_bytes(folder / "m.gguf", bytes.bytes());
  auto facts = inspect_model(folder / "m.gguf");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->context_tokens, 256u);
}

TEST(InspectModel, SaysWhatIsWrongWithAFile) {
  TemporaryFolder folder;
  const auto code = [&](const std::string& name) {
    auto facts = inspect_model(folder / name);
    EXPECT_FALSE(facts) << name;
    if (facts) return ErrorCode::Internal;
    EXPECT_NE(facts.error().where.find(name), std::string::npos);
    EXPECT_FALSE(facts.error().hint.empty());
    return facts.error().code;
  };
  testing::write_bytes(folder / "empty.gguf", "");
  testing::write_bytes(folder / "noise.gguf", std::string(100'000, '\x5A'));
  testing::write_bytes(folder / "silent.gguf", GgufBytes(3, 0, 0).bytes());
  std::filesystem::create_directory(folder / "folder.gguf");
  EXPECT_EQ(code("missing.gguf"), ErrorCode::NotFound);
  EXPECT_EQ(code("empty.gguf"), ErrorCode::Corrupt);
  EXPECT_EQ(code("noise.gguf"), ErrorCode::Corrupt);
  EXPECT_EQ(code("silent.gguf"), ErrorCode::Corrupt);
  EXPECT_EQ(code("folder.gguf"), ErrorCode::Io);
}

// Flips, cuts and splices of a good file: an error or facts, never a crash.
TEST(InspectModel, SurvivesMutations) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  const std::string good = testing::read_bytes(folder / "tiny.gguf");
  const size_t header = 9000;  // the vocabulary and all that follows up to the tensors' list
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = good;
    const int flips = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < flips; ++i) {
      const size_t span = random() % 4 == 0 ? 64 : header;  // counts lie at the front
      bytes[random() % span] = static_cast<char>(random());
    }
    if (random() % 3 == 0) bytes.resize(random() % bytes.size());
    testing::write_bytes(folder / "mutant.gguf", bytes);
    auto facts = inspect_model(folder / "mutant.gguf");
    if (!facts) {
      ++refused;
      EXPECT_FALSE(facts.error().what.empty());
    }
  }
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace tinyarms::engine
