#include "signals/registry.h"

#include <array>

namespace tinyarms::signals {
namespace {

constexpr std::array<const Signal*, 11> kAll = {
    &kQuestionWords, &kQuestionCode, &kQuestionNumbers,  &kIntentMargin,     &kIntentCode,
    &kAnswerEcho,    &kExamplesPass, &kCompiles,         &kSelfVerification, &kNextVerification,
    &kSelfAgreement};

}  // namespace

std::string_view cost_name(Cost cost) {
  switch (cost) {
    case Cost::Text: return "text";
    case Cost::Program: return "program";
    case Cost::Prefill: return "prefill";
    case Cost::Generations: return "generations";
  }
  return "";
}

std::span<const Signal* const> all_signals() { return kAll; }

const Signal* find_signal(std::string_view name) {
  for (const Signal* signal : kAll) {
    if (signal->name == name) return signal;
  }
  return nullptr;
}

}  // namespace tinyarms::signals
