#include "cli/live_answer.h"

#include <fmt/format.h>

#include <cstdio>

namespace tinyarms::cli {

LiveAnswer::LiveAnswer(const Terminal& terminal, const Options& options)
    : terminal_(terminal), options_(options) {}

void LiveAnswer::tier_started(cascade::Level level, std::string_view source) {
  if (!pending_.empty()) terminal_.note(terminal_.paint(Style::Yellow, pending_));
  pending_.clear();
  shown_.clear();
  // A line that is overwritten: only where a person is looking, and only for what takes a while.
  if (!options_.announce || !terminal_.messages_are_watched() || level < cascade::Level::L2) return;
  const std::string status = fmt::format("{}: {} …", level_name(level), printable(source));
  std::fprintf(stderr, "\r%s", terminal_.paint(Style::Dim, status).c_str());
  std::fflush(stderr);
  status_visible_ = true;
}

void LiveAnswer::clear_status() {
  if (!status_visible_) return;
  std::fprintf(stderr, "\r\x1b[2K");
  std::fflush(stderr);
  status_visible_ = false;
}

void LiveAnswer::text_generated(cascade::Level, std::string_view piece) {
  clear_status();
  if (!options_.streaming) return;
  shown_ += piece;
  terminal_.out(terminal_.answers_are_watched() ? printable(piece) : std::string(piece));
}

void LiveAnswer::step_finished(const cascade::Step& step) {
  clear_status();
  if (options_.streaming && !shown_.empty() && step.attempt.answered) terminal_.out("\n");
  // What is to be known of the winner stands in the footer.
  if (!step.attempt.answered && !step.attempt.notice.empty()) {
    terminal_.note(fmt::format("note: {}", printable(step.attempt.notice)));
  }
  if (!options_.announce) return;
  // Said only when another tier is really asked: the footer tells of an unsure last answer.
  if (step.decision == cascade::Decision::Escalate) {
    pending_ = fmt::format("↑ {} not sure enough: {}", level_name(step.level),
                           printable(step.reason));
  }
  if (step.decision == cascade::Decision::Fail) {
    pending_ = fmt::format("↑ {} failed: {}", level_name(step.level), printable(step.reason));
  }
}

}  // namespace tinyarms::cli
