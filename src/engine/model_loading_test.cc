#include "engine/language_model.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <utility>

#include "engine/embedder.h"
#include "engine/generator.h"
#include "engine/tiny_model.h"

namespace tinyarms::engine {
namespace {

using testing::GgufBytes;
using testing::TemporaryFolder;

TEST(LanguageModel, LoadsATinyModel) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  auto model = LanguageModel::load(folder / "tiny.gguf");
  ASSERT_TRUE(model) << model.error().message();
  EXPECT_EQ((*model)->facts().name, "Tiny");
  EXPECT_NE((*model)->handle(), nullptr);
}

TEST(LanguageModel, RefusesBadFilesByKind) {
  TemporaryFolder folder;
  const auto code = [&](const std::string& name, const std::string& bytes) {
    testing::write_bytes(folder / name, bytes);
    auto model = LanguageModel::load(folder / name);
    EXPECT_FALSE(model) << name;
    return model ? ErrorCode::Internal : model.error().code;
  };
  testing::write_tiny_model(folder / "tiny.gguf");
  const std::string good = testing::read_bytes(folder / "tiny.gguf");
  EXPECT_EQ(LanguageModel::load(folder / "missing.gguf").error().code, ErrorCode::NotFound);
  EXPECT_EQ(code("empty.gguf", ""), ErrorCode::Corrupt);
  EXPECT_EQ(code("noise.gguf", std::string(50'000, '\x33')), ErrorCode::Corrupt);
  EXPECT_EQ(code("half.gguf", good.substr(0, good.size() / 2)), ErrorCode::Corrupt);
  EXPECT_EQ(code("bare.gguf", GgufBytes(3, 0, 1).text_pair("general.architecture", "llama")
                                  .bytes()), ErrorCode::Corrupt);
  EXPECT_EQ(code("encoder.gguf", GgufBytes(3, 0, 1).text_pair("general.architecture", "bert")
                                     .bytes()), ErrorCode::Unsupported);
}

TEST(LanguageModel, AnUnknownArchitectureIsNamed) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "odd.gguf", {.architecture = "nonesuch"});
  auto model = LanguageModel::load(folder / "odd.gguf");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::Unsupported);
  EXPECT_NE(model.error().what.find("nonesuch"), std::string::npos) << model.error().what;
}

// Overwrites a number in the header.
void patch(std::string& bytes, const std::string& key, uint32_t value) {
  const size_t at = bytes.find(key);
  ASSERT_NE(at, std::string::npos) << key;
  std::memcpy(bytes.data() + at + key.size() + sizeof(int32_t), &value, sizeof(value));
}

TEST(LanguageModel, ImplausibleSettingsAreRefusedBeforeTheEngineSeesThem) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  const std::string good = testing::read_bytes(folder / "tiny.gguf");
  const std::pair<const char*, uint32_t> lies[] = {
      {"llama.block_count", 0},          {"llama.block_count", 4'000'000'000},
      {"llama.block_count", 2},          {"llama.embedding_length", 0},
      {"llama.embedding_length", ~0u},   {"llama.attention.head_count", 0},
      {"llama.attention.head_count", 7}, {"llama.attention.head_count_kv", 3},
      {"llama.attention.head_count_kv", 0}, {"llama.context_length", 0},
      {"llama.feed_forward_length", 7},
      {"llama.attention.layer_norm_rms_epsilon", 0xBF800000},  // −1
      {"tokenizer.ggml.bos_token_id", 1'000'000},
  };
  for (const auto& [key, value] : lies) {
    std::string bytes = good;
    patch(bytes, key, value);
    testing::write_bytes(folder / "odd.gguf", bytes);
    auto model = LanguageModel::load(folder / "odd.gguf");
    if (model) {  // the engine ignores an impossible token and says so
      EXPECT_STREQ(key, "tokenizer.ggml.bos_token_id") << value;
      continue;
    }
    EXPECT_EQ(model.error().code, ErrorCode::Corrupt) << key << " " << value;
  }
}

// libllama asserts that they differ.
TEST(LanguageModel, ATokenTwiceIsRefused) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  std::string bytes = testing::read_bytes(folder / "tiny.gguf");
  const size_t at = bytes.find("<|im_start|>");
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at, 12, std::string("x\0" "234567890ab", 12));  // ends at its NUL: "x" again
  testing::write_bytes(folder / "tiny.gguf", bytes);
  auto model = LanguageModel::load(folder / "tiny.gguf");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::Corrupt);
  EXPECT_NE(model.error().what.find("twice"), std::string::npos) << model.error().what;
}

// A missing tensor is the engine's own finding: its words come through, and nothing is printed.
TEST(LanguageModel, TheEnginesWordsAreInTheError) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  std::string bytes = testing::read_bytes(folder / "tiny.gguf");
  const size_t at = bytes.find("blk.0.attn_q.weight");
  ASSERT_NE(at, std::string::npos);
  bytes[at + 6] = 'x';
  testing::write_bytes(folder / "tiny.gguf", bytes);
  ::testing::internal::CaptureStderr();
  ::testing::internal::CaptureStdout();
  auto model = LanguageModel::load(folder / "tiny.gguf");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::Corrupt);
  EXPECT_NE(model.error().what.find("attn_q"), std::string::npos) << model.error().what;
}

TEST(Embedder, RefusesAGenerativeModelAndBadFiles) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  EXPECT_EQ(Embedder::load(folder / "tiny.gguf", 1).error().code, ErrorCode::Unsupported);
  EXPECT_EQ(Embedder::load(folder / "none.gguf", 1).error().code, ErrorCode::NotFound);
  testing::write_bytes(folder / "bare.gguf",
                       GgufBytes(3, 0, 1).text_pair("general.architecture", "bert").bytes());
  EXPECT_EQ(Embedder::load(folder / "bare.gguf", 1).error().code, ErrorCode::Corrupt);
}

// Settings, shapes, vocabulary and weights that lie in ways the file's own checks cannot see: an
// error or an answer, never a crash.
TEST(LanguageModel, SurvivesMutations) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  const std::string good = testing::read_bytes(folder / "tiny.gguf");
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const size_t settings = good.find("tokenizer.ggml.tokens");
  const size_t header = good.find("blk.0.attn_norm.weight");
  ASSERT_NE(settings, std::string::npos);
  ASSERT_NE(header, std::string::npos);
  int loaded = 0;
  for (int round = 0; round < 200; ++round) {
    std::string bytes = good;
    const size_t end = round % 2 == 0 ? settings : round % 8 == 1 ? bytes.size() : header;
    bytes[24 + random() % (end - 24)] = static_cast<char>(random());
    testing::write_bytes(folder / "mutant.gguf", bytes);
    auto model = LanguageModel::load(folder / "mutant.gguf");
    if (!model) {
      EXPECT_FALSE(model.error().what.empty());
      continue;
    }
    ++loaded;
    auto generator = Generator::create(**model, {.context_tokens = 256, .threads = 1});
    if (!generator) continue;
    const std::vector<ChatMessage> messages = {{"user", "the <|im_end|>"}};
    const StopFlag stop;
    auto answer = (*generator)->generate(messages, {.tokens_max = 2}, stop, {});
    EXPECT_TRUE(answer || !answer.error().what.empty());
  }
  EXPECT_GT(loaded, 20);
}

}  // namespace
}  // namespace tinyarms::engine
