// Whether the code does what the question's own examples say: doctests, asserts, "f(2) returns 4".
// Where the question states the very tests it is judged by (MBPP), this signal is the verdict.
#include "sandbox/judge.h"
#include "signals/answer_code.h"
#include "signals/registry.h"

namespace tinyarms::signals {
namespace {

constexpr double kCpuSeconds = 2;

Result<bool> passes(sandbox::Judge& judge, const std::string& code, const std::string& tests) {
  auto outcome = judge.run(
      {.language = "python", .source = code, .tests = tests, .cpu_seconds = kCpuSeconds});
  if (!outcome) return outcome.error();
  return outcome->passed();
}

Result<std::optional<double>> measure_examples_pass(const Occasion& occasion,
                                                    const Instruments& instruments) {
  if (instruments.judge == nullptr) return std::optional<double>();
  const std::string& question = occasion.request.question();
  const std::vector<Example> examples = examples_of(question);
  const std::string code = examples.empty() ? "" : python_of(occasion.answer, question);
  if (code.empty()) return std::optional<double>();
  // Mostly all hold or none does: one run tells the first case.
  std::string all;
  for (const Example& example : examples) all += test_of(example);
  auto every = passes(*instruments.judge, code, all);
  if (!every) return every.error();
  if (*every) return std::optional(1.0);
  if (examples.size() == 1) return std::optional(0.0);
  double held = 0;
  for (const Example& example : examples) {
    auto one = passes(*instruments.judge, code, test_of(example));
    if (!one) return one.error();
    held += *one ? 1 : 0;
  }
  return std::optional(held / static_cast<double>(examples.size()));
}

}  // namespace

const Signal kExamplesPass = {.name = "examples_pass",
                              .meaning = "share of the question's own examples that hold",
                              .low = 0,
                              .high = 1,
                              .cost = Cost::Program,
                              .measure = measure_examples_pass};

}  // namespace tinyarms::signals
