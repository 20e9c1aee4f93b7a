#include "cli/explain.h"

#include <fmt/format.h>

namespace tinyarms::cli {
namespace {

using cascade::Decision;

Style style_of(Decision decision) {
  switch (decision) {
    case Decision::Accept: return Style::Green;
    case Decision::Escalate: return Style::Yellow;
    case Decision::Fail: return Style::Red;
    case Decision::Interrupt: return Style::Red;
    case Decision::Abstain: return Style::Plain;
    case Decision::Skip: return Style::Dim;
  }
  return Style::Plain;
}

std::string duration(double seconds) {
  if (seconds < 1e-3) return fmt::format("{:.0f} µs", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.1f} ms", seconds * 1e3);
  return fmt::format("{:.2f} s", seconds);
}

std::string value_text(const cascade::EvidenceValue& value) {
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{:.4g}", *real);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "yes" : "no";
  return fmt::format("\"{}\"", printable(std::get<std::string>(value)));
}

std::string evidence_lines(const cascade::Evidence& evidence) {
  constexpr size_t kWidthMax = 92;
  std::string text;
  std::string line;
  for (const auto& [name, value] : evidence.items()) {
    std::string item = fmt::format("{}={}", name, value_text(value));
    if (!line.empty() && line.size() + item.size() > kWidthMax) {
      text += fmt::format("      {}\n", line);
      line.clear();
    }
    line += line.empty() ? item : "  " + item;
  }
  return line.empty() ? text : text + fmt::format("      {}\n", line);
}

std::string cost_text(const cascade::Step& step) {
  std::string text = duration(step.seconds);
  const cascade::Cost& cost = step.attempt.cost;
  if (cost.load_seconds > 0) text += fmt::format(", of it loading {}", duration(cost.load_seconds));
  if (cost.prompt_tokens > 0) {
    text += fmt::format(", {} tokens in ({}), {} out ({})", cost.prompt_tokens,
                        duration(cost.prefill_seconds), cost.completion_tokens,
                        duration(cost.decode_seconds));
  }
  if (cost.dollars) text += fmt::format(", {:.6f} US dollars", *cost.dollars);
  return text;
}

}  // namespace

std::string explain(const cascade::Trace& trace, const Terminal& terminal) {
  std::string text;
  for (const cascade::Step& step : trace) {
    text += fmt::format("  {}  {}  {}\n", terminal.paint(Style::Bold, level_name(step.level)),
                        terminal.paint(style_of(step.decision),
                                       fmt::format("{:9}", decision_name(step.decision))),
                        printable(step.reason));
    if (step.decision == Decision::Skip) continue;
    if (!step.attempt.source.empty()) {
      text += fmt::format("      {}\n", printable(step.attempt.source));
    }
    if (!step.attempt.notice.empty()) {
      text += fmt::format("      {}\n", printable(step.attempt.notice));
    }
    text += evidence_lines(step.attempt.evidence);
    text += terminal.paint(Style::Dim, fmt::format("      {}", cost_text(step))) + "\n";
  }
  return text;
}

std::string footer(const cascade::Reply& reply, bool by_server) {
  const cascade::Step* step = reply.step();
  if (step == nullptr) return "— no tier answered";
  double seconds = 0;
  for (const cascade::Step& one : reply.trace) seconds += one.seconds;

  std::string text =
      fmt::format("— {} {}", level_name(step->level), printable(step->attempt.source));
  if (step->attempt.evidence.flag(cascade::signal::kExact).value_or(false)) {
    text += " · exact";
  } else if (step->confidence) {
    text += fmt::format(" · confidence {:.2f}{}{}", *step->confidence,
                        step->certified    ? ", certified"
                        : step->calibrated ? ""
                                           : ", uncalibrated",
                        reply.sure ? "" : fmt::format(", below {:.2f}", *step->threshold));
  }
  if (step->attempt.cost.completion_tokens > 0) {
    text += fmt::format(" · {} tokens", step->attempt.cost.completion_tokens);
  }
  text += fmt::format(" · {}", duration(seconds));
  if (by_server) text += " · by the running server";
  if (reply.interrupted) text += " · interrupted";
  if (step->attempt.finish == cascade::Finish::Length) text += " · cut off at the token limit";
  if (step->attempt.finish == cascade::Finish::Abandoned) text += " · only its beginning";
  if (!step->attempt.notice.empty()) text += " · " + printable(step->attempt.notice);
  return text;
}

std::string explain_plan(const cascade::Trace& plan, const Terminal& terminal) {
  std::string text;
  for (const cascade::Step& step : plan) {
    const bool runs = step.decision != Decision::Skip;
    const std::string what = runs ? step.attempt.source : "skipped: " + step.reason;
    text += fmt::format("  {}  {}\n", terminal.paint(Style::Bold, level_name(step.level)),
                        terminal.paint(runs ? Style::Plain : Style::Dim, printable(what)));
    if (auto route = step.attempt.evidence.text(cascade::signal::kRouteReason)) {
      text += fmt::format("      {}\n", printable(*route));
    }
  }
  return text;
}

}  // namespace tinyarms::cli
