#include "tiers/language_tier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "base/hand_clock.h"
#include "tiers/prompt.h"

namespace tinyarms::tiers {
namespace {

using cascade::Level;
using cascade::Role;
namespace signal = cascade::signal;

struct Script {
  std::string text = "an answer";
  size_t messages_max = 100;  // more do not fit the context
  std::vector<float> margins = {};
};

// Answers as scripted and remembers what it was shown.
class ScriptedGenerator final : public engine::Generator {
 public:
  ScriptedGenerator(Script script, std::vector<std::vector<engine::ChatMessage>>& shown)
      : script_(std::move(script)), shown_(shown) {}

  Result<engine::Generation> generate(
      std::span<const engine::ChatMessage> messages, const engine::GenerateOptions& options,
      const StopFlag& stop, const std::function<void(std::string_view)>& on_text) override {
    shown_.emplace_back(messages.begin(), messages.end());
    if (messages.size() > script_.messages_max) {
      return Error{ErrorCode::ContextTooLong, "too long", "", ""};
    }
    engine::Generation generation;
    generation.text = script_.text;
    generation.prompt_tokens = 7;
    generation.completion_tokens = 3;
    generation.finish =
        stop.raised() ? engine::FinishReason::Interrupted : engine::FinishReason::Stop;
    generation.statistics.tokens = 3;
    generation.statistics.logprob_mean = -0.25;
    for (size_t i = 0; i < script_.margins.size(); ++i) {
      generation.margins.push_back(script_.margins[i]);
      const bool last = i + 1 == script_.margins.size();
      if (last || !options.give_up || !options.give_up(script_.margins[i])) continue;
      generation.finish = engine::FinishReason::Abandoned;
      generation.completion_tokens = static_cast<int>(i + 1);
      break;
    }
    on_text(generation.text);
    return generation;
  }

  engine::MemoryPlan memory_taken() const override { return {}; }

 private:
  Script script_;
  std::vector<std::vector<engine::ChatMessage>>& shown_;
};

class ScriptedLoader final : public ModelLoader {
 public:
  explicit ScriptedLoader(HandClock& clock) : clock_(clock) {}

  Result<uint64_t> bytes_needed(const std::filesystem::path& file, uint32_t) override {
    return sizes.at(file.string());
  }
  Result<LoadedModel> load(const std::filesystem::path& file, uint32_t) override {
    loads.push_back(file.string());
    clock_.now += 2;
    if (broken.contains(file.string())) {
      return Error{ErrorCode::Corrupt, "is damaged", file.string(), "import it again"};
    }
    LoadedModel model;
    model.generator = std::make_unique<ScriptedGenerator>(scripts[file.string()], shown);
    return model;
  }

  std::map<std::string, uint64_t> sizes = {{"small", 40}, {"general", 40}, {"large", 90}};
  std::map<std::string, Script> scripts;
  std::map<std::string, bool> broken;
  std::vector<std::string> loads;
  std::vector<std::vector<engine::ChatMessage>> shown;

 private:
  HandClock& clock_;
};

ModelRef model(const std::string& name) {
  ModelRef ref;
  ref.name = name;
  ref.path = name;
  return ref;
}

cascade::Request question(const std::string& text) {
  cascade::Request request;
  request.messages.push_back({Role::User, text});
  return request;
}

cascade::Trace trace_with_intent(const std::string& intent) {
  cascade::Step step;
  step.level = Level::L1;
  step.attempt.evidence.set(signal::kIntent, intent);
  return {step};
}

class LanguageTierTest : public testing::Test {
 protected:
  HandClock clock;
  ScriptedLoader loader{clock};
  ModelShelf shelf{loader, clock, 100};
  StopFlag stop;
  cascade::Listener listener;
};

TEST_F(LanguageTierTest, CarriesEvidenceAndCost) {
  loader.scripts["small"].text = "```python\ndef f():\n    return 1\n```\n";
  LanguageTier tier({.model = model("small"), .system_prompt = ""}, shelf);
  auto attempt = tier.attempt(question("hi"), {}, stop, listener);
  ASSERT_TRUE(attempt) << attempt.error().message();
  EXPECT_TRUE(attempt->answered);
  EXPECT_EQ(attempt->source, "small");
  EXPECT_EQ(attempt->evidence.number(signal::kLogprobMean), -0.25);
  EXPECT_EQ(attempt->evidence.flag(signal::kCodeParses), true);
  EXPECT_EQ(attempt->evidence.text(signal::kCodeLanguage), "python");
  EXPECT_EQ(attempt->cost.prompt_tokens, 7);
  EXPECT_EQ(attempt->cost.load_seconds, 2);
}

TEST_F(LanguageTierTest, BrokenCodeIsEvidence) {
  loader.scripts["small"].text = "```python\ndef f(:\n```\n";
  LanguageTier tier({.model = model("small"), .system_prompt = ""}, shelf);
  auto attempt = tier.attempt(question("hi"), {}, stop, listener);
  ASSERT_TRUE(attempt);
  EXPECT_EQ(attempt->evidence.flag(signal::kCodeParses), false);
}

TEST_F(LanguageTierTest, AnswersWithoutCodeLeaveThatUnmeasured) {
  LanguageTier tier({.model = model("small"), .system_prompt = ""}, shelf);
  auto attempt = tier.attempt(question("hi"), {}, stop, listener);
  ASSERT_TRUE(attempt);
  EXPECT_FALSE(attempt->evidence.flag(signal::kCodeParses).has_value());
}

TEST_F(LanguageTierTest, GeneralIntentGoesToTheGeneralModel) {
  LanguageTier tier(
      {.model = model("small"),
       .specialists = {{.kind = "general", .model = model("general"), .setting = "a setting"}},
       .system_prompt = ""},
      shelf);
  EXPECT_EQ(tier.attempt(question("hi"), trace_with_intent("general"), stop, listener)->source,
            "general");
  EXPECT_EQ(tier.attempt(question("hi"), trace_with_intent("code"), stop, listener)->source,
            "small");
  EXPECT_EQ(tier.attempt(question("hi"), {}, stop, listener)->source, "small");
}

LanguageTierOptions with_maths() {
  return {.model = model("small"),
          .specialists = {{.kind = "maths", .model = model("large"), .setting = "l2.x"}},
          .certainty_min = 0.5,
          .system_prompt = "",
          .resolve = [](const std::string& name) { return model(name); }};
}

TEST_F(LanguageTierTest, ASpecialistIsNamedInTheEvidence) {
  LanguageTier tier(with_maths(), shelf);
  const auto attempt = tier.attempt(question("2 + 2"), trace_with_intent("maths"), stop, listener);
  ASSERT_TRUE(attempt) << attempt.error().message();
  EXPECT_EQ(attempt->source, "large");
  EXPECT_EQ(attempt->evidence.text(signal::kRoute), "maths");
  EXPECT_EQ(attempt->evidence.text(signal::kRouteReason), "maths → large");
  EXPECT_EQ(tier.route(question("2 + 2"), trace_with_intent("maths")).name, "maths");
}

TEST_F(LanguageTierTest, AModelThatTheRequestNamesWins) {
  LanguageTier tier(with_maths(), shelf);
  cascade::Request request = question("2 + 2");
  request.model = "general";
  const auto attempt = tier.attempt(request, trace_with_intent("maths"), stop, listener);
  ASSERT_TRUE(attempt) << attempt.error().message();
  EXPECT_EQ(attempt->source, "general");
  EXPECT_FALSE(attempt->evidence.text(signal::kRoute));
  EXPECT_EQ(tier.route(request, trace_with_intent("maths")).name, "");
}

TEST_F(LanguageTierTest, ASpecialistTakesTurnsWhereBothDoNotFit) {
  LanguageTier tier(with_maths(), shelf);  // 40 and 90 of 100
  ASSERT_TRUE(tier.attempt(question("2 + 2"), trace_with_intent("maths"), stop, listener));
  ASSERT_TRUE(tier.attempt(question("hi"), trace_with_intent("code"), stop, listener));
  EXPECT_EQ(shelf.models_resident(), 1U);
  EXPECT_EQ(loader.loads, (std::vector<std::string>{"large", "small"}));
}

TEST_F(LanguageTierTest, ASpecialistThatDoesNotFitIsRefusedByItsName) {
  loader.sizes["large"] = 101;
  LanguageTier tier(with_maths(), shelf);
  const auto attempt = tier.attempt(question("2 + 2"), trace_with_intent("maths"), stop, listener);
  ASSERT_FALSE(attempt);
  EXPECT_EQ(attempt.error().code, ErrorCode::OverBudget);
  EXPECT_THAT(attempt.error().message(), testing::HasSubstr("the specialist for maths"));
  EXPECT_TRUE(loader.loads.empty());
}

TEST_F(LanguageTierTest, AMissingSpecialistLeavesANote) {
  LanguageTierOptions options = with_maths();
  options.specialists[0].model.problem =
      Error{ErrorCode::NotFound, "is not installed", "large", "import it"};
  LanguageTier tier(std::move(options), shelf);
  const auto attempt = tier.attempt(question("2 + 2"), trace_with_intent("maths"), stop, listener);
  ASSERT_TRUE(attempt) << attempt.error().message();
  EXPECT_EQ(attempt->source, "small");
  EXPECT_THAT(attempt->notice, testing::HasSubstr("l2.x"));
}

TEST_F(LanguageTierTest, WithoutAGeneralModelOneServesAll) {
  LanguageTier tier({.model = model("small"), .system_prompt = ""}, shelf);
  EXPECT_EQ(tier.attempt(question("hi"), trace_with_intent("general"), stop, listener)->source,
            "small");
}

LanguageTierOptions watched_options(const EarlyAbort& watch) {
  return {.model = model("small"),
          .system_prompt = "",
          .early_aborts = [watch](Level, const cascade::Origin&, double) { return watch; }};
}

TEST_F(LanguageTierTest, AHopelessDraftIsGivenUp) {
  loader.scripts["small"] = {.text = "```python\ndef f(", .margins = {1, 0, 0, 0, 1}};
  const EarlyAbort watch{.test = calibration::MarginTest{
                             calibration::MarginTest::Kind::Cusum, 0, 126},
                         .explanation = "a promise"};
  LanguageTier tier(watched_options(watch), shelf);
  // Twice: every draft is watched afresh.
  for (int round = 0; round < 2; ++round) {
    auto attempt = tier.attempt_within({.may_climb = true, .threshold = 0.5}, question("hi"), {},
                                       stop, listener);
    ASSERT_TRUE(attempt) << attempt.error().message();
    EXPECT_EQ(attempt->finish, cascade::Finish::Abandoned);
    EXPECT_EQ(attempt->cost.completion_tokens, 3);
    EXPECT_EQ(attempt->evidence.flag(signal::kStoppedEarly), true);
    EXPECT_EQ(attempt->evidence.text(signal::kMarginTrace), "_AA");
    EXPECT_FALSE(attempt->evidence.flag(signal::kCodeParses));  // a beginning is not judged
    EXPECT_THAT(attempt->reason, testing::StartsWith("stopped after 3 of at most 512 tokens"));
    EXPECT_THAT(attempt->reason, testing::HasSubstr("a promise"));
  }
}

TEST_F(LanguageTierTest, WithNobodyAboveADraftIsWrittenToItsEnd) {
  loader.scripts["small"].margins = {0, 0, 0};
  const EarlyAbort watch{.test = calibration::MarginTest{
                             calibration::MarginTest::Kind::Cusum, 0, 1}};
  LanguageTier tier(watched_options(watch), shelf);
  for (const auto& attempt :
       {tier.attempt(question("hi"), {}, stop, listener),
        tier.attempt_within({.may_climb = false}, question("hi"), {}, stop, listener)}) {
    ASSERT_TRUE(attempt);
    EXPECT_EQ(attempt->finish, cascade::Finish::Stop);
    EXPECT_FALSE(attempt->evidence.flag(signal::kStoppedEarly));
  }
}

TEST_F(LanguageTierTest, WhyAFittedTestDoesNotApplyIsTold) {
  LanguageTier tier(watched_options({.test = {}, .explanation = "another engine"}), shelf);
  auto attempt = tier.attempt_within({.may_climb = true}, question("hi"), {}, stop, listener);
  ASSERT_TRUE(attempt);
  EXPECT_EQ(attempt->evidence.text(signal::kNotWatched), "another engine");
}

TEST_F(LanguageTierTest, SkipsWhereNoModelIsConfigured) {
  LanguageTier tier({.level = Level::L3, .model = {}, .system_prompt = ""},
                    shelf);
  EXPECT_EQ(tier.skip_reason(question("hi"), {}), "not configured (set l3.model)");
}

TEST_F(LanguageTierTest, AMissingModelFailsWithItsOwnError) {
  ModelRef missing = model("small");
  missing.problem = Error{ErrorCode::NotFound, "is not installed", "small", "import it"};
  LanguageTier tier({.model = missing, .system_prompt = ""}, shelf);
  EXPECT_FALSE(tier.skip_reason(question("hi"), {}).has_value());
  auto attempt = tier.attempt(question("hi"), {}, stop, listener);
  ASSERT_FALSE(attempt);
  EXPECT_EQ(attempt.error().code, ErrorCode::NotFound);
  EXPECT_TRUE(loader.loads.empty());
}

TEST_F(LanguageTierTest, OldTurnsGiveWayAndTheAnswerSaysSo) {
  loader.scripts["small"].messages_max = 4;
  LanguageTier tier({.model = model("small"), .system_prompt = "be brief"},
                    shelf);
  cascade::Request request;
  for (int turn = 0; turn < 3; ++turn) {
    request.messages.push_back({Role::User, "q" + std::to_string(turn)});
    request.messages.push_back({Role::Assistant, "a" + std::to_string(turn)});
  }
  request.messages.push_back({Role::User, "last"});
  auto attempt = tier.attempt(request, {}, stop, listener);
  ASSERT_TRUE(attempt) << attempt.error().message();
  EXPECT_THAT(attempt->notice, testing::HasSubstr("2 oldest turn(s)"));
  const auto& final_prompt = loader.shown.back();
  ASSERT_EQ(final_prompt.size(), 4U);
  EXPECT_EQ(final_prompt[0].content, "be brief");
  EXPECT_EQ(final_prompt[1].content, "q2");
  EXPECT_EQ(final_prompt[3].content, "last");
}

TEST_F(LanguageTierTest, ASingleQuestionTooLongIsRefused) {
  loader.scripts["small"].messages_max = 0;
  LanguageTier tier({.model = model("small"), .system_prompt = ""}, shelf);
  auto attempt = tier.attempt(question("hi"), {}, stop, listener);
  ASSERT_FALSE(attempt);
  EXPECT_EQ(attempt.error().code, ErrorCode::ContextTooLong);
}

TEST_F(LanguageTierTest, InterruptedTextIsKept) {
  LanguageTier tier({.model = model("small"), .system_prompt = ""}, shelf);
  stop.raise();
  auto attempt = tier.attempt(question("hi"), {}, stop, listener);
  ASSERT_TRUE(attempt);
  EXPECT_EQ(attempt->finish, cascade::Finish::Interrupted);
  EXPECT_EQ(attempt->answer, "an answer");
}

TEST_F(LanguageTierTest, ShelfKeepsWhatFitsAndDropsTheLeastRecentlyUsed) {
  ASSERT_TRUE(shelf.take("small", 10));
  ASSERT_TRUE(shelf.take("general", 10));
  EXPECT_EQ(shelf.bytes_resident(), 80U);
  EXPECT_EQ(shelf.take("small", 10)->load_seconds, 0);
  ASSERT_TRUE(shelf.take("large", 10));  // 90 of 100: both others must go
  EXPECT_EQ(shelf.models_resident(), 1U);
  EXPECT_EQ(shelf.bytes_resident(), 90U);
  EXPECT_GT(shelf.take("small", 10)->load_seconds, 0);
}

TEST_F(LanguageTierTest, ShelfDropsInOrderOfUse) {
  loader.sizes = {{"a", 50}, {"b", 50}, {"c", 50}};
  ASSERT_TRUE(shelf.take("a", 10));
  ASSERT_TRUE(shelf.take("b", 10));
  ASSERT_TRUE(shelf.take("a", 10));
  ASSERT_TRUE(shelf.take("c", 10));  // b was used longest ago
  EXPECT_EQ(shelf.take("a", 10)->load_seconds, 0);
  EXPECT_GT(shelf.take("b", 10)->load_seconds, 0);
}

TEST_F(LanguageTierTest, ShelfRefusesWhatCanNeverFitBeforeTouchingAnything) {
  loader.sizes["huge"] = 101;
  ASSERT_TRUE(shelf.take("small", 10));
  auto refused = shelf.take("huge", 10);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::OverBudget);
  EXPECT_EQ(shelf.models_resident(), 1U);
  EXPECT_EQ(loader.loads, std::vector<std::string>{"small"});
}

TEST_F(LanguageTierTest, ShelfPassesOnALoadFailureAndStaysUsable) {
  loader.broken["large"] = true;
  auto failed = shelf.take("large", 10);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::Corrupt);
  EXPECT_EQ(shelf.bytes_resident(), 0U);
  EXPECT_TRUE(shelf.take("small", 10));
}

TEST(PromptTest, FilesStandFencedBeforeTheQuestion) {
  cascade::Request request = question("what does it do?");
  request.files.push_back({"a.md", "text with ```` inside"});
  const auto messages = conversation(request, "system");
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_THAT(messages[1].content, testing::HasSubstr("a.md\n`````\ntext with ```` inside\n`````"));
  EXPECT_THAT(messages[1].content, testing::EndsWith("what does it do?"));
}

TEST(PromptTest, TheRequestsOwnSystemMessageWins) {
  cascade::Request request;
  request.messages = {{Role::System, "own"}, {Role::User, "q"}};
  const auto messages = conversation(request, "configured");
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].content, "own");
}

TEST(PromptTest, TheLastQuestionIsNeverDropped) {
  std::vector<engine::ChatMessage> messages = {{"system", "s"}, {"user", "q"}};
  EXPECT_FALSE(drop_oldest_turn(messages));
  EXPECT_EQ(messages.size(), 2U);
}

}  // namespace
}  // namespace tinyarms::tiers
