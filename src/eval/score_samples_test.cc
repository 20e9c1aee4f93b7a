#include "eval/score_samples.h"

#include <gtest/gtest.h>

#include <fstream>

#include "eval/bench_test_support.h"

namespace tinyarms::eval {
namespace {

struct Scoring {
  Result<ScoredSamples> run(const std::string& samples) {
    std::ofstream(folder / "s.jsonl", std::ios::binary) << samples;
    return score_samples(sums,
                         {.data = {},
                          .samples = folder / "s.jsonl",
                          .output = folder / "v.jsonl",
                          .concurrency = 3},
                         judge, stop);
  }
  std::string verdicts() const {
    std::ifstream stream(folder / "v.jsonl");
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  testing::TemporaryFolder folder;
  testing::SumTask sums{3};
  testing::IdleJudge judge;
  StopFlag stop;
};

TEST(ScoreSamples, JudgesEverySampleInItsOrder) {
  Scoring scoring;
  auto scored = scoring.run(
      "{\"task_id\": \"0\", \"solution\": \"0\"}\n"
      "\n"
      "{\"task_id\": 1, \"completion\": \"3\", \"more\": [1]}\n"
      "{\"task_id\": \"1\", \"completion\": \"2\"}\n"
      "{\"task_id\": \"7\", \"solution\": \"x\"}\n"
      "{\"task_id\": \"0\", \"solution\": \"unscorable\"}\n");
  ASSERT_TRUE(scored) << scored.error().message();
  EXPECT_EQ(scored->samples, 5u);
  EXPECT_EQ(scored->count.trials, 3u);
  EXPECT_EQ(scored->count.hits, 2u);
  EXPECT_EQ(scored->unknown, 1u);
  EXPECT_EQ(scored->unmeasured, 1u);
  EXPECT_EQ(scored->items_missing, 1u);
  EXPECT_DOUBLE_EQ(scored->pass_at_k.at(1), 0.75);
  EXPECT_EQ(scoring.verdicts(),
            "{\"task_id\":\"0\",\"correct\":true,\"reason\":\"passed\"}\n"
            "{\"task_id\":\"1\",\"correct\":false,\"reason\":\"wrong answer\"}\n"
            "{\"task_id\":\"1\",\"correct\":true,\"reason\":\"passed\"}\n"
            "{\"task_id\":\"7\",\"correct\":null,\"reason\":\"not measured: 7: the task has no "
            "such item\"}\n"
            "{\"task_id\":\"0\",\"correct\":null,\"reason\":\"not measured: no toolchain (install "
            "it)\"}\n");
}

TEST(ScoreSamples, BrokenLinesAreNamed) {
  for (const char* line :
       {"[]", "{", "{\"task_id\": \"0\"}", "{\"solution\": \"0\"}",
        "{\"task_id\": \"0\", \"solution\": \"0\", \"completion\": \"0\"}",
        "{\"task_id\": {}, \"solution\": \"0\"}", "{\"task_id\": \"0\", \"solution\": \"\xff\"}"}) {
    Scoring scoring;
    auto scored = scoring.run(std::string("{\"task_id\": \"0\", \"solution\": \"0\"}\n") + line);
    ASSERT_FALSE(scored) << line;
    EXPECT_EQ(scored.error().code, ErrorCode::Corrupt) << line;
    EXPECT_NE(scored.error().where.find("s.jsonl:2"), std::string::npos) << line;
    EXPECT_EQ(scoring.verdicts(), "") << line;
  }
}

TEST(ScoreSamples, NothingIsWrittenWhereItIsStopped) {
  Scoring scoring;
  scoring.stop.raise();
  auto scored = scoring.run("{\"task_id\": \"0\", \"solution\": \"0\"}\n");
  ASSERT_FALSE(scored);
  EXPECT_EQ(scored.error().code, ErrorCode::Interrupted);
  EXPECT_FALSE(std::filesystem::exists(scoring.folder / "v.jsonl"));
}

}  // namespace
}  // namespace tinyarms::eval
