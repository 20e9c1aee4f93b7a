// LiveCodeBench, code generation (Jain et al. 2024): contest problems with their dates, so that
// those from before a model's training can be left out. Read from upstream's test.jsonl to
// test6.jsonl, as many of them as are there; `livecodebench_recent` keeps problems published from
// October 2024 on. The group of an item is its month and difficulty, so other windows can be read
// off the records.
//
// A program by standard input must give the expected output for every test; a function must return
// the expected value. Six seconds of CPU time a test, upstream's limit.
#include <fmt/format.h>

#include "eval/code_answer.h"
#include "eval/code_verdict.h"
#include "eval/task_registry.h"
#include "eval/tasks/livecodebench_tests.h"

namespace tinyarms::eval {
namespace {

using Json = nlohmann::json;

constexpr double kSecondsPerTest = 6;

// Upstream runs answers with these names in reach.
constexpr std::string_view kImports =
    "import bisect, collections, copy, functools, heapq, itertools, math, operator, random, re, "
    "string, sys\nfrom bisect import *\nfrom collections import *\nfrom functools import *\n"
    "from heapq import *\nfrom itertools import *\nfrom math import *\nfrom operator import *\n"
    "from re import *\nfrom string import *\nfrom typing import *\n";

constexpr std::string_view kFunctionalTests = R"py(
import json as _json
def _plain(value):
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
for _given, _expected in _json.loads(_CASES):
    _arguments = [_json.loads(line) for line in _given.split("\n")]
    _got = _plain(getattr(Solution(), _NAME)(*_arguments))
    _want = _json.loads(_expected)
    assert _got == _want, f"wrong answer: {_got!r}"[:200]
)py";

struct Window {
  std::string_view name;
  std::string_view description;
  std::string_view first_day;  // of publication, ISO 8601; empty: all
};

class LiveCodeBench final : public Task {
 public:
  explicit LiveCodeBench(const Window& window) : window_(window) {}

  std::string_view name() const override { return window_.name; }
  std::string_view description() const override { return window_.description; }
  bool runs_code() const override { return true; }
  std::string_view caveat() const override {
    return "contaminated for a model trained after a problem's month: compare months";
  }
  // As many as are there: later ones may come alone.
  std::vector<std::string> files(const std::filesystem::path& folder) const override {
    std::vector<std::string> there;
    for (const char* number : {"", "2", "3", "4", "5", "6"}) {
      std::string file = fmt::format("livecodebench/test{}.jsonl", number);
      std::error_code ignored;
      if (std::filesystem::exists(folder / file, ignored)) there.push_back(std::move(file));
    }
    if (there.empty()) there.push_back("livecodebench/test.jsonl");
    return there;
  }

  Result<std::vector<Item>> read(const std::filesystem::path& folder) const override {
    std::vector<Item> items;
    for (const std::string& file : files(folder)) {
      auto read = each_row(folder, file, [&](const Json& row, const std::string& where) {
        return add(row, where, items);
      });
      if (read) continue;
      Error error = read.error();
      if (error.code == ErrorCode::NotFound) {
        error.hint = "get test.jsonl … test6.jsonl of livecodebench/code_generation_lite";
      }
      return error;
    }
    return items;
  }

  Result<Verdict> score(const Item& item, std::string_view answer,
                        sandbox::Judge& judge) const override {
    const Json reference = Json::parse(item.reference);
    const std::string function = reference.at("function");
    const std::string code =
        extract_code(answer, {"python", function.empty() ? "" : "Solution"});
    if (code.empty()) return Verdict{false, "no code"};
    std::vector<LiveTest> tests;
    for (const char* key : {"public", "private"}) {
      auto some = parse_live_tests(reference.at(key).get<std::string>());
      if (!some) return some.error();
      tests.insert(tests.end(), some->begin(), some->end());
    }
    const std::string source = fmt::format("{}\n{}", kImports, code);
    return function.empty() ? by_output(source, tests, judge)
                            : by_value(source, function, tests, judge);
  }

 private:
  Result<void> add(const Json& row, const std::string& where, std::vector<Item>& items) const {
    auto texts = texts_of(row, {"question_id", "question_content", "contest_date", "difficulty",
                                "starter_code", "public_test_cases", "private_test_cases",
                                "metadata"},
                          where);
    if (!texts) return texts.error();
    const std::string& date = (*texts)[2];
    if (date < window_.first_day) return {};
    const Json metadata = Json::parse((*texts)[7], nullptr, false);
    std::string function;
    if (metadata.is_object() && metadata.contains("func_name") &&
        metadata["func_name"].is_string()) {
      function = metadata["func_name"];
    }
    const std::string& starter = (*texts)[4];
    Item item;
    item.id = (*texts)[0];
    item.group = fmt::format("{} {}", date.substr(0, 7), (*texts)[3]);
    item.messages = {{cascade::Role::User, question((*texts)[1], starter)}};
    item.tokens_max = 1536;
    item.reference = Json{{"function", function},
                          {"public", (*texts)[5]},
                          {"private", (*texts)[6]}}
                         .dump();
    items.push_back(std::move(item));
    return {};
  }

  static std::string question(const std::string& content, const std::string& starter) {
    if (starter.empty()) {
      return fmt::format("{}\n\nSolve it in Python: one code block with a program that reads from "
                         "standard input and prints the answer.",
                         content);
    }
    return fmt::format("{}\n\nSolve it in Python: one code block that completes this.\n\n{}",
                       content, fenced("python", starter));
  }

  static Result<Verdict> by_output(const std::string& source, const std::vector<LiveTest>& tests,
                                   sandbox::Judge& judge) {
    for (size_t i = 0; i < tests.size(); ++i) {
      auto outcome = judge.run({.language = "python",
                                .source = source,
                                .input = tests[i].input,
                                .cpu_seconds = kSecondsPerTest});
      if (!outcome) return outcome.error();
      Verdict verdict = verdict_of(*outcome);
      if (verdict.correct && !same_live_output(outcome->output, tests[i].output)) {
        verdict = {false, "wrong answer"};
      }
      if (!verdict.correct) {
        verdict.reason += fmt::format(" (test {} of {})", i + 1, tests.size());
        return verdict;
      }
    }
    return Verdict{true, "passed"};
  }

  static Result<Verdict> by_value(const std::string& source, const std::string& function,
                                  const std::vector<LiveTest>& tests, sandbox::Judge& judge) {
    Json cases = Json::array();
    for (const LiveTest& test : tests) cases.push_back({test.input, test.output});
    const std::string harness =
        fmt::format("_CASES = {}\n_NAME = {}\n{}", Json(cases.dump()).dump(),
                    Json(function).dump(), kFunctionalTests);
    return judged(judge, {.language = "python",
                          .source = source,
                          .tests = harness,
                          .cpu_seconds = kSecondsPerTest});
  }

  Window window_;
};

}  // namespace

std::unique_ptr<Task> make_livecodebench() {
  return std::make_unique<LiveCodeBench>(
      Window{"livecodebench", "LiveCodeBench, contest problems of all months", ""});
}

std::unique_ptr<Task> make_livecodebench_recent() {
  return std::make_unique<LiveCodeBench>(
      Window{"livecodebench_recent", "LiveCodeBench, problems from October 2024 on",
             "2024-10-01"});
}

}  // namespace tinyarms::eval
