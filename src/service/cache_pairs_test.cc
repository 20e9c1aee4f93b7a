#include "service/cache_pairs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/settings.h"
#include "storage/test_folder.h"

namespace tinyarms::service {
namespace {

using testing::HasSubstr;

std::vector<QuestionPair> graded(size_t right, size_t wrong_after) {
  std::vector<QuestionPair> pairs;
  for (size_t i = 0; i < right + wrong_after; ++i) {
    QuestionPair pair;
    pair.duplicate = i < right;
    pair.similarity = 0.999 - 0.0001 * static_cast<double>(i);
    pair.gate_open = true;
    pairs.push_back(pair);
  }
  return pairs;
}

TEST(CachePairsTest, ReadsBothForms) {
  auto json = parse_pairs(
      R"({"id":"1","a":"x","b":"y","duplicate":1,"source":"s"})" "\n\n"
      R"({"id":2,"a":"x","b":"y","duplicate":false})", "f");
  ASSERT_TRUE(json) << json.error().message();
  ASSERT_EQ(json->size(), 2U);
  EXPECT_TRUE((*json)[0].duplicate);
  EXPECT_FALSE((*json)[1].duplicate);
  auto tsv = parse_pairs("id\ta\tb\tduplicate\tsource\r\n1\tx\ty\t1\ts\r\n", "f");
  ASSERT_TRUE(tsv) << tsv.error().message();
  EXPECT_EQ((*tsv)[0].source, "s");
}

TEST(CachePairsTest, WhatIsWrongIsNamedWithItsLine) {
  EXPECT_EQ(parse_pairs("{\"a\":\"x\",\"b\":\"y\",\"duplicate\":1}\nnonsense", "f").error().where,
            "f:2");
  EXPECT_THAT(parse_pairs(R"({"a":"x","b":"y","duplicate":2})", "f").error().what,
              HasSubstr("duplicate"));
  EXPECT_THAT(parse_pairs(R"({"a":"x","duplicate":1})", "f").error().what, HasSubstr("`b`"));
  EXPECT_FALSE(parse_pairs("", "f"));
  EXPECT_FALSE(parse_pairs("\xff", "f"));
}

TEST(CachePairsTest, TheThresholdKeepsItsPromise) {
  EXPECT_FALSE(calibrate_threshold(graded(298, 0), 0.01));
  const auto threshold = calibrate_threshold(graded(1000, 400), 0.01);
  ASSERT_TRUE(threshold);
  const PairCounts counts = count_pairs(graded(1000, 400), *threshold);
  EXPECT_LE(counts.false_hit_upper, 0.01);
  EXPECT_GE(counts.hits, 299U);
  EXPECT_FALSE(calibrate_threshold(graded(0, 1000), 0.01));
}

TEST(CachePairsTest, AClosedGateIsNoHit) {
  auto pairs = graded(10, 0);
  for (QuestionPair& pair : pairs) pair.gate_open = false;
  EXPECT_EQ(count_pairs(pairs, 0.5).hits, 0U);
  EXPECT_EQ(count_pairs(pairs, 0.5).false_hit_upper, 1);
}

TEST(Thresholds, OfOneEncoderAreNotAnothers) {
  storage::TestFolder folder;
  Paths paths;
  paths.data_dir = folder / "data";
  const double usual = Settings{}.l1.similarity;
  EXPECT_EQ(threshold_in_force(paths, "new", usual), usual) << "nobody calibrated anything";
  ASSERT_TRUE(keep_threshold(paths, std::string(64, 'a'), 0.85, 0.01));
  EXPECT_EQ(threshold_in_force(paths, std::string(64, 'a'), usual), 0.85);
  EXPECT_EQ(threshold_in_force(paths, "new", usual), std::nullopt);
  EXPECT_EQ(threshold_in_force(paths, "new", 0.9), 0.9) << "the user's own word";
  ASSERT_TRUE(keep_threshold(paths, "new", 0.99, 0.01));
  EXPECT_EQ(threshold_in_force(paths, "new", usual), 0.99);
}

}  // namespace
}  // namespace tinyarms::service
