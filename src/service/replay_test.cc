#include "service/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <random>

#include "cascade/formula_estimator.h"
#include "service/decision_record.h"
#include "service/judgement.h"
#include "service/promise_watch.h"

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;
using cascade::Level;
using testing::HasSubstr;

class StillClock final : public Clock {
 public:
  double monotonic_seconds() const override { return 0; }
  double wall_seconds() const override { return 1e9; }
};

cascade::PolicyTerms keep_from(double threshold) {
  cascade::PolicyTerms terms;
  terms.tiers[Level::L2].threshold = threshold;
  terms.tiers[Level::L3].threshold = 0;
  return terms;
}

ReplayStep answer(Level level, double p, std::optional<bool> right, double seconds) {
  ReplayStep step;
  step.level = level;
  step.attempt.answered = true;
  step.attempt.evidence.set("logprob_mean", std::log(p));
  step.right = right;
  step.seconds = seconds;
  return step;
}

ReplayItem record(double p, bool small, bool large) {
  ReplayItem item;
  item.steps = {answer(Level::L2, p, small, 1), answer(Level::L3, 0.9, large, 4)};
  return item;
}

TEST(Replay, CountsFatesOnRecords) {
  // From 0.5 to 0.8, the answers between go on to the larger tier.
  const std::vector<ReplayItem> items = {
      record(0.6, false, true), record(0.6, true, false), record(0.7, true, true),
      record(0.7, false, false), record(0.9, true, false), record(0.2, false, true)};
  const ReplayReport report =
      replay(items, cascade::FormulaEstimator(), keep_from(0.5), keep_from(0.8));
  EXPECT_EQ(report.fates.rescue, 1u);
  EXPECT_EQ(report.fates.loss, 1u);
  EXPECT_EQ(report.fates.safe, 3u);
  EXPECT_EQ(report.fates.hard, 1u);
  EXPECT_EQ(report.changed, 4u);
  EXPECT_NEAR(report.accuracy_before, 4.0 / 6, 1e-12);
  EXPECT_NEAR(report.seconds_before, (5 * 1 + 5) / 6.0, 1e-12);
  EXPECT_NEAR(report.seconds_after, (1 + 5 * 5) / 6.0, 1e-12);
  EXPECT_FALSE(report.off_policy);
}

// The test stops at the second token without a margin; "A" is a margin of 0, "_" of 1.
tiers::EarlyAbort second_doubt(Level level, const cascade::Origin&, double threshold) {
  if (level != Level::L2 || threshold < 0.5) return {};
  return {.test = calibration::MarginTest{calibration::MarginTest::Kind::Cusum, 0, 126},
          .explanation = "a promise"};
}

TEST(Replay, StopsDraftsAsLive) {
  std::vector<ReplayItem> items = {record(0.9, true, false), record(0.9, false, true),
                                   record(0.9, true, true), record(0.9, true, false)};
  const char* traces[] = {"A_A_____", "_AA_____", "________", "_____A_A"};
  for (size_t i = 0; i < items.size(); ++i) {
    items[i].steps[0].attempt.evidence.set("margin_trace", traces[i]);
  }
  const cascade::FormulaEstimator estimator;
  const ReplayReport without =
      replay(items, estimator, keep_from(0.5), keep_from(0.5));
  EXPECT_EQ(without.drafts_stopped, 0u);
  EXPECT_EQ(without.accuracy_after, 0.75);
  const ReplayReport with =
      replay(items, estimator, keep_from(0.2), keep_from(0.5), second_doubt);
  EXPECT_EQ(with.drafts_watched, 4u);
  EXPECT_EQ(with.drafts_stopped, 2u);  // the last doubts only when it is at its end
  EXPECT_EQ(with.tokens_watched, 32u);
  EXPECT_EQ(with.tokens_saved, 10u);
  EXPECT_EQ(with.fates.loss, 1u);
  EXPECT_EQ(with.fates.rescue, 1u);
  EXPECT_THAT(replay_text(with), HasSubstr("2 of 4 drafts stopped, 10 of 32"));
}

TEST(Replay, ADraftThatWasStoppedIsKeptByNoTerms) {
  ReplayItem item = record(0.9, false, true);
  cascade::Attempt& draft = item.steps[0].attempt;
  draft.finish = cascade::Finish::Abandoned;
  item.steps[0].kept = false;
  item.steps[1].kept = true;
  item.winner = 1;
  const ReplayReport report =
      replay({item}, cascade::FormulaEstimator(), keep_from(0.5), keep_from(0.0));
  EXPECT_EQ(report.changed, 0u);
  EXPECT_EQ(report.fates.safe, 1u);
  ASSERT_FALSE(report.notes.empty());
  EXPECT_THAT(report.notes[0], HasSubstr("had been stopped early"));
}

TEST(Replay, TheLogRemembersThatADraftWasStopped) {
  storage::LoggedStep step{.level = "l2", .verdict = "escalate"};
  step.answered = true;
  step.evidence = R"({"stopped_early": true})";
  EXPECT_EQ(attempt_of(step).finish, cascade::Finish::Abandoned);
  step.evidence = R"({"stopped_early": "yes"})";
  EXPECT_EQ(attempt_of(step).finish, cascade::Finish::Stop);
}

TEST(Replay, WhatWasNotAskedIsNotMadeUp) {
  ReplayItem item;
  item.steps = {answer(Level::L2, 0.6, true, 1)};
  item.steps[0].kept = true;
  item.winner = 0;
  item.more_above = true;
  const ReplayReport report =
      replay({item}, cascade::FormulaEstimator(), keep_from(0.5), keep_from(0.8));
  EXPECT_EQ(report.beyond_log, 1u);
  EXPECT_EQ(report.fates.unknown, 1u);
  ASSERT_TRUE(report.off_policy);
  EXPECT_FALSE(report.off_policy->accuracy);
  EXPECT_THAT(replay_text(report), testing::HasSubstr("cannot say"));
}

TEST(Replay, TheSameTermsChangeNothing) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> uniform(0.01, 1);
  std::vector<ReplayItem> items;
  for (int i = 0; i < 300; ++i) {
    items.push_back(record(uniform(random), uniform(random) < 0.5, uniform(random) < 0.7));
  }
  const ReplayReport report =
      replay(items, cascade::FormulaEstimator(), keep_from(0.6), keep_from(0.6));
  EXPECT_EQ(report.changed, 0u);
  EXPECT_EQ(report.fates.rescue + report.fates.loss, 0u);
  EXPECT_EQ(report.fates.known(), 300u);
  EXPECT_EQ(report.accuracy_before, report.accuracy_after);
}

TEST(Replay, RulesByWordsNeedTheWords) {
  cascade::PolicyTerms terms = keep_from(0.5);
  terms.rules.push_back({.name = "sql", .words = {"sql"}, .at_least = Level::L3});
  ReplayItem silent = record(0.9, true, true);
  ReplayItem spoken = record(0.9, true, true);
  spoken.question = "this SQL";
  const ReplayReport report =
      replay({silent, spoken}, cascade::FormulaEstimator(), keep_from(0.5), terms);
  EXPECT_EQ(report.changed, 1u);
  ASSERT_FALSE(report.notes.empty());
  EXPECT_THAT(report.notes[0], testing::HasSubstr("1 questions whose text was not kept"));
}

// The whole loop without a model: a scripted cascade that explores, its log, outcomes, and the
// estimate of another policy's worth held against that policy's true worth.
TEST(Replay, OffPolicyFindsTheTruthFromALogThatExplored) {
  const fs::path folder =
      fs::temp_directory_path() / ("tinyarms_replay_" + std::to_string(::getpid()));
  const StillClock clock;
  std::mt19937_64 random(17);
  std::uniform_real_distribution<double> uniform;
  const cascade::FormulaEstimator estimator;
  cascade::PolicyTerms logging = keep_from(0.5);
  logging.explore = 0.15;
  const cascade::DeclaredPolicy policy(estimator, logging, [&] { return uniform(random); });
  const CalibratedEstimator unused;
  double truth = 0;
  constexpr int kQuestions = 3000;
  {
    storage::DecisionLogWriter writer(folder / "log.sqlite", clock);
    std::unique_ptr<storage::DecisionLog> log;
    std::vector<std::pair<std::string, bool>> outcomes;
    for (int i = 0; i < kQuestions; ++i) {
      const double p = 0.01 + 0.98 * uniform(random);
      truth += (p >= 0.8 ? p : 0.9) / kQuestions;
      cascade::Reply reply;
      cascade::Step& small = reply.trace.emplace_back();
      small.level = Level::L2;
      small.attempt = answer(Level::L2, p, {}, 1).attempt;
      const cascade::Request request;
      const auto verdict = policy.judge({request, Level::L2, {}}, small.attempt);
      const bool kept = verdict.action == cascade::Action::Keep;
      small.decision = kept ? cascade::Decision::Accept : cascade::Decision::Escalate;
      small.propensity = verdict.propensity;
      if (!kept) {
        cascade::Step& large = reply.trace.emplace_back();
        large.level = Level::L3;
        large.attempt = answer(Level::L3, 0.9, {}, 4).attempt;
        large.decision = cascade::Decision::Accept;
      }
      reply.winner = reply.trace.size() - 1;
      const std::string id = new_decision_id() + std::to_string(i);
      outcomes.emplace_back(id, uniform(random) < (kept ? p : 0.9));
      const auto logged = decision_record(request, reply, unused, {.id = id, .policy = ""});
      while (!writer.add(logged)) writer.flush();
    }
    writer.flush();
    auto opened = storage::DecisionLog::open(folder / "log.sqlite", clock);
    ASSERT_TRUE(opened);
    for (const auto& [id, good] : outcomes) {
      ASSERT_TRUE((*opened)->add_outcome(id, good, "test"));
    }
  }
  auto items = load_replay(folder / "log.sqlite", clock, {});
  ASSERT_TRUE(items) << items.error().message();
  ASSERT_EQ(items->size(), static_cast<size_t>(kQuestions));
  const ReplayReport report = replay(*items, estimator, keep_from(0.5), keep_from(0.8));
  ASSERT_TRUE(report.off_policy);
  ASSERT_TRUE(report.off_policy->accuracy) << report.off_policy->why_not;
  EXPECT_NEAR(*report.off_policy->accuracy, truth, 0.08) << "seed 17";
  EXPECT_LE(report.off_policy->accuracy_interval.low, truth);
  EXPECT_GE(report.off_policy->accuracy_interval.high, truth);
  fs::remove_all(folder);
}

TEST(Replay, RecordsAreReadAndBadFilesRefused) {
  const fs::path file =
      fs::temp_directory_path() / ("tinyarms_records_" + std::to_string(::getpid()) + ".jsonl");
  std::ofstream(file) << R"({"id":"a","group":"code","tiers":[)"
                         R"({"name":"small","correct":true,"cost":1,"evidence":{"finished":true}},)"
                         R"({"name":"large","correct":false,"cost":3}]})"
                      << "\n";
  const StillClock clock;
  auto items = load_replay(file, clock, {});
  ASSERT_TRUE(items) << items.error().message();
  ASSERT_EQ(items->size(), 1u);
  EXPECT_EQ((*items)[0].group, "code");
  ASSERT_EQ((*items)[0].steps.size(), 2u);
  EXPECT_EQ((*items)[0].steps[0].level, Level::L2);
  EXPECT_EQ((*items)[0].steps[1].level, Level::L3);
  EXPECT_EQ((*items)[0].steps[0].attempt.evidence.flag("finished"), true);
  std::ofstream(file) << "not json\n";
  EXPECT_FALSE(load_replay(file, clock, {}));
  fs::remove(file);
  EXPECT_EQ(load_replay(file, clock, {}).error().code, ErrorCode::NotFound);
}

TEST(PromiseWatch, ABrokenPromiseVoidsTheCertificateAndRaisesThresholds) {
  const fs::path folder =
      fs::temp_directory_path() / ("tinyarms_watch_" + std::to_string(::getpid()));
  fs::create_directories(folder / "calibration");
  calibration::Certificate certificate;
  certificate.tier = "l2";
  certificate.score = "margin_mean";
  certificate.hashes = {{"model", "m"}, {"quantization", "q"}, {"engine", "e"}, {"sampler", "s"}};
  certificate.pooled = calibration::Certified{
      .threshold = 0.5, .records = 200, .kept = 100, .wrong = 2, .bound = 0.09};
  std::ofstream(folder / "calibration" / "certificate-l2.json") << certificate_json(certificate);

  Settings settings;
  settings.calibration.files = {(folder / "calibration").string()};
  settings.log.decisions = true;
  Paths paths;
  paths.data_dir = folder;
  const StillClock clock;
  cascade::Attempt attempt = answer(Level::L2, 0.9, {}, 1).attempt;
  attempt.origin = {"m", "q", "e", "s"};
  attempt.evidence.set("margin_mean", 0.8);
  const cascade::Request request;

  std::vector<std::string> ids;
  {
    std::vector<std::string> notices;
    Judgement judgement(settings, paths, clock, notices);
    EXPECT_TRUE(notices.empty());
    const auto verdict = judgement.policy().judge({request, Level::L2, {}}, attempt);
    EXPECT_EQ(verdict.action, cascade::Action::Keep);
    EXPECT_TRUE(verdict.confidence.certified);
    for (int i = 0; i < 30; ++i) {
      cascade::Reply reply;
      cascade::Step& step = reply.trace.emplace_back();
      step.level = Level::L2;
      step.attempt = attempt;
      step.decision = cascade::Decision::Accept;
      step.certified = true;
      reply.winner = 0;
      ids.push_back(judgement.record(request, reply));
      ASSERT_EQ(ids.back().size(), 12u);
    }
  }
  {
    auto log = storage::DecisionLog::open_existing(decision_log_path(paths), clock);
    ASSERT_TRUE(log) << log.error().message();
    for (const std::string& id : ids) ASSERT_TRUE((*log)->add_outcome(id, false, "feedback"));
  }
  std::vector<std::string> notices;
  const Judgement judgement(settings, paths, clock, notices);
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_THAT(notices[0], testing::HasSubstr("30 of 30 kept answers were wrong"));
  EXPECT_THAT(notices[0], testing::HasSubstr("certificate is void"));
  const auto verdict = judgement.policy().judge({request, Level::L2, {}}, attempt);
  EXPECT_EQ(verdict.action, cascade::Action::Climb);
  EXPECT_FALSE(verdict.confidence.certified);
  EXPECT_THAT(verdict.reason, testing::HasSubstr("of the safe setting"));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace tinyarms::service
