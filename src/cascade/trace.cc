#include "cascade/trace.h"

namespace tinyarms::cascade {

std::string_view decision_name(Decision decision) {
  switch (decision) {
    case Decision::Accept: return "accept";
    case Decision::Escalate: return "escalate";
    case Decision::Abstain: return "abstain";
    case Decision::Fail: return "fail";
    case Decision::Skip: return "skip";
    case Decision::Interrupt: return "interrupt";
  }
  return "skip";
}

std::string group_of(const std::string& given, const Trace& so_far) {
  return given.empty() ? find_text(so_far, signal::kIntent).value_or("") : given;
}

std::optional<std::string> find_text(const Trace& trace, std::string_view signal_name) {
  for (auto step = trace.rbegin(); step != trace.rend(); ++step) {
    if (auto text = step->attempt.evidence.text(signal_name)) return text;
  }
  return std::nullopt;
}

std::vector<ContextPassage> find_passages(const Trace& trace) {
  for (auto step = trace.rbegin(); step != trace.rend(); ++step) {
    if (!step->attempt.passages.empty()) return step->attempt.passages;
  }
  return {};
}

}  // namespace tinyarms::cascade
