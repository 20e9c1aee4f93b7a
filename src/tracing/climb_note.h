// What of a climb goes into its spans, taken down in one pass over request and reply while somebody
// waits for the answer. Names and words are put around it later, by whoever sends it
// (climb_spans.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cascade/cascade.h"

namespace tinyarms::tracing {

struct AttemptNote {
  cascade::Level level = cascade::Level::L0;
  cascade::Decision decision = cascade::Decision::Skip;
  cascade::Finish finish = cascade::Finish::Stop;
  bool answered = false;
  bool calls_tools = false;
  bool calibrated = false;
  std::optional<ErrorCode> error = {};
  std::optional<double> confidence = {};
  std::optional<double> threshold = {};
  std::optional<double> dollars = {};
  double started = 0;  // seconds after the climb began
  double seconds = 0;
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;
  int64_t completion_tokens = 0;
  std::string source = {};
  std::string upstream = {};  // host and port, of a remote answer
  std::string reason = {};
};

struct ClimbNote {
  cascade::Provenance provenance = {};
  double began = 0;    // seconds since 1970 UTC
  double seconds = 0;  // from then until there was a reply
  std::string decision = {};  // under which it was logged; empty: it was not
  std::string model = {};     // as it was asked for: "auto", "l2", a name
  double temperature = 0;
  int tokens_max = 0;
  bool completes_text = false;  // a bare text to go on with, not a conversation
  std::string question = {};
  std::optional<size_t> winner = {};
  bool sure = false;
  bool interrupted = false;
  std::vector<AttemptNote> attempts = {};

  size_t spans() const;  // that it will be
  size_t bytes() const;  // of memory, about
};

struct ClimbTimes {
  double began = 0;
  double seconds = 0;
};

ClimbNote note_of(const cascade::Request& request, const cascade::Reply& reply,
                  const ClimbTimes& times);

}  // namespace tinyarms::tracing
