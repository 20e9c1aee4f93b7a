// The bench with real weights: the same run twice, byte for byte.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "eval/bench.h"
#include "eval/bench_test_support.h"
#include "eval/model_subject.h"
#include "eval/task_registry.h"

namespace tinyarms::eval {
namespace {

std::string without_measurements(const std::filesystem::path& path) {
  std::ifstream stream(path);
  std::string all;
  for (std::string line; std::getline(stream, line);) {
    auto record = nlohmann::ordered_json::parse(line);
    record.erase("seconds");
    record.erase("peak_memory_bytes");
    all += record.dump() + "\n";
  }
  return all;
}

TEST(BenchWithModel, TwoGreedyRunsAreTheSame) {
  const char* folder = std::getenv("TINYARMS_TEST_MODELS");
  const std::filesystem::path path =
      std::filesystem::path(folder == nullptr ? "" : folder) / "smollm2-135m-instruct.q4_1.gguf";
  if (!std::filesystem::exists(path)) {
    GTEST_SKIP() << "SmolLM2's weights are missing: run ./setup/install, which puts "
                    "smollm2-135m-instruct.q4_1.gguf into $TINYARMS_TEST_MODELS";
  }
  testing::TemporaryFolder results;
  testing::IdleJudge judge;
  const SystemClock clock;
  const StopFlag stop;
  RunListener listener;
  std::vector<BenchTask> tasks = {load_bench_task(**find_task("tiny"), {.data = {}, .limit = 16})};
  std::erase_if(tasks[0].items, [](const Item& item) {
    return item.mode == Mode::Generate && item.group == "code";  // needs a sandbox
  });
  const SubjectSource source{.name = "smollm2", .note = {}, .open = [&] {
                               return open_model_subject({.name = "smollm2",
                                                          .path = path,
                                                          .sha256 = "test",
                                                          .context_tokens = 1024,
                                                          .threads = 1});
                             }};
  std::vector<std::string> records;
  for (const char* name : {"a", "b"}) {
    BenchOptions options;
    options.output = results / fmt::format("{}.json", name);
    auto run = run_bench(
        tasks, {source}, options,
        {.judge = judge, .clock = clock, .stop = stop, .listener = listener});
    ASSERT_TRUE(run) << run.error().message();
    EXPECT_EQ(run->summary.results[0].measured, tasks[0].items.size());
    records.push_back(without_measurements(records_folder(options.output) / "smollm2.jsonl"));
  }
  EXPECT_GT(records[0].size(), 1000u);
  EXPECT_EQ(records[0], records[1]);
}

}  // namespace
}  // namespace tinyarms::eval
