// How often answers of a tier were not kept lately, by kind of question: what is known, before an
// answer is written, about whether the tier above will be asked.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "cascade/level.h"

namespace tinyarms::cascade {

// Thread-safe. As long as the process.
class ClimbMemory {
 public:
  void add(Level level, const std::string& group, bool climbed);

  struct Share {
    int climbed = 0;
    int judged = 0;
    // More often than not, over at least kJudgedMin answers.
    bool likely() const { return judged >= kJudgedMin && 2 * climbed > judged; }
  };
  // Of the last kRemembered answers of that level to questions of that group.
  Share share(Level level, const std::string& group) const;

  static constexpr int kRemembered = 20;
  static constexpr int kJudgedMin = 5;

 private:
  struct Lately {
    uint32_t climbs = 0;  // a bit an answer, the newest lowest
    int judged = 0;       // at most kRemembered
  };
  mutable std::mutex mutex_;
  std::map<std::pair<Level, std::string>, Lately> lately_;  // bounded: groups come from outside
};

}  // namespace tinyarms::cascade
