#include "engine/language_model.h"

#include <gtest/gtest.h>

#include <random>

#include "engine/embedder.h"
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

TEST(LanguageModel, ImplausibleSettingsAreRefusedBeforeTheEngineSeesThem) {
  TemporaryFolder folder;
  for (const testing::TinyOptions& options :
       {testing::TinyOptions{.heads = 2, .kv_heads = 0}, testing::TinyOptions{.layers = 0}}) {
    testing::write_tiny_model(folder / "odd.gguf", options);
    auto model = LanguageModel::load(folder / "odd.gguf");
    if (!model) {
      EXPECT_EQ(model.error().code, ErrorCode::Corrupt);
      continue;
    }
    ADD_FAILURE() << "loaded with " << options.layers << " layers, " << options.kv_heads;
  }
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

// Settings and shapes that lie in ways the file's own checks cannot see: an error, never a crash.
TEST(LanguageModel, SurvivesMutatedSettings) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  const std::string good = testing::read_bytes(folder / "tiny.gguf");
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const size_t settings = good.find("tokenizer.ggml.model");
  ASSERT_NE(settings, std::string::npos);
  for (int round = 0; round < 150; ++round) {
    std::string bytes = good;
    bytes[24 + random() % (settings - 24)] = static_cast<char>(random());
    testing::write_bytes(folder / "mutant.gguf", bytes);
    auto model = LanguageModel::load(folder / "mutant.gguf");
    if (!model) {
      EXPECT_FALSE(model.error().what.empty());
    }
  }
}

}  // namespace
}  // namespace tinyarms::engine
