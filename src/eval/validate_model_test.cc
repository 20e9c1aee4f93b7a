// With real weights, over a few short chunks and sentences.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "engine/bert_import.h"
#include "engine/quantize.h"
#include "eval/validate.h"

namespace tinyarms::eval {
namespace {

namespace fs = std::filesystem;

class ValidateModel : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(work_);
  }
  void TearDown() override { fs::remove_all(work_); }
  static fs::path model(const char* name) {
    const char* folder = std::getenv("TINYARMS_TEST_MODELS");
    const fs::path path = fs::path(folder == nullptr ? "" : folder) / name;
    return fs::exists(path) ? path : fs::path();
  }

  fs::path work_ = fs::temp_directory_path() / ("tinyarms-validate-" + std::to_string(::getpid()));
  StopFlag stop_;
};

TEST_F(ValidateModel, ASmallerTypeDivergesMore) {
  const fs::path source = model("smollm2-135m-instruct.q4_1.gguf");
  if (source.empty()) GTEST_SKIP() << "set TINYARMS_TEST_MODELS to the folder that ./setup fills";
  ASSERT_TRUE(engine::quantize(source, work_ / "q8.gguf", {.type = "q8_0"}));
  ASSERT_TRUE(engine::quantize(source, work_ / "q2.gguf", {.type = "q2_k"}));
  ValidateInput input;
  input.reference = {"self", source, "", 0};
  input.candidates = {{"q8_0", work_ / "q8.gguf", "", 0}, {"q2_k", work_ / "q2.gguf", "", 0}};
  input.text = validation_text();
  const auto result =
      validate_generator(input, {.chunk_tokens = 128, .chunks_max = 3}, stop_);
  ASSERT_TRUE(result) << result.error().message();
  ASSERT_EQ(result->candidates.size(), 2u);
  const engine::Comparison& fine = *result->candidates[0].language;
  const engine::Comparison& coarse = *result->candidates[1].language;
  EXPECT_LT(fine.divergence_mean, 0.05);
  EXPECT_GT(coarse.divergence_mean, 3 * fine.divergence_mean);
  EXPECT_GT(fine.same_top, coarse.same_top);
  EXPECT_EQ(fine.candidate.tokens, 3u * 63);
  EXPECT_GT(result->reference.decode_tokens_per_second, 0);
  EXPECT_EQ(result->reference.likelihood->perplexity, fine.reference.perplexity);
}

TEST_F(ValidateModel, QuantisesAndComparesAnEncoder) {
  const fs::path source = model("all-minilm-l6-v2");
  if (source.empty()) GTEST_SKIP() << "set TINYARMS_TEST_MODELS to the folder that ./setup fills";
  ASSERT_TRUE(engine::import_bert(source, work_ / "f32.gguf", engine::EncoderType::F32));
  auto quantised = engine::quantize(work_ / "f32.gguf", work_ / "q8.gguf", {.type = "q8_0"});
  ASSERT_TRUE(quantised) << quantised.error().message();
  ValidateInput input;
  input.reference = {"self", work_ / "f32.gguf", "", 0};
  input.candidates = {{"q8_0", work_ / "q8.gguf", "", 0}};
  input.pairs = {{"A man sits on a chair.", "A man is sitting.", 4.5},
                 {"A dog runs in the park.", "The stock market fell.", 0},
                 {"She reads a book.", "A woman is reading.", 4},
                 {"A child plays the piano.", "Someone plays music.", 3},
                 {"It rains in the north.", "He fixes the compiler.", 0.2}};
  const auto result = validate_encoder(input, {}, stop_);
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_GT(result->reference.encoder->spearman, 0.8);
  const EncoderAgreement& agreement = *result->candidates[0].encoder;
  EXPECT_GT(agreement.cosine_min, 0.98);
  EXPECT_LT(agreement.cosine_min, 1);
  EXPECT_EQ(result->candidates[0].differences.size(), 1u);
}

}  // namespace
}  // namespace tinyarms::eval
