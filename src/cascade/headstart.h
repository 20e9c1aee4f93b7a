// Work that a tier does on a request before it is asked, while a tier below still writes its
// answer. Nobody waits for it, and what becomes of it changes how long an answer takes and nothing
// else.
#pragma once

#include <cstdint>
#include <string>

#include "cascade/level.h"

namespace tinyarms::cascade {

struct HeadstartReport {
  double seconds = 0;       // at work so far
  double load_seconds = 0;  // of these, to bring the model into memory
  int64_t tokens = 0;       // of the prompt, computed by it
  bool complete = false;    // the whole prompt is
  std::string problem = {};  // why it got no further; empty: none
};

// One that is under way. Letting go of it cancels it, without waiting. Any thread may ask.
class Headstart {
 public:
  virtual ~Headstart() = default;
  virtual HeadstartReport report() const = 0;
  virtual void cancel() = 0;  // within a token
};

// What became of one, in the trace.
struct SpentHeadstart {
  Level level = Level::L3;  // who began
  bool used = false;        // by the answer of that tier
  HeadstartReport report;   // when that tier was asked; where it was not, when it was let go
};

// "l3 had begun: loaded in 0.40 s, 312 tokens of the prompt, 1.20 s in all, for nothing"
std::string describe(const SpentHeadstart& spent);

}  // namespace tinyarms::cascade
