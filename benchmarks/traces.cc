// What a traced question costs whoever answers it: ids for its span, and a note for the exporter,
// whose thread meanwhile makes spans and JSON of what came before. It is counted in that thread's
// own time on the processor: by the clock, whoever else wants the core would be part of it.
#include <fmt/format.h>
#include <time.h>

#include <thread>

#include "base/clock.h"
#include "bench.h"
#include "tracing/exporter.h"

namespace tinyarms::bench {
namespace {

constexpr double kGoal = 2;  // µs a decision
constexpr int kClimbs = 500;

struct Asked {
  const char* name;
  size_t question_bytes;
  bool to_the_top;  // past every tier, or answered by a rule
};

cascade::Reply reply_of(const Asked& asked) {
  using cascade::Decision;
  cascade::Reply reply;
  for (const cascade::Level level : cascade::kLevels) {
    cascade::Step& step = reply.trace.emplace_back();
    step.level = level;
    const bool last = !asked.to_the_top || level == cascade::Level::L4;
    step.decision = last ? Decision::Accept
                         : (level < cascade::Level::L2 ? Decision::Abstain : Decision::Escalate);
    step.reason = "confidence 0.412 is below threshold 0.600 (geometric mean of p 0.41)";
    step.confidence = 0.412;
    step.threshold = 0.6;
    step.attempt.answered = step.decision != Decision::Abstain;
    step.attempt.answer = std::string(2000, 'x');
    step.attempt.source = "qwen2.5-coder-3b-instruct.q4_k_m";
    step.attempt.cost.prompt_tokens = 800;
    step.attempt.cost.completion_tokens = 500;
    if (level == cascade::Level::L4) {
      step.attempt.evidence.set(cascade::signal::kUpstream, std::string("127.0.0.1:8080"));
    }
    if (last) break;
  }
  reply.winner = reply.trace.size() - 1;
  reply.sure = true;
  reply.id = "0123456789ab";
  return reply;
}

double own_seconds() {
  timespec spent{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

// Of a run of climbs, for each.
double microseconds(const Asked& asked, tracing::Exporter& exporter) {
  const SystemClock clock;
  cascade::Request request;
  request.messages = {{cascade::Role::User, std::string(asked.question_bytes, 'q')}};
  request.provenance.id = "req_0123456789abcdef";
  request.provenance.served = true;
  const cascade::Reply reply = reply_of(asked);
  const double start = own_seconds();
  for (int i = 0; i < kClimbs; ++i) {
    request.provenance.at = clock.wall_seconds();
    request.provenance.span = begin_span(request.provenance.caller);
    const double began = clock.wall_seconds();
    const double climbs = clock.monotonic_seconds();
    const double seconds = clock.monotonic_seconds() - climbs;
    exporter.add(tracing::note_of(request, reply, {.began = began, .seconds = seconds}));
  }
  const double each = (own_seconds() - start) / kClimbs * 1e6;
  while (exporter.counts().waiting > 0) std::this_thread::yield();
  return each;
}

Result<std::vector<Figure>> run(Bench& bench) {
  std::vector<Figure> figures;
  for (const Asked& asked : {Asked{"rule/30-characters", 30, false},
                             Asked{"five-tiers/2640-characters", 2640, true}}) {
    tracing::Exporter exporter(
        [](const std::string&, const StopFlag&) { return tracing::Delivery{.status = 200}; },
        {.queue_spans_max = 1 << 20, .queue_bytes_max = 1 << 30, .delay_seconds = 0}, {}, {});
    std::vector<double> rounds;
    for (int i = 0; i < bench.rounds(); ++i) rounds.push_back(microseconds(asked, exporter));
    exporter.finish();
    const tracing::ExportCounts counts = exporter.counts();
    const uint64_t spans = asked.to_the_top ? 6 : 2;
    if (counts.sent != spans * kClimbs * rounds.size()) {
      return Error{ErrorCode::Internal, fmt::format("{} spans were sent", counts.sent), "traces",
                   ""};
    }
    figures.push_back({.name = fmt::format("note/{}", asked.name),
                       .unit = "µs",
                       .ours = median(rounds),
                       .kind = Goal::OursAtMost,
                       .goal = kGoal});
  }
  return figures;
}

const Registration registration("traces", "what a traced question costs its answer", run);

}  // namespace
}  // namespace tinyarms::bench
