#include "eval/own_failures.h"

#include <utility>

#include "sandbox/judge.h"
#include "signals/answer_code.h"

namespace tinyarms::eval {
namespace {

constexpr int kOwnTokensMax = 512;
constexpr double kOwnCpuSeconds = 2;

class OwnFailures final : public Task {
 public:
  explicit OwnFailures(std::vector<OwnQuestion> questions) : questions_(std::move(questions)) {}

  std::string_view name() const override { return kOwnFailures; }
  std::string_view description() const override { return "answers that you called bad"; }
  std::string_view caveat() const override {
    return "chosen because an answer failed: no measure of how often one does";
  }
  std::vector<std::string> files(const std::filesystem::path&) const override { return {}; }
  bool runs_code() const override { return true; }

  Result<std::vector<Item>> read(const std::filesystem::path&) const override {
    std::vector<Item> items;
    for (const OwnQuestion& question : questions_) {
      Item& item = items.emplace_back();
      item.id = question.id;
      item.group = kOwnFailures;
      item.messages = {{cascade::Role::User, question.text}};
      item.tokens_max = kOwnTokensMax;
    }
    return items;
  }

  Result<Verdict> score(const Item& item, std::string_view answer,
                        sandbox::Judge& judge) const override {
    const std::string& question = item.messages.back().content;
    const std::string code = signals::python_of(answer, question);
    if (code.empty()) return Verdict{false, "no code"};
    std::string tests;
    for (const signals::Example& example : signals::examples_of(question)) {
      tests += signals::test_of(example);
    }
    auto outcome = judge.run(
        {.language = "python", .source = code, .tests = tests, .cpu_seconds = kOwnCpuSeconds});
    if (!outcome) return outcome.error();
    return Verdict{outcome->passed(), outcome->passed() ? "passed" : "an example does not hold"};
  }

 private:
  std::vector<OwnQuestion> questions_;
};

}  // namespace

bool carries_examples(std::string_view question) {
  return !signals::examples_of(question).empty();
}

std::unique_ptr<Task> make_own_failures(std::vector<OwnQuestion> questions) {
  return std::make_unique<OwnFailures>(std::move(questions));
}

}  // namespace tinyarms::eval
