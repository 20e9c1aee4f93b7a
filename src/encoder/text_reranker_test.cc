// With a cross-encoder of two layers and a dozen tokens, against 64-bit floats and libllama.
#include "encoder/text_reranker.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "encoder/dnnl_library.h"
#include "encoder/text_encoder.h"
#include "engine/bert_import.h"
#include "engine/model_facts.h"
#include "engine/tiny_cross_encoder.h"

namespace tinyarms::encoder {
namespace {

using engine::testing::CrossEncoderShape;
using engine::testing::TinyCrossEncoder;

const std::string kQuery = "reverse a list";
const std::vector<std::string> kPassages = {"sort", "reverse, reverse a lists", "a a a",
                                            "list , sort a list unknown", "", "lists"};

// [CLS] 2, [SEP] 3; "reverse" 5 6, "list" 7, "a" 8, "," 9, "s" 10, "sort" 11.
const std::vector<int32_t> kQueryIds = {5, 6, 8, 7};
const std::vector<std::vector<int32_t>> kPassageIds = {
    {11}, {5, 6, 9, 5, 6, 8, 7, 10}, {8, 8, 8}, {7, 9, 11, 8, 7, 1}, {}, {7, 10}};

class CrossEncoderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "tinyarms-rerank-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    if (!dnnl_library()) GTEST_SKIP() << "oneDNN is missing: apt-get install libdnnl2";
  }

  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }

  std::filesystem::path import(const TinyCrossEncoder& model) {
    model.write(folder_ / "source");
    const std::filesystem::path file = folder_ / "model.gguf";
    auto imported = engine::import_bert(folder_ / "source", file, engine::EncoderType::F32);
    EXPECT_TRUE(imported) << imported.error().message();
    return file;
  }

  static std::vector<engine::PassageScore> scores(engine::Reranker& reranker) {
    const StopFlag stop;
    auto scored = reranker.score(kQuery, kPassages, stop);
    EXPECT_TRUE(scored) << scored.error().message();
    return scored ? *scored : std::vector<engine::PassageScore>(kPassages.size());
  }

  std::filesystem::path folder_;
};

double reference(const TinyCrossEncoder& model, const std::vector<int32_t>& passage) {
  std::vector<int32_t> ids = {2};
  ids.insert(ids.end(), kQueryIds.begin(), kQueryIds.end());
  ids.push_back(3);
  const size_t second = ids.size();
  ids.insert(ids.end(), passage.begin(), passage.end());
  ids.push_back(3);
  return model.score(ids, second);
}

TEST_F(CrossEncoderTest, ScoresAreThoseOfTheReference) {
  const TinyCrossEncoder model({});
  const auto file = import(model);
  struct Case {
    Precision precision;
    double tolerance;
  };
  for (const Case& each : {Case{Precision::F32, 2e-5}, Case{Precision::BF16, 5e-2}}) {
    if (!supports(each.precision)) continue;
    for (const int threads : {1, 3}) {
      auto reranker =
          load_bert_cross_encoder(file, {.threads = threads, .precision = each.precision});
      ASSERT_TRUE(reranker) << reranker.error().message();
      const auto found = scores(**reranker);
      ASSERT_EQ(found.size(), kPassages.size());
      for (size_t i = 0; i < found.size(); ++i) {
        EXPECT_NEAR(found[i].score, reference(model, kPassageIds[i]), each.tolerance)
            << name_of(each.precision) << " " << i;
        EXPECT_FALSE(found[i].truncated);
      }
    }
  }
}

// libllama knows one token type only, so the model that both are given has two equal ones.
TEST_F(CrossEncoderTest, LibllamaScoresAlike) {
  const TinyCrossEncoder model(CrossEncoderShape{.one_type = true});
  const auto file = import(model);
  auto facts = engine::inspect_model(file);
  ASSERT_TRUE(facts);
  EXPECT_TRUE(facts->reranker);
  auto theirs = engine::Reranker::load(file, 1);
  ASSERT_TRUE(theirs) << theirs.error().message();
  const auto found = scores(**theirs);
  for (size_t i = 0; i < found.size(); ++i) {
    if (kPassages[i].empty()) continue;
    EXPECT_NEAR(found[i].score, reference(model, kPassageIds[i]), 2e-3) << i;
  }
}

TEST_F(CrossEncoderTest, TheLongerTextIsCutFirst) {
  const TinyCrossEncoder model(CrossEncoderShape{.positions = 12});
  auto reranker = load_bert_cross_encoder(import(model), {.threads = 1,
                                                          .precision = Precision::F32});
  ASSERT_TRUE(reranker) << reranker.error().message();
  const StopFlag stop;
  const std::vector<std::string> passages = {"a a a a a a a a a", "a a a a a"};
  auto found = (*reranker)->score(kQuery, passages, stop);
  ASSERT_TRUE(found);
  EXPECT_TRUE((*found)[0].truncated);
  EXPECT_FALSE((*found)[1].truncated);
  EXPECT_NEAR((*found)[0].score, (*found)[1].score, 1e-5);
  EXPECT_NEAR((*found)[1].score, reference(model, {8, 8, 8, 8, 8}), 2e-5);
}

TEST_F(CrossEncoderTest, IsNoEmbeddingModelAndTheOtherWayRound) {
  const auto file = import(TinyCrossEncoder({}));
  auto embedder = load_text_encoder(file, {});
  ASSERT_FALSE(embedder);
  EXPECT_EQ(embedder.error().code, ErrorCode::Unsupported);
  auto late = load_late_interaction(file, {});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::Unsupported);
}

TEST_F(CrossEncoderTest, StopsAndRefusesWhatIsNoText) {
  auto reranker = load_cross_encoder(import(TinyCrossEncoder({})), {.threads = 1, .precision = {}});
  ASSERT_TRUE(reranker);
  StopFlag stop;
  EXPECT_EQ((*reranker)->score("a\xff", kPassages, stop).error().code,
            ErrorCode::InvalidArgument);
  EXPECT_EQ((*reranker)->score("a", std::vector<std::string>{"\xff"}, stop).error().code,
            ErrorCode::InvalidArgument);
  stop.raise();
  EXPECT_EQ((*reranker)->score("a", kPassages, stop).error().code, ErrorCode::Interrupted);
}

TEST_F(CrossEncoderTest, AClassifierOfSeveralClassesIsRefused) {
  TinyCrossEncoder({}).write(folder_ / "source");
  auto text = read_file(folder_ / "source" / "config.json", 1 << 16);
  ASSERT_TRUE(text);
  auto config = nlohmann::json::parse(*text);
  config["id2label"] = {{"0", "no"}, {"1", "yes"}};
  ASSERT_TRUE(write_file_atomically(folder_ / "source" / "config.json", config.dump()));
  auto imported =
      engine::import_bert(folder_ / "source", folder_ / "x.gguf", engine::EncoderType::F32);
  ASSERT_FALSE(imported);
  EXPECT_EQ(imported.error().code, ErrorCode::Unsupported);
}

}  // namespace
}  // namespace tinyarms::encoder
