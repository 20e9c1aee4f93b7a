#include "tiers/embedding_tier.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "base/file.h"
#include "intent/example.h"

namespace tinyarms::tiers {
namespace {

namespace fs = std::filesystem;
namespace signal = cascade::signal;
using cascade::Decision;
using cascade::Level;
using testing::HasSubstr;

// Texts as points of a plane by a table; unknown texts lie at an angle of their own.
class TableEmbedder final : public engine::Embedder {
 public:
  explicit TableEmbedder(std::map<std::string, double> angles) : angles_(std::move(angles)) {}
  const engine::ModelFacts& facts() const override { return facts_; }
  int dimensions() const override { return 2; }
  std::string_view backend() const override { return "a table"; }
  Result<std::vector<int32_t>> tokenize(std::string_view) const override {
    return std::vector<int32_t>{};
  }
  Result<std::vector<engine::Embedding>> embed(std::span<const std::string> texts) override {
    std::vector<engine::Embedding> embeddings;
    for (const std::string& text : texts) {
      const auto known = angles_.find(text);
      const double angle =
          known != angles_.end() ? known->second : static_cast<double>(text.size()) * 0.01 + 2;
      embeddings.push_back({{static_cast<float>(std::cos(angle)),
                             static_cast<float>(std::sin(angle))},
                            text.size() > 1000});
    }
    return embeddings;
  }

 private:
  std::map<std::string, double> angles_;
  engine::ModelFacts facts_;
};

class EmbeddingTierTest : public testing::Test {
 protected:
  EmbeddingTierTest()
      : folder_(fs::temp_directory_path() /
                ("tinyarms-l1-" + std::to_string(::getpid()) + "-" +
                 testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::create_directories(folder_);
  }
  ~EmbeddingTierTest() override { fs::remove_all(folder_); }

  fs::path database() const { return folder_ / "answers.sqlite"; }

  std::unique_ptr<EmbeddingTier> tier(AnswerMemory& memory, EmbeddingTierOptions options = {}) {
    options.encoder.model.name = "encoder";
    options.encoder.model.sha256 = "e1";
    return std::make_unique<EmbeddingTier>(
        std::move(options),
        [this](const ModelRef&) -> Result<std::unique_ptr<engine::Embedder>> {
          ++loads_;
          return std::unique_ptr<engine::Embedder>(std::make_unique<TableEmbedder>(angles_));
        },
        memory, clock_);
  }

  static cascade::Request request(const std::string& text) {
    cascade::Request made;
    made.messages.push_back({cascade::Role::User, text});
    return made;
  }

  // What a tier above made of the question that was last asked of L1.
  cascade::Reply reply(const std::string& answer, Level level = Level::L2) const {
    cascade::Reply made;
    made.trace.emplace_back();
    made.trace.back().attempt = asked_;
    cascade::Step step;
    step.level = level;
    step.decision = Decision::Accept;
    step.confidence = 0.9;
    step.attempt.answered = true;
    step.attempt.answer = answer;
    step.attempt.source = "small model";
    made.trace.push_back(step);
    made.winner = 1;
    made.sure = true;
    return made;
  }

  cascade::Attempt ask(EmbeddingTier& tier, const cascade::Request& asked) {
    auto attempt = tier.attempt(asked, {}, stop_, listener_);
    EXPECT_TRUE(attempt) << attempt.error().message();
    asked_ = attempt ? *attempt : cascade::Attempt{};
    return asked_;
  }

  fs::path folder_;
  SystemClock clock_;
  StopFlag stop_;
  cascade::Listener listener_;
  int loads_ = 0;
  cascade::Attempt asked_;  // the last of ask()
  std::map<std::string, double> angles_ = {
      {"sort a list", 0.0}, {"how do I sort a list", 0.05}, {"sort a list backwards please", 0.6}};
};

TEST_F(EmbeddingTierTest, AbstainsWithTheIntentWhereNothingIsKnown) {
  AnswerMemory memory(database(), 100, clock_);
  auto l1 = tier(memory);
  const cascade::Attempt attempt = ask(*l1, request("sort a list"));
  EXPECT_FALSE(attempt.answered);
  EXPECT_TRUE(attempt.evidence.text(signal::kIntent).has_value());
  EXPECT_GE(attempt.evidence.number(signal::kIntentMargin).value_or(-1), 0);
}

TEST_F(EmbeddingTierTest, TheSameWordsHitWithoutTheEncoder) {
  {
    AnswerMemory memory(database(), 100, clock_);
    auto l1 = tier(memory);
    ask(*l1, request("sort a list"));
    l1->remember(request("sort a list"), reply("use sorted()"));
  }
  AnswerMemory memory(database(), 100, clock_);
  loads_ = 0;
  auto l1 = tier(memory);
  const cascade::Attempt attempt = ask(*l1, request("sort a list"));
  EXPECT_EQ(attempt.answer, "use sorted()");
  EXPECT_EQ(attempt.source, "exact cache");
  EXPECT_EQ(attempt.evidence.number(signal::kCachedConfidence), 0.9);
  EXPECT_EQ(loads_, 0);
}

TEST_F(EmbeddingTierTest, ACloseMeaningHitsAndShowsTheQuestionItCameFrom) {
  AnswerMemory memory(database(), 100, clock_);
  auto l1 = tier(memory);
  ask(*l1, request("sort a list"));
  l1->remember(request("sort a list"), reply("use sorted()"));
  const cascade::Attempt attempt = ask(*l1, request("how do I sort a list"));
  EXPECT_TRUE(attempt.answered);
  EXPECT_EQ(attempt.source, "semantic cache");
  EXPECT_EQ(attempt.evidence.text(signal::kCachedQuestion), "sort a list");
  EXPECT_THAT(attempt.notice, HasSubstr("sort a list"));
  EXPECT_NEAR(*attempt.evidence.number(signal::kSimilarity), std::cos(0.05), 1e-6);
}

TEST_F(EmbeddingTierTest, AnAlikeQuestionThatAsksTheOppositeIsRefusedWithAReason) {
  angles_["list to tuple"] = 0.1;
  angles_["tuple to list"] = 0.1;
  AnswerMemory memory(database(), 100, clock_);
  auto l1 = tier(memory);
  ask(*l1, request("list to tuple"));
  l1->remember(request("list to tuple"), reply("tuple(x)"));
  const cascade::Attempt attempt = ask(*l1, request("tuple to list"));
  EXPECT_FALSE(attempt.answered);
  EXPECT_EQ(attempt.evidence.text(signal::kGate), "order");
  EXPECT_THAT(attempt.reason, HasSubstr("other places"));
}

TEST_F(EmbeddingTierTest, BelowTheThresholdThereIsNoHit) {
  AnswerMemory memory(database(), 100, clock_);
  auto l1 = tier(memory);
  ask(*l1, request("sort a list"));
  l1->remember(request("sort a list"), reply("use sorted()"));
  EXPECT_FALSE(ask(*l1, request("sort a list backwards please")).answered);
}

TEST_F(EmbeddingTierTest, OtherModelsSamplingOrConversationsNeverHit) {
  AnswerMemory memory(database(), 100, clock_);
  auto l1 = tier(memory, {.stack = "model a"});
  ask(*l1, request("sort a list"));
  l1->remember(request("sort a list"), reply("use sorted()"));
  ASSERT_TRUE(ask(*l1, request("sort a list")).answered);

  auto other = tier(memory, {.stack = "model b"});
  EXPECT_FALSE(ask(*other, request("sort a list")).answered);
  cascade::Request longer = request("sort a list");
  longer.sampling.tokens_max = 7;
  EXPECT_FALSE(ask(*l1, longer).answered);
  cascade::Request later = request("sort a list");
  later.messages.insert(later.messages.begin(), {cascade::Role::User, "in Rust"});
  EXPECT_FALSE(ask(*l1, later).answered);
  cascade::Request with_file = request("sort a list");
  with_file.files.push_back({"a.py", "x = 1"});
  EXPECT_FALSE(ask(*l1, with_file).answered);
}

TEST_F(EmbeddingTierTest, RandomSamplingNeitherReadsNorFillsTheCache) {
  AnswerMemory memory(database(), 100, clock_);
  auto l1 = tier(memory);
  cascade::Request warm = request("sort a list");
  warm.sampling.temperature = 0.8;
  ask(*l1, warm);
  l1->remember(warm, reply("use sorted()"));
  EXPECT_FALSE(ask(*l1, warm).answered);
}

TEST_F(EmbeddingTierTest, OnlySureFinishedUnforcedAnswersFromAboveAreKept) {
  AnswerMemory memory(database(), 100, clock_);
  auto l1 = tier(memory);
  const cascade::Request asked = request("sort a list");
  ask(*l1, asked);

  cascade::Reply unsure = reply("maybe");
  unsure.sure = false;
  l1->remember(asked, unsure);
  cascade::Reply cut = reply("cut o");
  cut.trace[1].attempt.finish = cascade::Finish::Length;
  l1->remember(asked, cut);
  l1->remember(asked, reply("42", Level::L0));
  cascade::Request forced = asked;
  forced.only_level = Level::L2;
  l1->remember(forced, reply("forced"));
  EXPECT_FALSE(ask(*l1, asked).answered);
}

TEST_F(EmbeddingTierTest, TheIntentExamplesAreEmbeddedOncePerEncoder) {
  const auto intent_now = [&] {
    AnswerMemory memory(database(), 100, clock_);
    const cascade::Attempt attempt =
        ask(*tier(memory, {.stack = "", .intent_folder = folder_}),
            request("sort a list"));
    return std::pair(*attempt.evidence.text(signal::kIntent),
                     *attempt.evidence.number(signal::kIntentProbability));
  };
  const auto before = intent_now();
  // A second process finds the head: were the examples asked again, these angles would show.
  for (const intent::Example& example : intent::bundled_examples()) angles_[example.text] = 3.0;
  const auto after = intent_now();
  EXPECT_EQ(after.first, before.first);
  EXPECT_NEAR(after.second, before.second, 1e-3);
}

TEST_F(EmbeddingTierTest, AHeadOfAnotherEncoderIsPassedOverAndNamed) {
  intent::Head head{.encoder = "another",
                    .classes = {"a", "b"},
                    .dimensions = 2,
                    .weights = {1, 0, 0, 1},
                    .intercepts = {0, 0},
                    .temperature = 1,
                    .examples = 10};
  const fs::path file = folder_ / "head.json";
  ASSERT_TRUE(write_file_atomically(file, intent::head_json(head)));
  AnswerMemory memory(database(), 100, clock_);
  auto l1 = tier(memory, {.stack = "", .intent_head = file});
  EXPECT_THAT(ask(*l1, request("sort a list")).notice, HasSubstr("another embedding model"));

  head.encoder = "e1";
  ASSERT_TRUE(write_file_atomically(file, intent::head_json(head)));
  auto mine = tier(memory, {.stack = "", .intent_head = file});
  const cascade::Attempt attempt = ask(*mine, request("sort a list"));
  EXPECT_EQ(attempt.evidence.text(signal::kIntent), "a");
  EXPECT_EQ(attempt.notice, "");
}

TEST_F(EmbeddingTierTest, ALongTextsHeadNeverHitsSemantically) {
  AnswerMemory memory(database(), 100, clock_);
  const std::string long_a = std::string(1200, 'a');
  const std::string long_b = std::string(1200, 'a') + " but not the same";
  angles_[long_a] = 0.0;
  angles_[long_b] = 0.0;
  auto l1 = tier(memory);
  ask(*l1, request(long_a));
  l1->remember(request(long_a), reply("answer"));
  EXPECT_FALSE(ask(*l1, request(long_b)).answered);
  EXPECT_TRUE(ask(*l1, request(long_a)).answered);  // the same words still do
}

TEST_F(EmbeddingTierTest, AnUnusableDatabaseCostsTheCacheNotTheAnswer) {
  std::ofstream(folder_ / "file") << "in the way";
  AnswerMemory memory(folder_ / "file" / "answers.sqlite", 100, clock_);
  auto l1 = tier(memory);
  const cascade::Attempt attempt = ask(*l1, request("sort a list"));
  EXPECT_FALSE(attempt.answered);
  EXPECT_TRUE(attempt.evidence.text(signal::kIntent).has_value());
  EXPECT_THAT(attempt.notice, HasSubstr("going on without the cache"));
  EXPECT_EQ(ask(*l1, request("sort a list")).notice, "");
}

TEST_F(EmbeddingTierTest, ACorruptDatabaseIsSetAsideAndNamed) {
  std::ofstream(database()) << std::string(8192, 'x');
  AnswerMemory memory(database(), 100, clock_);
  const cascade::Attempt attempt = ask(*tier(memory), request("sort a list"));
  EXPECT_THAT(attempt.notice, HasSubstr("corrupt"));
}

TEST_F(EmbeddingTierTest, AnEncoderThatDoesNotLoadIsAnError) {
  AnswerMemory memory(database(), 100, clock_);
  EmbeddingTier l1(
      {.encoder = {.model = {.name = "encoder",
                             .path = {},
                             .sha256 = "",
                             .quantization = "",
                             .problem = {}}},
       .stack = ""},
      [](const ModelRef&) -> Result<std::unique_ptr<engine::Embedder>> {
        return Error{ErrorCode::Corrupt, "is damaged", "encoder.gguf", "import it again"};
      },
      memory, clock_);
  auto attempt = l1.attempt(request("sort a list"), {}, stop_, listener_);
  ASSERT_FALSE(attempt);
  EXPECT_EQ(attempt.error().code, ErrorCode::Corrupt);
}

TEST_F(EmbeddingTierTest, AnAnswerOfOneStateOfTheProjectIsNoneOfAnother) {
  AnswerMemory memory(database(), 100, clock_);
  std::string state = "one";
  EmbeddingTierOptions options;
  options.place = [&](const std::string&) { return Place{.project = "/p", .state = state}; };
  auto l1 = tier(memory, std::move(options));
  const cascade::Attempt before = ask(*l1, request("sort a list"));
  l1->remember(request("sort a list"), reply("use sorted()"));
  const cascade::Attempt hit = ask(*l1, request("sort a list"));
  EXPECT_EQ(hit.answer, "use sorted()");
  ASSERT_TRUE(hit.evidence.text(signal::kCacheEntry));
  EXPECT_EQ(hit.evidence.text(signal::kCacheEntry), before.evidence.text(signal::kCacheEntry))
      << "feedback about the first answer and about the hit means the same entry";
  state = "two";
  EXPECT_FALSE(ask(*l1, request("sort a list")).answered);
  EXPECT_FALSE(ask(*l1, request("how do I sort a list")).answered);
}

TEST_F(EmbeddingTierTest, AnAnswerIsOfTheStateInWhichItWasAskedFor) {
  AnswerMemory memory(database(), 100, clock_);
  std::string state = "one";
  EmbeddingTierOptions options;
  options.place = [&](const std::string&) { return Place{.project = "/p", .state = state}; };
  auto l1 = tier(memory, std::move(options));
  const cascade::Attempt before = ask(*l1, request("sort a list"));
  state = "two";  // a commit while a model writes
  l1->remember(request("sort a list"), reply("use sorted()"));
  EXPECT_FALSE(ask(*l1, request("sort a list")).answered);
  state = "one";
  const cascade::Attempt hit = ask(*l1, request("sort a list"));
  EXPECT_EQ(hit.answer, "use sorted()");
  EXPECT_EQ(hit.evidence.text(signal::kCacheEntry), before.evidence.text(signal::kCacheEntry))
      << "feedback about that climb means the entry that it left";
}

// What is remembered with one encoder is found by meaning with another once its vectors are made;
// until then the old encoder serves, and no longer than that.
TEST_F(EmbeddingTierTest, TheEncoderOfTheVectorsServesUntilThoseOfTheConfiguredAreMade) {
  AnswerMemory memory(database(), 100, clock_);
  std::vector<std::string> loaded;
  const auto tier_with = [&](const std::string& name, std::optional<double> least,
                             bool old_is_there = true) {
    EmbeddingTierOptions options;
    options.encoder.model.name = name;
    options.encoder.model.sha256 = "sha of " + name;
    options.encoder.similarity_min = least;
    options.find_encoder = [old_is_there](const std::string& model, const std::string& id) {
      std::optional<BoundEncoder> found;
      if (!old_is_there) return found;
      found.emplace();
      found->model.name = model;
      found->model.sha256 = id;
      return found;
    };
    return std::make_unique<EmbeddingTier>(
        std::move(options),
        [&](const ModelRef& model) -> Result<std::unique_ptr<engine::Embedder>> {
          loaded.push_back(model.name);
          return std::unique_ptr<engine::Embedder>(std::make_unique<TableEmbedder>(angles_));
        },
        memory, clock_);
  };
  auto before = tier_with("old", 0.97);
  ask(*before, request("sort a list"));
  before->remember(request("sort a list"), reply("use sorted()"));

  auto after = tier_with("new", 0.97);
  EXPECT_EQ(ask(*after, request("sort a list")).source, "exact cache") << "whoever encodes";
  EXPECT_EQ(ask(*after, request("how do I sort a list")).answer, "use sorted()");
  EXPECT_EQ(loaded, (std::vector<std::string>{"old", "old"}));

  // With the old model gone, the same words alone.
  auto alone = tier_with("new", 0.97, false);
  EXPECT_FALSE(ask(*alone, request("how do I sort a list")).answered);
  EXPECT_TRUE(ask(*alone, request("sort a list")).answered);
  EXPECT_EQ(loaded.back(), "new");

  // The vectors are made, and a tier that lives on takes the new one for its next question.
  auto opened = storage::Database::open(database(), clock_);
  ASSERT_TRUE(opened);
  storage::AnswerCache cache(*opened->database, clock_);
  auto rest = cache.without_vector("sha of new", 0, 10);
  ASSERT_TRUE(rest);
  ASSERT_EQ(rest->size(), 1U);
  const std::vector<int64_t> ids = {rest->front().id};
  const std::vector<std::vector<float>> vectors = {{1, 0}};
  ASSERT_TRUE(cache.add_vectors("sha of new", ids, vectors));
  ASSERT_TRUE(cache.let_serve({.id = "sha of new", .name = "new"}));
  loaded.clear();
  EXPECT_EQ(ask(*after, request("how do I sort a list")).answer, "use sorted()");
  EXPECT_EQ(loaded, std::vector<std::string>{"new"});

  // No threshold holds for it: only the same words are answered, and that is said.
  auto bare = tier_with("new", std::nullopt);
  const cascade::Attempt missed = ask(*bare, request("how do I sort a list"));
  EXPECT_FALSE(missed.answered);
  EXPECT_THAT(missed.reason, HasSubstr("calibrate"));
  EXPECT_TRUE(ask(*bare, request("sort a list")).answered);
}

// An encoder has one caller at a time; it says so where that does not hold.
class LonelyEmbedder final : public engine::Embedder {
 public:
  LonelyEmbedder(TableEmbedder table, std::atomic<int>& met)
      : table_(std::move(table)), met_(met) {}
  const engine::ModelFacts& facts() const override { return table_.facts(); }
  int dimensions() const override { return 2; }
  std::string_view backend() const override { return "a table"; }
  Result<std::vector<int32_t>> tokenize(std::string_view text) const override {
    return table_.tokenize(text);
  }
  Result<std::vector<engine::Embedding>> embed(std::span<const std::string> texts) override {
    if (inside_.exchange(true)) ++met_;
    std::this_thread::yield();
    auto embeddings = table_.embed(texts);
    inside_ = false;
    return embeddings;
  }

 private:
  TableEmbedder table_;
  std::atomic<bool> inside_{false};
  std::atomic<int>& met_;
};

// What anybody is told, and what is kept, is what one thread alone would have been told and kept.
TEST_F(EmbeddingTierTest, ManyThreadsAskOneTierAsOneThreadWould) {
  constexpr size_t kThreads = 8;
  constexpr size_t kQuestions = 24;
  std::atomic<int> met{0};
  std::atomic<int> loads{0};
  AnswerMemory memory(database(), 1000, clock_);
  EmbeddingTierOptions options;
  options.encoder.model.name = "encoder";
  options.encoder.model.sha256 = "e1";
  options.place = [](const std::string& folder) { return Place{.project = folder}; };
  EmbeddingTier shared(
      std::move(options),
      [&](const ModelRef&) -> Result<std::unique_ptr<engine::Embedder>> {
        ++loads;
        return std::unique_ptr<engine::Embedder>(
            std::make_unique<LonelyEmbedder>(TableEmbedder(angles_), met));
      },
      memory, clock_);
  const auto question = [&](size_t thread, size_t i) {
    cascade::Request asked = request(fmt::format("question {} of {}{}", i, thread,
                                                 std::string(3 * thread + i, '!')));
    asked.folder = fmt::format("/project{}", thread);
    return asked;
  };
  const auto answer = [](size_t thread, size_t i) { return fmt::format("{} {}", thread, i); };

  std::vector<std::vector<cascade::Attempt>> told(kThreads);
  std::vector<std::thread> threads;
  for (size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (size_t i = 0; i < kQuestions; ++i) {
        const cascade::Request asked = question(thread, i);
        const StopFlag stop;
        cascade::Listener listener;
        auto attempt = shared.attempt(asked, {}, stop, listener);
        ASSERT_TRUE(attempt) << attempt.error().message();
        told[thread].push_back(*attempt);
        cascade::Reply made = reply(answer(thread, i));
        made.trace.front().attempt = std::move(*attempt);
        shared.remember(asked, made);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(met, 0);
  EXPECT_EQ(loads, 1);

  AnswerMemory nothing(folder_ / "alone.sqlite", 1000, clock_);
  EmbeddingTierOptions alone_options;
  alone_options.place = [](const std::string& folder) { return Place{.project = folder}; };
  auto alone = tier(nothing, std::move(alone_options));
  for (size_t thread = 0; thread < kThreads; ++thread) {
    ASSERT_EQ(told[thread].size(), kQuestions);
    for (size_t i = 0; i < kQuestions; ++i) {
      const cascade::Request asked = question(thread, i);
      const cascade::Attempt expected = ask(*alone, asked);
      for (const std::string_view signal : {signal::kIntentProbability, signal::kIntentMargin}) {
        EXPECT_EQ(told[thread][i].evidence.number(signal), expected.evidence.number(signal));
      }
      EXPECT_EQ(told[thread][i].evidence.text(signal::kCacheEntry),
                expected.evidence.text(signal::kCacheEntry));
      auto again = shared.attempt(asked, {}, stop_, listener_);
      ASSERT_TRUE(again);
      EXPECT_EQ(again->answer, answer(thread, i)) << "kept under its own question";
    }
  }
}

TEST_F(EmbeddingTierTest, AQuestionThatNobodyWaitsForIsNotEmbedded) {
  AnswerMemory memory(database(), 100, clock_);
  auto l1 = tier(memory);
  StopFlag stop;
  stop.raise();
  auto attempt = l1->attempt(request("sort a list"), {}, stop, listener_);
  ASSERT_FALSE(attempt);
  EXPECT_EQ(attempt.error().code, ErrorCode::Interrupted);
  EXPECT_EQ(loads_, 0);
}

TEST(BindingTest, PartsNeverRunIntoEachOther) {
  cascade::Request one;
  one.messages = {{cascade::Role::User, "q"}};
  cascade::Request two = one;
  one.sampling.stop = {"ab", "c"};
  two.sampling.stop = {"a", "bc"};
  EXPECT_NE(answer_binding(one, "s").hash, answer_binding(two, "s").hash);
  EXPECT_EQ(answer_binding(one, "s").hash, answer_binding(one, "s").hash);
}

TEST(BindingTest, NoRequestIsWordedIntoAnothersAnswers) {
  cascade::Request owned;
  owned.messages = {{cascade::Role::User, "q"}};
  owned.owner = "b";
  owned.sampling.stop = {"any"};
  cascade::Request worded;
  worded.messages = owned.messages;
  worded.files.emplace_back();
  worded.files.back().path = "any";
  worded.files.back().content = "owner b";
  EXPECT_NE(answer_binding(owned, "s").hash, answer_binding(worded, "s").hash);
}

}  // namespace
}  // namespace tinyarms::tiers
