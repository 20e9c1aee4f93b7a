#include "eval/trial.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "eval/bench_test_support.h"
#include "eval/own_failures.h"
#include "eval/trial_calibrator.h"

namespace tinyarms::eval {
namespace {

// Outcomes over the same questions, as letters. Right were: o only the model in use, n only the new
// one, b both, '-' neither. 1: measured of the one in use alone (and wrong), ' ': of neither.
Summary summary_of(const std::string& outcomes) {
  Summary summary;
  TaskFacts& facts = summary.tasks.emplace_back();
  facts.name = "sums";
  facts.items = outcomes.size();
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const char c = outcomes[i];
    const std::string item = fmt::format("{:03}", i);
    if (c == ' ') continue;
    summary.scores["sums"]["old"][item] = c == 'o' || c == 'b' ? 1 : 0;
    if (c != '1') summary.scores["sums"]["new"][item] = c == 'n' || c == 'b' ? 1 : 0;
  }
  return summary;
}

Trial trial_of(const std::string& outcomes) {
  Trial trial;
  trial.in_use.name = "old";
  trial.in_use.sha256 = std::string(64, 'a');
  trial.on_trial.name = "new";
  trial.on_trial.sha256 = std::string(64, 'b');
  count_outcomes(summary_of(outcomes), trial);
  return trial;
}

std::string times(size_t count, const std::string& text) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

TrialFinding finding_of(const std::string& outcomes, double margin = 0) {
  return judge_trial(trial_of(outcomes), margin).finding;
}

TEST(Trial, CountsWhatBothWereMeasuredOn) {
  const Trial trial = trial_of("onb-1 nn");
  EXPECT_EQ(trial.all.paired.items, 6u);
  EXPECT_EQ(trial.all.paired.only_first, 1u);
  EXPECT_EQ(trial.all.paired.only_second, 3u);
  EXPECT_EQ(trial.all.one_sided, 1u);
  EXPECT_EQ(trial.all.unmeasured, 1u);
  ASSERT_EQ(trial.tasks.size(), 1u);
  EXPECT_EQ(trial.tasks[0].name, "sums");
}

TEST(Trial, FindsByIntervalAndTest) {
  EXPECT_EQ(finding_of(times(20, "n") + times(80, "b")), TrialFinding::Better);
  EXPECT_EQ(finding_of(times(20, "o") + times(80, "b")), TrialFinding::Worse);
  EXPECT_EQ(finding_of(times(10, "no") + times(80, "b")), TrialFinding::NotShown);
  EXPECT_EQ(finding_of(times(100, "b")), TrialFinding::NotShown);
  EXPECT_EQ(finding_of(""), TrialFinding::NotShown);
  // The interval alone would call five to none a win; the exact test does not (p = 1/16).
  const std::string five = times(5, "n") + times(55, "b");
  EXPECT_GT(judge_trial(trial_of(five), 0).interval.low, 0);
  EXPECT_EQ(finding_of(five), TrialFinding::NotShown);
}

TEST(Trial, WantsAsMuchAsTheMargin) {
  const std::string outcomes = times(20, "n") + times(80, "b");
  const TrialVerdict verdict = judge_trial(trial_of(outcomes), 0);
  EXPECT_DOUBLE_EQ(verdict.difference, 20);
  EXPECT_GT(verdict.interval.low, 10);
  EXPECT_LT(verdict.interval.low, 15);
  EXPECT_EQ(finding_of(outcomes, 10), TrialFinding::Better);
  EXPECT_EQ(finding_of(outcomes, 15), TrialFinding::NotShown);
  // What is lost is lost, however much was to be won.
  EXPECT_EQ(finding_of(times(20, "o") + times(80, "b"), 50), TrialFinding::Worse);
}

TEST(Trial, IsNotWonByWhatOneCouldNotBeAsked) {
  const TrialVerdict verdict = judge_trial(trial_of(times(50, "n") + "1"), 0);
  EXPECT_EQ(verdict.finding, TrialFinding::NotShown);
  EXPECT_NE(verdict.reason.find("1 questions were measured of one model alone"),
            std::string::npos);
}

TEST(Trial, IsNotWonByOwnFailures) {
  Summary summary = summary_of(times(20, "b"));
  TaskFacts& facts = summary.tasks.emplace_back();
  facts.name = kOwnFailures;
  facts.items = 60;
  for (int i = 0; i < 60; ++i) {
    summary.scores[facts.name]["old"][fmt::format("{}", i)] = 0;
    if (i < 50) summary.scores[facts.name]["new"][fmt::format("{}", i)] = 1;
  }
  Trial trial = trial_of("");
  count_outcomes(summary, trial);
  ASSERT_EQ(trial.tasks.size(), 2u);
  EXPECT_EQ(trial.tasks[1].paired.only_second, 50u);
  EXPECT_EQ(trial.all.paired.items, 20u);
  EXPECT_EQ(trial.all.one_sided, 0u);
  EXPECT_EQ(judge_trial(trial, 0).finding, TrialFinding::NotShown);
}

TEST(Trial, ReadsBackWhatItWrote) {
  Trial trial = trial_of("onb-nnn");
  trial.at = 1700000000;
  trial.version = "0.1";
  trial.engine = "ggml 1";
  trial.tier = "l2";
  trial.context_tokens = 4096;
  trial.threads = 3;
  trial.on_trial.memory_bytes = 5;
  trial.on_trial.answer_tokens_rate = 2.5;
  trial.calibration = {.written = 7, .right = 5, .brier = 0.1, .brier_of_share = 0.2,
                       .problem = "too few"};
  const std::string text = trial_json(trial, judge_trial(trial, 1));
  const auto read = parse_trial(text);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(trial_json(*read, judge_trial(*read, 1)), text);
  EXPECT_EQ(trial_files("x", *read).folder, trial_files("x", trial).folder);
}

TEST(Trial, RefusesWhatNoRunWrote) {
  const Trial trial = trial_of("onb-nnn");
  const std::string text = trial_json(trial, judge_trial(trial, 0));
  const auto with = [&](const std::string& what, const std::string& instead) {
    std::string changed = text;
    const size_t at = changed.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    changed.replace(at, what.size(), instead);
    return parse_trial(changed);
  };
  const auto code_of = [](const Result<Trial>& read) {
    EXPECT_FALSE(read);
    return read ? ErrorCode::Internal : read.error().code;
  };
  EXPECT_EQ(code_of(with("tinyarms-trial/1", "tinyarms-trial/2")), ErrorCode::Unsupported);
  EXPECT_EQ(code_of(with("\"only_in_use\": 1", "\"only_in_use\": 100")), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(with("\"only_in_use\": 1", "\"only_in_use\": -1")), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(with("\"p_value\": ", "\"p_value\": 1")), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(with("\"all\"", "\"none\"")), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(with("\"items\": 7", "\"items\": \"7\"")), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(parse_trial("[1]")), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(parse_trial("{")), ErrorCode::Corrupt);
}

TEST(Trial, FilesOfOneTrialAreNotAnothers) {
  Trial trial = trial_of("n");
  const auto folder = trial_files("trials", trial).folder;
  const auto other = [&](auto change) {
    Trial changed = trial;
    change(changed);
    return trial_files("trials", changed).folder != folder;
  };
  EXPECT_TRUE(other([](Trial& t) { t.on_trial.sha256[0] = 'c'; }));
  EXPECT_TRUE(other([](Trial& t) { std::swap(t.in_use, t.on_trial); }));
  EXPECT_TRUE(other([](Trial& t) { t.on_trial.name = "renamed"; }));
  EXPECT_TRUE(other([](Trial& t) { t.engine = "another"; }));
  EXPECT_TRUE(other([](Trial& t) { t.context_tokens = 256; }));
  EXPECT_TRUE(other([](Trial& t) { t.threads = 2; }));
  EXPECT_FALSE(other([](Trial& t) { t.at = 5; }));
}

TEST(Trial, StoredOnesComeNewestFirst) {
  const testing::TemporaryFolder folder;
  EXPECT_TRUE(stored_trials(folder / "none").empty());
  for (const double at : {10.0, 30.0, 20.0}) {
    Trial trial = trial_of("n");
    trial.at = at;
    trial.context_tokens = static_cast<uint32_t>(at);
    ASSERT_TRUE(write_file_atomically(trial_files(folder / "trials", trial).trial(),
                                      trial_json(trial, judge_trial(trial, 0))));
  }
  ASSERT_TRUE(write_file_atomically(folder / "trials" / "broken" / "trial.json", "{"));
  const auto found = stored_trials(folder / "trials");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].trial.at, 30);
  EXPECT_EQ(found[2].trial.at, 10);
}

// `count` answers of a model, of which those with a high p_mean are right; every fifth is a choice.
std::filesystem::path write_answers(const testing::TemporaryFolder& folder, int count) {
  const std::filesystem::path file = folder / "new.jsonl";
  std::ofstream stream(file);
  for (int i = 0; i < count; ++i) {
    BenchRecord record;
    record.id = fmt::format("sums/{}", i);
    record.task = "sums";
    record.item = fmt::format("{}", i);
    record.subject = record.tier = "new";
    record.model_sha = std::string(64, 'b');
    record.quantization = "Q4_1";
    record.correct = i % 2 == 0;
    record.kept = true;
    record.seconds = 1;
    if (i >= 200) record.group = kOwnFailures;
    if (i % 5 == 0) {
      record.evidence.set("p_option", 0.5);
    } else {
      record.evidence.set("p_mean", (record.correct ? 0.6 : 0.3) + 0.3 * (i % 7) / 7);
    }
    stream << record_line(record);
  }
  return file;
}

TEST(TrialCalibrator, IsFittedToWrittenAnswersAndBound) {
  const testing::TemporaryFolder folder;
  const TrialCalibrator fitted =
      fit_trial_calibrator({.records = write_answers(folder, 230), .subject = "new",
                            .level = "l3", .engine = "ggml 1", .sampler = "greedy"});
  EXPECT_EQ(fitted.account.problem, "");
  EXPECT_EQ(fitted.account.written, 160u);
  EXPECT_EQ(fitted.account.right, 80u);
  EXPECT_LT(fitted.account.brier, fitted.account.brier_of_share);
  ASSERT_TRUE(fitted.set);
  EXPECT_EQ(fitted.set->tier, "l3");
  const calibration::ServingIdentity identity{std::string(64, 'b'), "Q4_1", "ggml 1", "greedy"};
  EXPECT_EQ(fitted.set->identity, identity);
  for (const std::string& signal : fitted.set->pooled.calibrator.signals) {
    EXPECT_NE(signal, "p_option");
  }
}

// What it runs passes where the source is "good", as a sandbox would find.
class ReadingJudge final : public sandbox::Judge {
 public:
  Result<void> available(std::string_view) override { return {}; }
  Result<sandbox::Outcome> run(const sandbox::Program& program) override {
    tests = program.tests;
    sandbox::Outcome outcome;
    outcome.exit_code = program.source.find("good") == std::string::npos ? 1 : 0;
    return outcome;
  }

  std::string tests;
};

TEST(OwnFailures, AreJudgedByTheirOwnExamples) {
  const std::string question = "Write double(x) in Python.\nassert double(2) == 4\n";
  EXPECT_TRUE(carries_examples(question));
  EXPECT_FALSE(carries_examples("Why is the sky blue?"));
  const auto task = make_own_failures({{"d1", question}});
  const auto items = task->read("");
  ASSERT_TRUE(items);
  ASSERT_EQ(items->size(), 1u);
  EXPECT_EQ((*items)[0].id, "d1");
  ReadingJudge judge;
  const auto right = [&](std::string_view answer) {
    const auto verdict = task->score((*items)[0], answer, judge);
    return verdict && verdict->correct;
  };
  EXPECT_TRUE(right("```python\ndef double(x): return 2 * x  # good\n```"));
  EXPECT_NE(judge.tests.find("double(2)"), std::string::npos);
  EXPECT_FALSE(right("```python\ndef double(x): return x\n```"));
  EXPECT_FALSE(right("I do not know, good question."));
}

TEST(TrialCalibrator, SaysWhatIsMissing) {
  const testing::TemporaryFolder folder;
  const TrialCalibratorRequest request{.records = write_answers(folder, 100), .subject = "new",
                                       .level = "l2", .engine = "e", .sampler = "greedy"};
  TrialCalibrator fitted = fit_trial_calibrator(request);
  EXPECT_FALSE(fitted.set);
  EXPECT_EQ(fitted.account.written, 80u);
  EXPECT_NE(fitted.account.problem.find("80 written answers, 100 are needed"), std::string::npos);
  TrialCalibratorRequest nowhere = request;
  nowhere.records = folder / "nowhere.jsonl";
  fitted = fit_trial_calibrator(nowhere);
  EXPECT_FALSE(fitted.set);
  EXPECT_NE(fitted.account.problem, "");
}

}  // namespace
}  // namespace tinyarms::eval
