// What a language tier does for a request before it is asked.
#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include "tiers/language_tier.h"

namespace tinyarms::tiers {
namespace {

class UnmovedClock final : public Clock {
 public:
  double monotonic_seconds() const override { return 0; }
  double wall_seconds() const override { return 0; }
};

// Answers everything at once, in two pieces, and remembers what it was asked.
class RecordingEngine final : public engine::CompletionEngine {
 public:
  Result<std::unique_ptr<engine::CompletionStream>> submit(
      engine::CompletionRequest request) override {
    const std::lock_guard lock(mutex_);
    if (request.messages.size() > messages_max) {
      return Error{ErrorCode::ContextTooLong, "too long", "", ""};
    }
    asked_.push_back(std::move(request));
    auto channel = std::make_shared<engine::CompletionChannel>();
    engine::Completion completion;
    completion.text = "yes";
    completion.prompt_tokens = 40;
    engine::CompletionEvent event;
    event.prompt_tokens = 40;
    event.text = "yes";
    channel->publish(std::move(event));
    channel->finish(std::move(completion));
    return std::make_unique<engine::CompletionStream>(std::move(channel));
  }
  Result<int> count_tokens(const engine::CompletionRequest&) override { return 40; }
  std::vector<engine::CompletionRequest> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  size_t messages_max = 100;

 private:
  mutable std::mutex mutex_;
  std::vector<engine::CompletionRequest> asked_;
};

class RecordingLoader final : public ModelLoader {
 public:
  explicit RecordingLoader(engine::CompletionEngine& engine) : engine_(engine) {}
  Result<uint64_t> bytes_needed(const std::filesystem::path&, uint32_t) override { return 1; }
  Result<LoadedModel> load(const std::filesystem::path&, uint32_t) override {
    LoadedModel model;
    model.completions = &engine_;
    return model;
  }

 private:
  engine::CompletionEngine& engine_;
};

class AheadTest : public testing::Test {
 protected:
  LanguageTier tier(DraftUse drafts = {}) {
    ModelRef model;
    model.name = "large";
    model.path = "large";
    return LanguageTier({.level = cascade::Level::L3,
                         .model = model,
                         .system_prompt = "be brief",
                         .drafts = drafts,
                         .prefetcher = &prefetcher},
                        shelf);
  }
  static cascade::Request conversation() {
    cascade::Request request;
    request.messages = {{cascade::Role::User, "first"},
                        {cascade::Role::Assistant, "one"},
                        {cascade::Role::User, "second"}};
    request.files.push_back({"a.py", "x = 1\n"});
    request.owner = "somebody";
    return request;
  }
  static cascade::Trace with_passage() {
    cascade::Step step;
    step.level = cascade::Level::L1;
    step.attempt.passages.push_back(
        {.path = "b.py", .first_line = 1, .last_line = 2, .symbol = "f", .content = "def f()"});
    return {step};
  }
  void await_end(const cascade::Headstart& headstart) {
    while (!headstart.report().complete) std::this_thread::yield();
  }

  UnmovedClock clock;
  RecordingEngine engine;
  RecordingLoader loader{engine};
  ModelShelf shelf{loader, clock, 100};
  Prefetcher prefetcher{shelf, clock};
  StopFlag stop;
  cascade::Listener listener;
};

TEST_F(AheadTest, ComputesThePromptThatItWillBeAskedFor) {
  engine.messages_max = 3;  // the oldest turn does not fit, for either
  LanguageTier large = tier();
  std::unique_ptr<cascade::Headstart> headstart;
  {
    const cascade::Request request = conversation();  // over before it is used
    const cascade::Trace so_far = with_passage();
    headstart = large.begin(request, so_far);
  }
  ASSERT_NE(headstart, nullptr);
  await_end(*headstart);
  auto attempt = large.attempt_within({.headstart = headstart.get()}, conversation(),
                                      with_passage(), stop, listener);
  ASSERT_TRUE(attempt) << attempt.error().message();
  const auto asked = engine.asked();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].priority, engine::Priority::Background);
  EXPECT_EQ(asked[0].tokens_max, 1);
  EXPECT_EQ(asked[1].priority, engine::Priority::Interactive);
  EXPECT_EQ(asked[0].scope, "somebody");
  ASSERT_EQ(asked[0].messages.size(), asked[1].messages.size());
  for (size_t i = 0; i < asked[0].messages.size(); ++i) {
    EXPECT_EQ(asked[0].messages[i].role, asked[1].messages[i].role);
    EXPECT_EQ(asked[0].messages[i].content, asked[1].messages[i].content);
  }
}

TEST_F(AheadTest, NothingWhereDraftsAreLookedAtAnyway) {
  LanguageTier large = tier({.speculate = DraftSetting::On});
  EXPECT_EQ(large.begin(conversation(), {}), nullptr);
  LanguageTier sometimes = tier({.speculate = DraftSetting::Auto, .lookup = DraftSetting::Auto});
  EXPECT_NE(sometimes.begin(conversation(), {}), nullptr);
}

TEST_F(AheadTest, SaysWhenItWrites) {
  int told = 0;
  auto attempt = tier().attempt_within({.may_climb = true, .writing = [&] { ++told; }},
                                       conversation(), {}, stop, listener);
  ASSERT_TRUE(attempt);
  EXPECT_GE(told, 1);
}

}  // namespace
}  // namespace tinyarms::tiers
