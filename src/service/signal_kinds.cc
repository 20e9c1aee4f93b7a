#include "service/signal_kinds.h"

#include <array>
#include <initializer_list>

#include "cascade/evidence.h"
#include "signals/registry.h"

namespace tinyarms::service {
namespace {

namespace signal = cascade::signal;

constexpr double kMost = 1e6;

// Read off the tokens' logits while they are generated.
constexpr std::array<SignalFacts, 12> kTokens = {{
    {signal::kTokens, "generated tokens", "none", 0, kMost, true},
    {signal::kProbabilityMean, "mean probability of the chosen tokens", "none", 0, 1, true},
    {signal::kProbabilityMin, "least probability of a chosen token", "none", 0, 1, true},
    {signal::kProbabilityQ10, "its 10 % quantile", "none", 0, 1, true},
    {signal::kSequenceLogprob, "log-probability of the whole answer", "none", -kMost, 0, true},
    {signal::kLogprobMean, "the same, per token", "none", -kMost, 0, true},
    {signal::kMarginMean, "mean of p(best) - p(second best)", "none", 0, 1, true},
    {signal::kMarginMin, "its minimum", "none", 0, 1, true},
    {signal::kMarginQ10, "its 10 % quantile", "none", 0, 1, true},
    {signal::kEntropyMean, "mean entropy of the next token, nats", "none", 0, 13, true},
    {signal::kEntropyMax, "its maximum", "none", 0, 13, true},
    {signal::kLogitVarianceMean, "mean variance of the logits", "none", 0, kMost, true},
}};

// Told by the answer's text alone.
constexpr std::array<SignalFacts, 8> kText = {{
    {signal::kFinished, "ended by itself, not cut off", "none", 0, 1, true},
    {signal::kCodeParses, "every block of code parses", "text", 0, 1, true},
    {signal::kUndefinedNames, "names in Python code that nothing defines", "text", 0, kMost, true},
    {signal::kRuleFindings, "findings of the bundled code rules", "text", 0, kMost, true},
    {signal::kRuleBug, "of these, of category bug", "text", 0, kMost, true},
    {signal::kRuleSecurity, "of category security", "text", 0, kMost, true},
    {signal::kRuleModernise, "of category modernise", "text", 0, kMost, true},
    {signal::kBannedCalls, "of severity error and category security", "text", 0, kMost, true},
}};

using Names = std::vector<std::string>;

void add(Names& names, std::span<const SignalFacts> facts) {
  for (const SignalFacts& each : facts) names.emplace_back(each.name);
}

void add(Names& names, std::initializer_list<const signals::Signal*> listed) {
  for (const signals::Signal* each : listed) names.emplace_back(each->name);
}

template <typename... Parts>
Names together(const Parts&... parts) {
  Names names;
  (add(names, parts), ...);
  return names;
}

}  // namespace

std::vector<SignalFacts> signal_facts() {
  std::vector<SignalFacts> all(kTokens.begin(), kTokens.end());
  all.insert(all.end(), kText.begin(), kText.end());
  for (const signals::Signal* each : signals::all_signals()) {
    all.push_back({each->name, each->meaning, signals::cost_name(each->cost), each->low, each->high,
                   false});
  }
  return all;
}

std::vector<calibration::Combination> signal_combinations() {
  using List = std::initializer_list<const signals::Signal*>;
  const std::string margin(signal::kMarginMean);
  const std::span<const SignalFacts> tokens(kTokens);
  const std::span<const SignalFacts> text(kText);
  const List prompt = {&signals::kQuestionWords, &signals::kQuestionCode,
                       &signals::kQuestionNumbers, &signals::kIntentMargin, &signals::kIntentCode};
  const List programs = {&signals::kExamplesPass, &signals::kCompiles};
  const List echo = {&signals::kAnswerEcho};
  const List self = {&signals::kSelfVerification};
  const List next = {&signals::kNextVerification};
  const List samples = {&signals::kSelfAgreement};
  const auto with_margin = [&](Names names) {
    names.insert(names.begin(), margin);
    return names;
  };
  return {
      {"question alone", together(prompt)},
      {"margin", {margin}},
      {"margin + text", with_margin(together(text))},
      {"margin + text + programs", with_margin(together(text, programs))},
      {"tokens", together(tokens)},
      {"tokens + text", together(tokens, text)},
      {"tokens + text + programs", together(tokens, text, programs)},
      {"tokens + question", together(tokens, prompt, echo)},
      {"tokens + p_true", together(tokens, self)},
      {"tokens + p_true_next", together(tokens, next)},
      {"tokens + self_agreement", together(tokens, samples)},
      {"all without another model", together(tokens, text, programs, prompt, echo, self)},
      {"all", together(tokens, text, programs, prompt, echo, self, next, samples)},
  };
}

}  // namespace tinyarms::service
