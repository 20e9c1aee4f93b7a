#include "eval/bench.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "calibration/record_reader.h"
#include "eval/bench_test_support.h"
#include "eval/summarise.h"

namespace tinyarms::eval {
namespace {

using testing::AddingSubject;
using testing::IdleJudge;
using testing::SumTask;
using testing::TemporaryFolder;

// One run over `count` sums.
struct Setting {
  explicit Setting(std::filesystem::path path, int count = 30) : sums(count) {
    options.output = std::move(path);
    tasks.push_back(load_bench_task(sums, {}));
  }

  Result<BenchRun> run(AddingSubject::Hook hook = {}) {
    const SubjectSource source{.name = "adder", .note = {}, .open = [&, hook] {
                                 auto subject = std::make_unique<AddingSubject>(hook);
                                 last = subject.get();
                                 return Result<std::unique_ptr<Subject>>(std::move(subject));
                               }};
    return run_bench(tasks, {source}, options,
                     {.judge = judge, .clock = clock, .stop = stop, .listener = listener});
  }

  std::filesystem::path records() const { return records_folder(options.output) / "adder.jsonl"; }

  SumTask sums;
  std::vector<BenchTask> tasks;
  BenchOptions options;
  IdleJudge judge;
  SystemClock clock;
  StopFlag stop;
  RunListener listener;
  AddingSubject* last = nullptr;
};

std::string read_text(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void expect_all_thirty(const Summary& summary) {
  ASSERT_EQ(summary.results.size(), 1u);
  const TaskResult& result = summary.results.front();
  EXPECT_EQ(result.planned, 30u);
  EXPECT_EQ(result.measured, 30u);
  EXPECT_EQ(result.unmeasured + result.not_reached, 0u);
  EXPECT_EQ(result.correct, 20u);
  ASSERT_EQ(result.tiers.size(), 2u);
  EXPECT_EQ(result.tiers[0].kept, 0u);
  EXPECT_EQ(result.tiers[1].kept_correct, 20u);
  EXPECT_DOUBLE_EQ(result.confidence.auroc, 1);
}

TEST(Bench, MeasuresEveryItemOnce) {
  TemporaryFolder folder;
  Setting setting(folder / "r.json");
  auto run = setting.run();
  ASSERT_TRUE(run) << run.error().message();
  expect_all_thirty(run->summary);
  EXPECT_TRUE(run->summary.complete);
  auto read = parse_summary(read_text(setting.options.output));
  ASSERT_TRUE(read) << read.error().message();
  expect_all_thirty(*read);
}

TEST(Bench, CalibrationReadsTheRecords) {
  TemporaryFolder folder;
  Setting setting(folder / "r.json");
  ASSERT_TRUE(setting.run());
  size_t right = 0;
  auto count = calibration::read_record_files(
      {setting.records().string()}, {}, [&](const calibration::Record& record) -> Result<void> {
        EXPECT_TRUE(record.bench);
        EXPECT_EQ(record.tiers.size(), 1u);
        if (record.tiers[0].name == "l3" && record.tiers[0].correct) ++right;
        return {};
      });
  ASSERT_TRUE(count) << count.error().message();
  EXPECT_EQ(*count, 60u);  // two tiers an item
  EXPECT_EQ(right, 20u);
}

TEST(Bench, AnEarlierRunIsNotOverwritten) {
  TemporaryFolder folder;
  Setting setting(folder / "r.json");
  ASSERT_TRUE(setting.run());
  auto again = setting.run();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::InvalidArgument);
}

TEST(Bench, ResumeAsksOnlyWhatIsMissing) {
  TemporaryFolder folder;
  Setting setting(folder / "r.json");
  auto first = setting.run([&](const Item& item) -> Result<void> {
    if (item.id == "11") setting.stop.raise();
    return {};
  });
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_TRUE(first->interrupted);
  EXPECT_EQ(first->summary.results[0].measured, 11u);
  EXPECT_EQ(first->summary.results[0].not_reached, 19u);
  setting.stop.lower();
  setting.options.resume = true;
  int asked = 0;
  auto second = setting.run([&](const Item&) -> Result<void> {
    ++asked;
    return {};
  });
  ASSERT_TRUE(second);
  EXPECT_EQ(asked, 19);
  expect_all_thirty(second->summary);
}

TEST(Bench, WhatCannotBeMeasuredIsCountedAndTriedAgain) {
  TemporaryFolder folder;
  Setting setting(folder / "r.json");
  auto first = setting.run([](const Item& item) -> Result<void> {
    if (item.id != "4") return {};
    return Error{ErrorCode::ContextTooLong, "too long", "", ""};
  });
  ASSERT_TRUE(first);
  const TaskResult& result = first->summary.results[0];
  EXPECT_EQ(result.measured, 29u);
  EXPECT_EQ(result.unmeasured, 1u);
  EXPECT_EQ(result.failures.at("too long"), 1u);
  setting.options.resume = true;
  auto second = setting.run();
  ASSERT_TRUE(second);
  expect_all_thirty(second->summary);
}

TEST(Bench, ASubjectThatCannotBeOpenedLosesNoItem) {
  TemporaryFolder folder;
  Setting setting(folder / "r.json");
  const SubjectSource broken{
      .name = "broken", .note = {}, .open = []() -> Result<std::unique_ptr<Subject>> {
        return Error{ErrorCode::Corrupt, "is no model", "x.gguf", ""};
      }};
  auto run = run_bench(setting.tasks, {broken}, setting.options,
                       {.judge = setting.judge,
                        .clock = setting.clock,
                        .stop = setting.stop,
                        .listener = setting.listener});
  ASSERT_TRUE(run);
  EXPECT_EQ(run->summary.results[0].unmeasured, 30u);
  EXPECT_NE(run->summary.subjects[0].problem.find("is no model"), std::string::npos);
}

TEST(Bench, ResumeRefusesAnotherSampling) {
  TemporaryFolder folder;
  Setting setting(folder / "r.json");
  ASSERT_TRUE(setting.run());
  setting.options.resume = true;
  setting.options.run.sampling.seed = 7;
  auto again = setting.run();
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().what.find("seed"), std::string::npos);
}

TEST(Bench, ResumeRefusesAnotherPrompt) {
  TemporaryFolder folder;
  Setting setting(folder / "r.json");
  ASSERT_TRUE(setting.run());
  setting.options.resume = true;
  setting.tasks[0].items[3].messages[0].content = "changed";
  auto again = setting.run();
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().what.find("sums/3"), std::string::npos);
}

// A file cut at every byte is what a power cut may leave: each time the run goes on from the last
// whole item, and the records end up as if nothing had happened.
TEST(Bench, HealsARecordTornAtAnyByte) {
  TemporaryFolder folder;
  Setting setting(folder / "r.json", 3);
  ASSERT_TRUE(setting.run());
  const auto records = [&] {
    auto contents = read_journal(setting.records());
    EXPECT_TRUE(contents);
    std::vector<std::string> ids;
    for (const BenchRecord& record : contents->records) ids.push_back(record.id + record.tier);
    return ids;
  };
  const std::string whole = read_text(setting.records());
  const std::vector<std::string> expected = records();
  setting.options.resume = true;
  for (size_t cut = 0; cut < whole.size(); cut += 7) {
    std::ofstream(setting.records(), std::ios::binary) << whole.substr(0, cut);
    ASSERT_TRUE(setting.run()) << "cut at " << cut;
    ASSERT_EQ(records(), expected) << "cut at " << cut;
  }
}

TEST(Bench, DamageInTheMiddleIsToldAndLeftAlone) {
  TemporaryFolder folder;
  Setting setting(folder / "r.json", 5);
  ASSERT_TRUE(setting.run());
  std::string text = read_text(setting.records());
  text[text.find('\n') + 3] = '\0';
  std::ofstream(setting.records(), std::ios::binary) << text;
  setting.options.resume = true;
  auto again = setting.run();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::Corrupt);
  EXPECT_NE(again.error().where.find("adder.jsonl:2"), std::string::npos);
  EXPECT_EQ(read_text(setting.records()), text);
}

TEST(Bench, TwoProcessesDoNotShareAJournal) {
  TemporaryFolder folder;
  auto first = Journal::open(folder / "j.jsonl", Journal::Begin::Resume);
  ASSERT_TRUE(first);
  auto second = Journal::open(folder / "j.jsonl", Journal::Begin::Resume);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::Unavailable);
}

// The real thing: a process that is killed again and again at no particular moment.
TEST(Bench, SurvivesBeingKilled) {
  TemporaryFolder folder;
  Setting setting(folder / "r.json");
  setting.options.resume = true;
  int kills = 0;
  for (int attempt = 0; attempt < 200; ++attempt) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto run = setting.run([](const Item&) -> Result<void> {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        return {};
      });
      ::_exit(run && run->summary.complete ? 0 : 1);
    }
    // Ever later, so that the run ends at last.
    std::this_thread::sleep_for(std::chrono::milliseconds(3 + attempt * 7));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) {
      ASSERT_EQ(WEXITSTATUS(status), 0);
      break;
    }
    ++kills;
  }
  EXPECT_GT(kills, 2);
  auto contents = read_journal(setting.records());
  ASSERT_TRUE(contents) << contents.error().message();
  EXPECT_EQ(contents->ids.size(), 30u);
  EXPECT_EQ(contents->records.size(), 60u);
  auto summary = parse_summary(read_text(setting.options.output));
  ASSERT_TRUE(summary) << summary.error().message();
  expect_all_thirty(*summary);
}

TEST(Bench, SeveralWorkersMeasureTheSame) {
  TemporaryFolder folder;
  Setting setting(folder / "r.json");
  setting.options.run.concurrency = 4;
  auto run = setting.run();
  ASSERT_TRUE(run);
  expect_all_thirty(run->summary);
}

// A judge that cannot run an answer is not a wrong answer.
TEST(Bench, UnscorableIsNotWrong) {
  SumTask sums(1);
  IdleJudge judge;
  auto items = sums.read({});
  ASSERT_TRUE(items);
  EXPECT_FALSE(sums.score((*items)[0], "unscorable", judge));
}

TEST(Bench, LimitsSpreadOverTheTask) {
  SumTask sums(100);
  const BenchTask task = load_bench_task(sums, {.data = {}, .limit = 4});
  ASSERT_EQ(task.items.size(), 4u);
  EXPECT_EQ(task.items[1].id, "25");
  EXPECT_EQ(task.items[3].id, "75");
  EXPECT_EQ(task.facts.available, 100u);
}

TEST(Bench, RunsAreComparedItemByItem) {
  TemporaryFolder folder;
  Setting setting(folder / "r.json");
  auto run = setting.run();
  ASSERT_TRUE(run);
  Summary better = run->summary;
  for (auto& [item, score] : better.scores["sums"]["adder"]) score = 1;
  std::vector<std::string> notes;
  const auto comparisons = compare_runs(run->summary, better, "old.json", notes);
  ASSERT_EQ(comparisons.size(), 1u);
  EXPECT_EQ(comparisons[0].paired.only_second, 10u);
  EXPECT_NEAR(comparisons[0].paired.difference, 1.0 / 3, 1e-12);
  EXPECT_LT(comparisons[0].paired.p_value, 0.01);
  EXPECT_TRUE(notes.empty());

  // A subject that was not there before is held against those that were; a new task is told.
  better.scores["sums"]["newcomer"] = better.scores["sums"]["adder"];
  better.scores["sums"].erase("adder");
  better.scores["products"]["newcomer"] = {{"1", 1.0}};
  const auto others = compare_runs(run->summary, better, "old.json", notes);
  ASSERT_EQ(others.size(), 1u);
  EXPECT_EQ(others[0].first, "adder (old.json)");
  EXPECT_EQ(others[0].second, "newcomer");
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0], "products was not measured in old.json");
}

}  // namespace
}  // namespace tinyarms::eval
