// Which snapshots serve whom, and which is worth least: the same for those on disk and in memory.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/length_alike.h"
#include "engine/snapshots/snapshot_file.h"

namespace tinyarms::engine {

// Whether who has the first has the second too.
inline bool covers(const SnapshotHead& longer, const SnapshotHead& shorter) {
  return longer.binding == shorter.binding && longer.scope == shorter.scope &&
         length_alike(longer.tokens, shorter.tokens) == shorter.tokens.size();
}

// The seconds that computing it again takes, by byte, over the seconds since it was used.
inline double worth_keeping(const SnapshotHead& head, uint64_t bytes, double age) {
  return head.seconds / static_cast<double>(std::max<uint64_t>(bytes, 1)) / age;
}

}  // namespace tinyarms::engine
