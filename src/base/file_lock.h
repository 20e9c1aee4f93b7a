// Who writes a file alone: flock(2) with some patience, because a process that was killed holds its
// locks until the system has taken its memory apart, a moment after nobody sees it any more.
#pragma once

#include <chrono>

namespace tinyarms {

// False where it cannot be had; errno says why: EWOULDBLOCK where another holder keeps it.
bool lock_file(int descriptor, std::chrono::milliseconds patience);

// What a process that follows on a killed one should wait.
inline constexpr std::chrono::milliseconds kLockPatience{2000};

}  // namespace tinyarms
