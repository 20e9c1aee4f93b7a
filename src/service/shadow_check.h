// Shadow checks: a share of the kept answers (shadow.share) waits in the decision log, question and
// answer, until there is time for a higher tier to look at it. Its verdict is an outcome like any
// other: it feeds the guard over the certificates (promise_watch.h) and replay.
//
// The higher tier answers the question itself. Where both answers boil down to something that can
// be compared (what code does on the question's examples, a final number), agreement decides;
// else that tier is asked whether the answer is right, Yes or No. It is an opinion, as good as that
// tier. What was checked leaves the queue, texts and all; so does what cannot be decided.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "service/assistant.h"
#include "service/promise_watch.h"
#include "storage/decision_log.h"

namespace tinyarms::service {

// What of a climb must be kept for a check, as JSON; empty where there is nothing to check: rules,
// remembered and unsure answers, and very long conversations.
std::string shadow_record(const cascade::Request& request, const cascade::Reply& reply);

struct ShadowVerdict {
  std::string id;
  cascade::Level level = cascade::Level::L2;  // who gave the answer
  cascade::Level by = cascade::Level::L3;     // who looked at it
  std::optional<bool> good{};                 // nothing: it could not be decided
  std::string how{};                          // one phrase
};

// Owns a cascade of its own, whose models are loaded at the first check. One thread at a time: a
// server calls check_next() while no request is in work, with a flag that the next request raises.
class ShadowChecker {
 public:
  // Errors: those of DecisionLog::open_existing.
  static Result<std::unique_ptr<ShadowChecker>> open(const Settings& settings,
                                                     const Surroundings& surroundings);
  ~ShadowChecker();

  // The oldest waiting answer; nothing where none waits. A check that is interrupted stays in the
  // queue. Errors: Interrupted, Unavailable (no higher tier answered), those of the log.
  Result<std::optional<ShadowVerdict>> check_next(const StopFlag& stop);

  Result<int64_t> waiting();

  // Every certificate in use after the outcomes so far.
  Result<std::vector<Watched>> watch();

 private:
  struct Parts;
  explicit ShadowChecker(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace tinyarms::service
