// SmolLM2 over a restart: the second turn of a 1,000-token conversation, counted token by token.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "base/temporary_folder.h"
#include "engine/scheduler/settled_answer_test.h"
#include "engine/snapshots/snapshot_keeper.h"
#include "engine/snapshots/snapshot_memory.h"

namespace tinyarms::engine {
namespace {

namespace fs = std::filesystem;

// What a process has: weights, files, and a context that goes with it.
struct Process {
  Process(const fs::path& model_file, const fs::path& base, bool snapshots) {
    auto weights = LanguageModel::load(model_file);
    if (!weights) return;
    model = std::move(*weights);
    SchedulerOptions options{.context_tokens = 2048, .model_hash = "smollm2"};
    if (snapshots) {
      auto folder = SnapshotFolder::open(
          {.folder = base / "prefixes", .key_file = base / "key", .bytes_max = 512 << 20}, clock);
      if (!folder) return;
      (*folder)->refresh();
      keeper = std::make_unique<SnapshotKeeper>(std::move(*folder));
      options.snapshots = {&memory, keeper.get()};
    }
    if (auto made = Scheduler::create(*model, cores, options)) scheduler = std::move(*made);
  }

  Completion answer(std::vector<ChatMessage> messages) {
    CompletionRequest request;
    request.messages = std::move(messages);
    request.tokens_max = 32;
    return testing::settled_answer(*scheduler, std::move(request));
  }

  SystemClock clock;
  CoreBudget cores{0};
  std::unique_ptr<const LanguageModel> model;
  SnapshotMemory memory{0, clock};  // provides for the copies, keeps none
  std::unique_ptr<SnapshotKeeper> keeper;
  std::unique_ptr<Scheduler> scheduler;
};

std::string long_context() {
  std::string text = "Here is a file:\n";
  for (int i = 0; i < 70; ++i) {
    text += "def handler_" + std::to_string(i) + "(request): return request.value + " +
            std::to_string(i * 7 % 31) + "\n";
  }
  return text + "What does handler_3 return?";
}

TEST(PrefixSnapshotsOnSmolLm2, TheSecondTurnAfterARestartIsNotComputedAgain) {
  const char* folder = std::getenv("TINYARMS_TEST_MODELS");
  const fs::path file =
      fs::path(folder == nullptr ? "" : folder) / "smollm2-135m-instruct.q4_1.gguf";
  if (folder == nullptr || !fs::exists(file)) {
    GTEST_SKIP() << "SKIPPED: SmolLM2's weights are missing: run ./setup/install, which puts "
                    "smollm2-135m-instruct.q4_1.gguf into $TINYARMS_TEST_MODELS";
  }
  TemporaryFolder base;
  const std::vector<ChatMessage> first_turn{{"user", long_context()}};
  std::vector<ChatMessage> second_turn = first_turn;
  Completion warm;
  {
    Process process(file, base.path(), false);
    ASSERT_NE(process.scheduler, nullptr);
    const Completion first = process.answer(first_turn);
    ASSERT_GE(first.prompt_tokens, 1000);
    second_turn.push_back({"assistant", first.text});
    second_turn.push_back({"user", "And handler_4?"});
    warm = process.answer(second_turn);
  }
  {
    Process process(file, base.path(), true);
    ASSERT_NE(process.scheduler, nullptr);
    process.answer(first_turn);
  }
  {
    Process process(file, base.path(), true);
    ASSERT_NE(process.scheduler, nullptr);
    const Completion restored = process.answer(second_turn);
    const KvCounters kv = process.scheduler->counters().kv;
    EXPECT_GE(kv.tokens_restored, 1000u);
    EXPECT_GE(restored.cached_tokens, 1000);
    EXPECT_EQ(restored.cached_tokens, warm.cached_tokens);
    // The last token drawn is never computed.
    EXPECT_EQ(kv.tokens_computed,
              static_cast<uint64_t>(restored.prompt_tokens - restored.cached_tokens +
                                    restored.completion_tokens - 1));
    EXPECT_EQ(restored.answer, warm.answer);
    EXPECT_EQ(restored.margins, warm.margins);
  }
  // A pass of another shape rounds otherwise, which on four-bit weights moves margins by a few
  // hundredths, and tokens where two are as good as tied; from there on the answers are others.
  Process process(file, base.path(), false);
  ASSERT_NE(process.scheduler, nullptr);
  const Completion cold = process.answer(second_turn);
  EXPECT_EQ(cold.cached_tokens, 0);
  const size_t length = std::min(cold.answer.size(), warm.answer.size());
  for (size_t i = 0; i < length; ++i) {
    if (cold.answer[i] != warm.answer[i]) {
      EXPECT_LT(std::min(cold.margins[i], warm.margins[i]), 0.1f) << "token " << i;
      break;
    }
    EXPECT_NEAR(cold.margins[i], warm.margins[i], 0.1f) << "token " << i;
  }
}

}  // namespace
}  // namespace tinyarms::engine
