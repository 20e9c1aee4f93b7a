// The store on real weights: what the set-up does with the default models.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>

#include "base/sha256.h"
#include "catalog/model_store.h"

namespace tinyarms::catalog {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMissing =
    "the default models are missing: ./setup/install fetches them, and ctest names their folder in "
    "TINYARMS_TEST_MODELS";

class ModelStoreOnRealWeights : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "catalog-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    const char* models = std::getenv("TINYARMS_TEST_MODELS");
    if (models != nullptr) models_ = models;
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  fs::path folder_;
  fs::path models_;
};

TEST_F(ModelStoreOnRealWeights, ImportsAnEncoderFolder) {
  const fs::path source = models_ / "all-minilm-l6-v2";
  if (!fs::exists(source / "model.safetensors")) GTEST_SKIP() << kMissing;
  const ModelStore store(folder_ / "models");
  auto model = store.import(source / "", {.encoder_type = engine::EncoderType::F16});
  ASSERT_TRUE(model) << model.error().message();
  EXPECT_EQ(model->name, "all-minilm-l6-v2");
  EXPECT_EQ(model->architecture, "bert");
  EXPECT_TRUE(model->encoder);
  EXPECT_EQ(model->sha256, *sha256_file(model->path));
  // The same folder again makes the same bytes, and is done already.
  auto again = store.import(source, {.encoder_type = engine::EncoderType::F16});
  ASSERT_TRUE(again) << again.error().message();
  // Another type under the same name would be another model.
  auto other = store.import(source, {.encoder_type = engine::EncoderType::F32});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(store.list()->size(), 1U);
}

TEST_F(ModelStoreOnRealWeights, AddsAGenerator) {
  const fs::path source = models_ / "smollm2-135m-instruct.q4_1.gguf";
  if (!fs::exists(source)) GTEST_SKIP() << kMissing;
  const ModelStore store(folder_ / "models");
  auto model = store.import(source, {});
  ASSERT_TRUE(model) << model.error().message();
  EXPECT_EQ(model->name, "smollm2-135m-instruct.q4_1");
  EXPECT_EQ(model->quantization, "Q4_1");
  EXPECT_FALSE(model->encoder);
  EXPECT_EQ(model->sha256, "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53");
  EXPECT_EQ(fs::file_size(model->path), fs::file_size(source));
  EXPECT_EQ(store.find("smollm2")->path, model->path);
}

}  // namespace
}  // namespace tinyarms::catalog
