#include "tracing/climb_note.h"

namespace tinyarms::tracing {
namespace {

namespace signal = cascade::signal;

std::string asked_model(const cascade::Request& request) {
  if (!request.model.empty()) return request.model;
  return std::string(request.only_level ? cascade::level_name(*request.only_level) : "auto");
}

// Sentences that may quote are left where they are: a failure's has an engine's own words in it, an
// abstention's the question of an earlier answer.
bool is_our_own_words(cascade::Decision decision) {
  switch (decision) {
    case cascade::Decision::Accept:
    case cascade::Decision::Escalate:
    case cascade::Decision::Skip: return true;
    case cascade::Decision::Abstain:
    case cascade::Decision::Fail:
    case cascade::Decision::Interrupt: return false;
  }
  return false;
}

AttemptNote note_of(const cascade::Step& step) {
  const cascade::Attempt& attempt = step.attempt;
  AttemptNote note{.level = step.level,
                   .decision = step.decision,
                   .finish = attempt.finish,
                   .answered = attempt.answered,
                   .calls_tools = !attempt.tool_calls.empty(),
                   .calibrated = step.calibrated,
                   .error = step.error,
                   .confidence = step.confidence,
                   .threshold = step.threshold,
                   .dollars = attempt.cost.dollars,
                   .started = step.started,
                   .seconds = step.seconds,
                   .prompt_tokens = attempt.cost.prompt_tokens,
                   .cached_tokens = attempt.cost.cached_tokens,
                   .completion_tokens = attempt.cost.completion_tokens,
                   .source = attempt.source};
  if (step.level == cascade::Level::L4) {
    note.upstream = attempt.evidence.text(signal::kUpstream).value_or("");
  }
  if (is_our_own_words(step.decision)) note.reason = step.reason;
  return note;
}

}  // namespace

size_t ClimbNote::spans() const {
  size_t spans = 1;
  for (const AttemptNote& one : attempts) spans += one.decision != cascade::Decision::Skip ? 1 : 0;
  return spans;
}

size_t ClimbNote::bytes() const {
  size_t bytes = sizeof *this + question.size();
  for (const AttemptNote& one : attempts) {
    bytes += sizeof one + one.source.size() + one.upstream.size() + one.reason.size();
  }
  return bytes;
}

ClimbNote note_of(const cascade::Request& request, const cascade::Reply& reply,
                  const ClimbTimes& times) {
  ClimbNote note{.provenance = request.provenance,
                 .began = times.began,
                 .seconds = times.seconds,
                 .decision = reply.id,
                 .model = asked_model(request),
                 .temperature = request.sampling.temperature,
                 .tokens_max = request.sampling.tokens_max,
                 .completes_text = request.prefix.has_value(),
                 .question = request.question(),
                 .winner = reply.winner,
                 .sure = reply.sure,
                 .interrupted = reply.interrupted};
  note.attempts.reserve(reply.trace.size());
  for (const cascade::Step& step : reply.trace) note.attempts.push_back(note_of(step));
  return note;
}

}  // namespace tinyarms::tracing
