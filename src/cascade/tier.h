// One rung of the cascade: the only thing the loop knows about rules, caches, models and remotes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/stop_flag.h"
#include "cascade/attempt.h"
#include "cascade/headstart.h"
#include "cascade/request.h"
#include "cascade/trace.h"

namespace tinyarms::cascade {

// Told of progress while a request climbs; called from the thread that runs the cascade.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void tier_started(Level, std::string_view /*source*/) {}
  virtual void text_generated(Level, std::string_view /*piece: whole UTF-8 characters*/) {}
  // Where the tier knows them before it writes: before the first piece.
  virtual void prompt_counted(Level, int64_t /*tokens*/) {}
  virtual void tools_generated(Level, std::span<const ToolDelta>) {}
  // Where the request wants them: the tokens of the pieces to come next, or of nothing that shows.
  virtual void tokens_generated(Level, std::span<const TokenLogprob>) {}
  virtual void step_finished(const Step&) {}
  // Whether somebody sees what is told of that level's answer before it is whole. What was seen is
  // never begun anew.
  virtual bool shows(Level) const { return true; }
};

// What becomes of a tier's answer, as far as that is known before it is given.
struct Outlook {
  bool may_climb = false;  // a tier above would be asked if it is not good enough
  double threshold = 0;    // P(correct) that it must reach
  // To be called by a tier above rules and caches when the first of its answer is there, on the
  // thread that asked it. May be empty.
  std::function<void()> writing = {};
  Headstart* headstart = nullptr;  // what this tier began itself, before; null: nothing
};

// Which of several models of its level a tier asks: a specialist for a kind of questions.
struct Route {
  std::string name = {};  // "maths", "language.de"; empty: the level's usual model
  std::string why = {};   // "maths 0.97 → MODEL"; empty where there is nothing to choose
};

class Tier {
 public:
  virtual ~Tier() = default;

  virtual Level level() const = 0;

  // Who would answer, in a few words ("SmolLM2 135M Instruct Q4_1"). Loads nothing.
  virtual std::string describe() const = 0;

  // Who of this tier would answer that request. Cheap: loads nothing.
  virtual Route route(const Request&, const Trace& /*so_far*/) const { return {}; }

  // Why this tier cannot take the request, or nothing where it can. Cheap: loads nothing.
  virtual std::optional<std::string> skip_reason(const Request&, const Trace& so_far) const = 0;

  // An answer or an abstention; an Error is an expected failure and the cascade goes on.
  // `so_far` holds the drafts and evidence of the tiers below. Polls `stop` once per token; an
  // interrupted attempt is returned with what there is and Finish::Interrupted.
  virtual Result<Attempt> attempt(const Request&, const Trace& so_far, const StopFlag& stop,
                                  Listener&) = 0;

  // The same, told what becomes of the answer. A tier that can see early that it will not be good
  // enough may give it up where `may_climb`: Finish::Abandoned, with the reason.
  virtual Result<Attempt> attempt_within(const Outlook&, const Request& request,
                                         const Trace& so_far, const StopFlag& stop,
                                         Listener& listener) {
    return attempt(request, so_far, stop, listener);
  }

  // Begins on a request that it may be asked for soon; null where it cannot, or is not to. Returns
  // at once, and is done with both arguments then.
  virtual std::unique_ptr<Headstart> begin(const Request&, const Trace& /*so_far*/) {
    return nullptr;
  }
};

}  // namespace tinyarms::cascade
