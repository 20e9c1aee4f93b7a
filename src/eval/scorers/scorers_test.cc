// Whether the scorers of code judge rightly, on upstream's own data: reference solutions pass,
// changed ones and empty ones do not, recorded verdicts come out again. Needs the data named by
// TINYARMS_SHARED. TINYARMS_SCORE_EVERY=1 runs every recorded program instead of every eighth (of
// JavaScript every second): about ten minutes instead of one.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "eval/code_verdict.h"
#include "eval/task_registry.h"
#include "eval/tasks/multipl_e_program.h"
#include "sandbox/bubblewrap_judge.h"

namespace tinyarms::eval {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

fs::path data_folder() {
  const char* shared = std::getenv("TINYARMS_SHARED");
  return fs::path(shared != nullptr ? shared : ".") / "data";
}

class ScorersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(data_folder() / "humaneval/HumanEval.jsonl.gz")) {
      GTEST_SKIP() << "no benchmark data: point TINYARMS_SHARED at the shared data";
    }
    if (auto sound = sandbox::check(); !sound) {
      GTEST_SKIP() << "no sandbox on this machine: " << sound.error().message();
    }
    judge_ = sandbox::make_judge();
  }

  // Judges on two threads; `each` says what to call a failure, or nothing.
  static std::vector<std::string> failures(
      size_t count, const std::function<std::string(size_t)>& each) {
    std::vector<std::string> found;
    std::mutex mutex;
    std::atomic<size_t> next{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([&] {
        for (size_t i; (i = next++) < count;) {
          std::string failure = each(i);
          const std::lock_guard lock(mutex);
          if (!failure.empty()) found.push_back(std::move(failure));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    return found;
  }

  std::string reason(const Result<Verdict>& verdict) {
    return verdict ? verdict->reason : "ERROR " + verdict.error().message();
  }

  std::unique_ptr<sandbox::Judge> judge_;
};

// An item with a reference solution that defines the whole function.
struct Solved {
  const Task* task;
  Item item;
  std::string entry_point;
  std::string solution;
};

std::vector<Solved> humaneval(const Task& task) {
  std::vector<Solved> solved;
  const auto items = task.read(data_folder());
  EXPECT_TRUE(items) << items.error().message();
  std::vector<std::string> bodies;
  EXPECT_TRUE(each_row(data_folder(), "humaneval/HumanEval.jsonl.gz",
                       [&](const Json& row, const std::string&) -> Result<void> {
                         bodies.push_back(row.at("canonical_solution"));
                         return {};
                       }));
  for (size_t i = 0; i < items->size(); ++i) {
    const Json reference = Json::parse((*items)[i].reference);
    solved.push_back({&task, (*items)[i], reference.at("entry_point"),
                      reference.at("prompt").get<std::string>() + bodies[i]});
  }
  return solved;
}

std::vector<Solved> mbpp(const Task& task) {
  std::vector<Solved> solved;
  const auto items = task.read(data_folder());
  EXPECT_TRUE(items) << items.error().message();
  for (const Item& item : *items) {
    const Json reference = Json::parse(item.reference);
    solved.push_back({&task, item, reference.at("entry_point"), reference.at("solution")});
  }
  return solved;
}

// Ways in which a solution can be wrong, each a wrapper around the right one.
const std::map<std::string, std::string> kMutants = {
    {"nothing", "    return None\n"},
    {"changed", "    return _changed(_right(*a, **k))\n"},
    {"first", "    _kept.append(_right(*a, **k))\n    return _kept[0] if len(_kept) > 1 else "
              "_changed(_kept[0])\n"},
    {"raises", "    raise ValueError('mutant')\n"},
    {"arguments", "    return a[0] if a else None\n"},
};

constexpr std::string_view kChanged = R"py(
def _changed(r):
    if r is None: return 0
    if isinstance(r, bool): return not r
    if isinstance(r, (int, float, complex)): return r + 1
    if isinstance(r, str): return r + "x"
    if isinstance(r, bytes): return r + b"x"
    if isinstance(r, list): return r + [None]
    if isinstance(r, tuple): return r + (None,)
    if isinstance(r, (set, frozenset)): return set(r) | {None}
    if isinstance(r, dict): return {**r, None: None}
    return None
_kept = []
)py";

std::string mutated(const Solved& solved, const std::string& body) {
  return fmt::format("{0}\n{1}\n_right = {2}\ndef {2}(*a, **k):\n{3}", solved.solution, kChanged,
                     solved.entry_point, body);
}

// "task item mutant  reason": those that do what was asked for all the same.
std::set<std::string> equivalent_mutants() {
  const char* source = std::getenv("TINYARMS_SOURCE");
  std::ifstream file(fs::path(source != nullptr ? source : ".") /
                     "tests/data/equivalent_mutants.txt");
  std::set<std::string> known;
  for (std::string line; std::getline(file, line);) {
    const size_t end = line.find("  ");
    if (!line.empty() && line[0] != '#') known.insert(line.substr(0, end));
  }
  return known;
}

TEST_F(ScorersTest, ReferenceSolutionsPass) {
  for (const auto& task : {make_humaneval(), make_mbpp_all()}) {
    const bool is_humaneval = task->name() == "humaneval";
    const std::vector<Solved> solved = is_humaneval ? humaneval(*task) : mbpp(*task);
    EXPECT_EQ(solved.size(), is_humaneval ? 164u : 974u);
    const auto failed = failures(solved.size(), [&](size_t i) -> std::string {
      const auto verdict = task->score(solved[i].item, fenced("python", solved[i].solution),
                                       *judge_);
      return verdict && verdict->correct ? "" : solved[i].item.id + " " + reason(verdict);
    });
    EXPECT_EQ(failed, std::vector<std::string>());
  }
}

TEST_F(ScorersTest, ReferenceBodiesContinueThePrompt) {
  const auto task = make_humaneval_completion();
  const std::vector<Solved> solved = humaneval(*task);
  const auto failed = failures(solved.size(), [&](size_t i) -> std::string {
    const std::string prompt = solved[i].item.messages.front().content;
    const auto verdict = task->score(solved[i].item, solved[i].solution.substr(prompt.size()),
                                     *judge_);
    return verdict && verdict->correct ? "" : solved[i].item.id + " " + reason(verdict);
  });
  EXPECT_EQ(failed, std::vector<std::string>());
}

TEST_F(ScorersTest, MutantsAndEmptyAnswersFail) {
  const std::set<std::string> known = equivalent_mutants();
  std::set<std::string> unused = known;
  std::mutex mutex;
  for (const auto& task : {make_humaneval(), make_mbpp()}) {
    const auto solved = task->name() == "humaneval" ? humaneval(*task) : mbpp(*task);
    std::vector<std::pair<const Solved*, std::string>> cases;
    for (const Solved& one : solved) {
      for (const auto& [name, body] : kMutants) cases.emplace_back(&one, name);
    }
    const auto survived = failures(cases.size(), [&](size_t i) -> std::string {
      const auto& [one, name] = cases[i];
      const auto verdict = task->score(one->item, mutated(*one, kMutants.at(name)), *judge_);
      if (!verdict) return reason(verdict);
      if (!verdict->correct) return "";
      const std::string label = fmt::format("{} {}", one->item.id, name);
      const std::lock_guard lock(mutex);
      unused.erase(label);
      return known.contains(label) ? "" : label;
    });
    EXPECT_EQ(survived, std::vector<std::string>());
    for (const Solved& one : solved) {
      for (const char* nothing : {"", "I cannot do that.", "```python\n```", "```\npass\n```"}) {
        const auto verdict = task->score(one.item, nothing, *judge_);
        ASSERT_TRUE(verdict) << verdict.error().message();
        EXPECT_FALSE(verdict->correct) << one.item.id << ": " << nothing;
      }
    }
    std::cout << task->name() << ": " << cases.size() << " mutants of " << solved.size()
              << " items\n";
  }
  EXPECT_EQ(unused, std::set<std::string>()) << "listed as equivalent, but killed";
}

TEST_F(ScorersTest, RecordedPythonVerdictsComeOutAgain) {
  const auto task = make_humaneval();
  std::map<std::string, Item> items;
  const auto read = task->read(data_folder());
  ASSERT_TRUE(read);
  for (const Item& item : *read) items.emplace(item.id, item);
  for (const char* model : {"1.5b", "7b"}) {
    std::ifstream file(data_folder() / "qwen-coder-pairs" / model / "humaneval-evalplus.json");
    if (!file) GTEST_SKIP() << "qwen-coder-pairs is missing: point TINYARMS_SHARED at the data";
    const Json rows = Json::parse(file).at("eval");
    std::vector<Json> samples;
    for (const auto& [id, list] : rows.items()) samples.push_back(list.at(0));
    const auto differing = failures(samples.size(), [&](size_t i) -> std::string {
      const std::string id = samples[i].at("task_id");
      const auto verdict =
          task->score(items.at(id), samples[i].at("solution").get<std::string>(), *judge_);
      const bool recorded = samples[i].at("base_status") == "pass";
      return verdict && verdict->correct == recorded ? "" : id + " " + reason(verdict);
    });
    EXPECT_EQ(differing, std::vector<std::string>()) << model;
    std::cout << model << ": " << samples.size() - differing.size() << " of " << samples.size()
              << " agree\n";
  }
}

struct Recorded {
  const char* file;      // humaneval-<file>-details.json
  const char* language;
  size_t step;           // unless all are asked for
};

class RecordedProgramsTest : public ScorersTest, public ::testing::WithParamInterface<Recorded> {};

TEST_P(RecordedProgramsTest, VerdictsComeOutAgain) {
  if (auto there = judge_->available(GetParam().language); !there) {
    GTEST_SKIP() << there.error().message();
  }
  const char* every = std::getenv("TINYARMS_SCORE_EVERY");
  const size_t step = every != nullptr ? std::max(1, std::atoi(every)) : GetParam().step;
  for (const char* model : {"1.5b", "7b"}) {
    std::ifstream file(data_folder() / "qwen-coder-pairs" / model /
                       fmt::format("humaneval-{}-details.json", GetParam().file));
    if (!file) GTEST_SKIP() << "qwen-coder-pairs is missing: point TINYARMS_SHARED at the data";
    const Json rows = Json::parse(file);
    std::vector<Json> samples;
    size_t position = 0;
    for (const auto& [id, list] : rows.items()) {
      if (position++ % step == 0) samples.push_back(list.at(0).at(1));
    }
    const auto differing = failures(samples.size(), [&](size_t i) -> std::string {
      const auto outcome = run_to_the_end(*judge_, GetParam().language, samples[i].at("code"),
                                          "end-of-the-tests");
      const bool recorded = samples[i].at("passed");
      if (outcome && outcome->passed() == recorded) return "";
      return fmt::format("{}: recorded {}, now {}", samples[i].at("task_id").get<std::string>(),
                         samples[i].at("result").get<std::string>().substr(0, 60),
                         outcome ? verdict_of(*outcome).reason : outcome.error().message());
    });
    EXPECT_EQ(differing, std::vector<std::string>()) << model;
    std::cout << GetParam().language << " " << model << ": " << samples.size() - differing.size()
              << " of " << samples.size() << " agree\n";
  }
}

INSTANTIATE_TEST_SUITE_P(Scorers, RecordedProgramsTest,
                         ::testing::Values(Recorded{"js", "javascript", 2},
                                           Recorded{"java", "java", 8},
                                           Recorded{"cpp", "cpp", 8}),
                         [](const auto& recorded) { return recorded.param.language; });

}  // namespace
}  // namespace tinyarms::eval
