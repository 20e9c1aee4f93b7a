#include "eval/validate.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tinyarms::eval {
namespace {

TEST(Validate, FindsWhatTheIntervalShows) {
  EXPECT_EQ(find({-0.5, 0.2}, 1), Finding::Within);
  EXPECT_EQ(find({0.5, 3}, 1), Finding::Within);
  EXPECT_EQ(find({-1.5, 0.2}, 1), Finding::NotShown);
  EXPECT_EQ(find({-4, -0.5}, 1), Finding::NotShown);
  EXPECT_EQ(find({-4, -1.5}, 1), Finding::Worse);
  EXPECT_EQ(find({-4, -1.5}, 5), Finding::Within);
}

TEST(Validate, FewItemsWithoutADifferenceProveLittle) {
  Paired paired;
  paired.items = 60;
  const Interval few = paired_interval(paired);
  EXPECT_NEAR(few.low, -3.16, 0.01);
  EXPECT_NEAR(few.high, 3.16, 0.01);
  paired.items = 10000;
  EXPECT_GT(paired_interval(paired).low, -0.05);
  paired.items = 100;
  paired.only_first = 30;
  paired.only_second = 5;
  const Interval worse = paired_interval(paired);
  EXPECT_NEAR((worse.low + worse.high) / 2, -24.51, 0.01);
  EXPECT_EQ(find(worse, 10), Finding::Worse);
  EXPECT_EQ(find(paired_interval(Paired{}), 1), Finding::NotShown);
}

TEST(Validate, ReadsTheStsFile) {
  std::string text;
  for (int i = 0; i < 12; ++i) {
    text += "main\tnews\t2012\t" + std::to_string(i) +
            "\t2.750\tA \"man\" sits.\tHe sits.\textra\r\n";
  }
  const auto pairs = parse_sentence_pairs(text, "sts.csv");
  ASSERT_TRUE(pairs) << pairs.error().message();
  ASSERT_EQ(pairs->size(), 12u);
  EXPECT_EQ(pairs->front().first, "A \"man\" sits.");
  EXPECT_EQ(pairs->front().second, "He sits.");
  EXPECT_EQ(pairs->front().score, 2.75);
  for (const std::string& line :
       {std::string("a\tb\tc\td\tx\tone\ttwo"), std::string("a\tb\tc\td\t7\tone\ttwo"),
        std::string("a\tb\tc\td\tnan\tone\ttwo"), std::string("a\tb"),
        std::string("a\tb\tc\td\t1\t\ttwo")}) {
    const auto bad = parse_sentence_pairs(text + line + "\n", "sts.csv");
    ASSERT_FALSE(bad) << line;
    EXPECT_EQ(bad.error().code, ErrorCode::Corrupt);
    EXPECT_EQ(bad.error().where, "sts.csv:13");
  }
  EXPECT_FALSE(parse_sentence_pairs("", "sts.csv"));
}

TEST(Validate, BundlesEnoughText) { EXPECT_GE(validation_text().size(), 20000u); }

Validation example() {
  Validation validation;
  validation.text_sha256 = "abc";
  validation.reference.file.name = "f16";
  validation.reference.likelihood = engine::Likelihood{};
  ModelResult candidate;
  candidate.file.name = "q2_k";
  candidate.file.fallback_tensors = 3;
  candidate.language = engine::Comparison{};
  candidate.language->divergence_mean = 0.25;
  candidate.language->log_ratio = 0.1;
  candidate.likelihood = candidate.language->candidate;
  candidate.differences.push_back({"next token", 40, 31, -9, {-11, -7}, 500, 0, Finding::Worse});
  validation.candidates.push_back(candidate);
  return validation;
}

TEST(ValidateReport, SaysTheVerdictInWordsAndJson) {
  const std::string text = validation_as_text(example());
  EXPECT_NE(text.find("worse by more than 1 points"), std::string::npos) << text;
  EXPECT_NE(text.find("+10.52 %"), std::string::npos) << text;
  EXPECT_NE(text.find("3 tensors in a larger type"), std::string::npos) << text;
  const auto made = nlohmann::json::parse(validation_as_json(example()));
  EXPECT_EQ(made["schema"], "tinyarms-validation/1");
  EXPECT_EQ(made["candidates"][0]["divergence"]["mean"], 0.25);
  EXPECT_EQ(made["candidates"][0]["differences"][0]["verdict"], "worse");
  EXPECT_EQ(made["candidates"][0]["differences"][0]["interval"][0], -11);
}

TEST(ValidateReport, DrawsEveryCandidate) {
  Validation validation = example();
  validation.candidates.front().file_bytes = 88'000'000;
  validation.candidates.front().file.name = "q2<k>";
  const std::string svg = validation_as_svg(validation);
  EXPECT_NE(svg.find("<svg"), std::string::npos);
  EXPECT_NE(svg.find("q2&lt;k&gt;"), std::string::npos) << svg;
  validation.candidates.clear();
  EXPECT_NE(validation_as_svg(validation).find("</svg>"), std::string::npos);
}

}  // namespace
}  // namespace tinyarms::eval
