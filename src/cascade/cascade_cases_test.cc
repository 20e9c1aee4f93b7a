// Plays tests/cases/*.case (format: tests/cases/README.md) through the cascade.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "base/hand_clock.h"
#include "cascade/cascade.h"
#include "cascade/case_file_test.h"
#include "cascade/formula_estimator.h"

namespace tinyarms::cascade {
namespace {

namespace fs = std::filesystem;

struct Stage {
  HandClock clock{1000};
  StopFlag stop;
};

class ScriptedTier final : public Tier {
 public:
  ScriptedTier(const CaseTier& script, Stage& stage) : script_(script), stage_(stage) {}

  Level level() const override { return script_.level; }
  std::string describe() const override { return "scripted"; }
  Route route(const Request& request, const Trace&) const override {
    return {.name = request.model.empty() ? script_.route : ""};
  }
  std::optional<std::string> skip_reason(const Request&, const Trace&) const override {
    if (script_.act == "skip") return script_.text;
    return std::nullopt;
  }
  Result<Attempt> attempt(const Request&, const Trace& so_far, const StopFlag&,
                          Listener&) override {
    for (const auto& [name, text] : script_.sees) EXPECT_EQ(find_text(so_far, name), text);
    stage_.clock.now += script_.seconds;
    if (script_.stop) stage_.stop.raise();
    if (script_.act == "fail") return Error{script_.error, script_.text, "", ""};
    Attempt attempt;
    attempt.answered = script_.act == "answer";
    (attempt.answered ? attempt.answer : attempt.reason) = script_.text;
    attempt.finish = script_.finish;
    attempt.source = script_.source;
    attempt.cost.completion_tokens = 1;
    attempt.evidence = script_.evidence;
    return attempt;
  }
  Result<Attempt> attempt_within(const Outlook& outlook, const Request& request,
                                 const Trace& so_far, const StopFlag& stop,
                                 Listener& listener) override {
    if (script_.bar) {
      EXPECT_EQ(outlook.threshold, *script_.bar);
    }
    Result<Attempt> made = attempt(request, so_far, stop, listener);
    if (!made || script_.gives_up.empty() || !outlook.may_climb) return made;
    made->finish = Finish::Abandoned;
    made->reason = script_.gives_up;
    return made;
  }

 private:
  const CaseTier& script_;
  Stage& stage_;
};

// As the formula has it; fitted to outcomes where the case says so.
class CaseEstimator final : public Estimator {
 public:
  Confidence estimate(Level level, const Attempt& attempt) const override {
    Confidence confidence = formula_.estimate(level, attempt);
    confidence.calibrated = attempt.evidence.flag("calibrated").value_or(false);
    return confidence;
  }

 private:
  FormulaEstimator formula_;
};

std::vector<std::unique_ptr<Tier>> tiers_of(const CaseFile& script, const Estimator& estimator,
                                            Stage& stage) {
  std::vector<std::unique_ptr<Tier>> tiers;
  for (size_t i = 0; i < script.tiers.size(); ++i) {
    auto tier = std::make_unique<ScriptedTier>(script.tiers[i], stage);
    const std::optional<CaseEnsemble>& pair = script.tiers[i].pair;
    if (!pair) {
      tiers.push_back(std::move(tier));
      continue;
    }
    tiers.push_back(std::make_unique<Ensemble>(
        std::move(tier), std::make_unique<ScriptedTier>(script.tiers[++i], stage),
        EnsembleOptions{.rule = pair->rule,
                        .estimator = estimator,
                        .compare = [pair](const Request&, const Attempt&, const Attempt&) {
                          return pair->likeness;
                        }}));
  }
  return tiers;
}

class CountingListener final : public Listener {
 public:
  void tier_started(Level level, std::string_view) override { started.push_back(level); }
  void step_finished(const Step& step) override { finished.push_back(step.decision); }
  std::vector<Level> started;
  std::vector<Decision> finished;
};

void compare_step(const CaseStep& expected, const Step& step) {
  EXPECT_EQ(level_name(step.level), level_name(expected.level));
  EXPECT_EQ(decision_name(step.decision), expected.decision);
  EXPECT_THAT(step.reason, testing::HasSubstr(expected.reason));
  for (const auto& [name, value] : expected.numbers) {
    const std::optional<double> actual = name == "confidence"  ? step.confidence
                                         : name == "threshold" ? step.threshold
                                                               : std::optional(step.seconds);
    ASSERT_TRUE(actual) << name << " is missing";
    EXPECT_NEAR(*actual, value, 1e-9) << name;
  }
  const auto& held = step.attempt.evidence.items();
  for (const auto& item : expected.evidence.items()) {
    EXPECT_THAT(held, testing::Contains(item)) << "evidence " << item.first;
  }
  if (step.attempt.answered) {
    EXPECT_EQ(step.attempt.cost.seconds, step.seconds);
  }
}

// The plan is the run without the tiers: it must skip exactly what the run skipped, but for what
// depends on the time the tiers take and on what they find out.
void compare_plan(const CaseFile& script, const Trace& plan, const Trace& trace) {
  if (script.request.seconds_max || script.request.cost_max || script.terms.seconds_max ||
      script.terms.cost_max || !script.terms.rules.empty()) {
    return;
  }
  // A draft that was given up may be asked for again, which no plan foresees.
  const bool given_up = std::any_of(trace.begin(), trace.end(), [](const Step& step) {
    return step.attempt.finish == Finish::Abandoned;
  });
  ASSERT_GE(plan.size() + (given_up ? 1U : 0U), trace.size());
  for (size_t i = 0; i < std::min(plan.size(), trace.size()); ++i) {
    if (trace[i].decision == Decision::Interrupt) continue;
    EXPECT_EQ(plan[i].decision == Decision::Skip, trace[i].decision == Decision::Skip) << i;
  }
}

fs::path cases_folder() {
  const char* source = std::getenv("TINYARMS_SOURCE");
  return source != nullptr ? fs::path(source) / "tests/cases" : fs::path();
}

// The parameter is the file's name without ".case".
class CascadeCase : public testing::TestWithParam<std::string> {};

TEST_P(CascadeCase, Plays) {
  const std::string file = GetParam() + ".case";
  auto text = read_file(cases_folder() / file, 1 << 20);
  ASSERT_TRUE(text) << text.error().message();
  auto script = parse_case(file, *text);
  ASSERT_TRUE(script) << script.error().message();

  Stage stage;
  if (script->stopped) stage.stop.raise();
  const CaseEstimator estimator;
  std::vector<std::unique_ptr<Tier>> tiers = tiers_of(*script, estimator, stage);
  PolicyTerms terms = script->terms;
  for (const auto& [level, value] : {std::pair(Level::L2, 0.6), std::pair(Level::L4, 0.0)}) {
    std::optional<double>& threshold = terms.tiers[level].threshold;
    if (!threshold) threshold = value;
  }
  const DeclaredPolicy policy(estimator, std::move(terms));
  Cascade cascade(std::move(tiers), policy, stage.clock);
  const Trace plan = cascade.plan(script->request);
  CountingListener listener;
  const Reply reply = cascade.run(script->request, stage.stop, listener);

  ASSERT_EQ(reply.trace.size(), script->steps.size()) << "steps";
  size_t asked = 0;
  double now = 0;
  for (size_t i = 0; i < reply.trace.size(); ++i) {
    SCOPED_TRACE(fmt::format("step {}", i + 1));
    compare_step(script->steps[i], reply.trace[i]);
    EXPECT_EQ(listener.finished[i], reply.trace[i].decision);
    EXPECT_NEAR(reply.trace[i].started, now, 1e-9);  // time goes by in tiers alone
    now += reply.trace[i].seconds;
    const bool unasked = reply.trace[i].decision == Decision::Skip ||
                         reply.trace[i].reason == "stopped before this tier was asked";
    asked += unasked ? 0 : 1;
  }
  EXPECT_EQ(listener.started.size(), asked);
  compare_plan(*script, plan, reply.trace);
  ASSERT_EQ(reply.step() != nullptr, script->reply.has_value());
  if (script->reply) {
    EXPECT_EQ(reply.step()->attempt.answer, *script->reply);
  }
  EXPECT_EQ(reply.sure, script->sure);
  EXPECT_EQ(reply.interrupted, script->interrupted);
}

std::vector<std::string> find_cases() {
  std::vector<std::string> names;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(cases_folder(), problem)) {
    if (entry.path().extension() == ".case") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CascadeCase);
INSTANTIATE_TEST_SUITE_P(Cases, CascadeCase, testing::ValuesIn(find_cases()),
                         [](const auto& instance) { return instance.param; });

TEST(CascadeCases, AreFound) {
  // The cases are part of the repository: not finding them is a failure, never a reason to skip.
  ASSERT_FALSE(cases_folder().empty()) << "set TINYARMS_SOURCE to the repository's root, as ctest "
                                          "does";
  EXPECT_GE(find_cases().size(), 30u);
}

TEST(CaseFile, FaultsNameTheirLine) {
  const std::pair<const char*, const char*> faults[] = {
      {"tier l0 skip \"x\"\nreply none\n", "bad:1"},                 // no description
      {"# x\n", "bad:1"},                                           // no reply
      {"# x\ntire l0 skip \"x\"\nreply none\n", "bad:2"},            // unknown line
      {"# x\ntier l7 skip \"x\"\nreply none\n", "bad:2"},            // unknown level
      {"# x\ntier l0 dance \"x\"\nreply none\n", "bad:2"},           // unknown act
      {"# x\ntier l0 skip \"x\nreply none\n", "bad:2"},              // open quote
      {"# x\ntier l0 skip \"x\" seconds=soon\nreply none\n", "bad:2"},
      {"# x\nrequest l9=1\nreply none\n", "bad:2"},
      {"# x\nstep l0 shrug \"x\"\nreply none\n", "bad:2"},
      {"# x\nreply none\nreply none\n", "bad:3"},
      {"# x\nreply maybe\n", "bad:2"},
      {"# x\npolicy mood=1\nreply none\n", "bad:2"},
      {"# x\nterms l3 weight=1\nreply none\n", "bad:2"},
      {"# x\nrule \"r\" l9=1\nreply none\n", "bad:2"},
      {"# x\nensemble loud\nreply none\n", "bad:2"},
      {"# x\nensemble confidence\ntier l2 abstain \"x\"\nreply none\n", "bad:4"},
  };
  for (const auto& [text, where] : faults) {
    auto script = parse_case("bad", text);
    ASSERT_FALSE(script) << text;
    EXPECT_EQ(script.error().where, where) << text << script.error().message();
  }
}

}  // namespace
}  // namespace tinyarms::cascade
