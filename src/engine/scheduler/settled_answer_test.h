// For tests: one answer of a scheduler, and its counters as they are then.
#pragma once

#include <gtest/gtest.h>

#include <thread>

#include "engine/scheduler/scheduler.h"

namespace tinyarms::engine::testing {

// Once it has ended and its sequence is kept, which the answer itself does not wait for.
inline Completion settled_answer(Scheduler& scheduler, CompletionRequest request) {
  auto stream = scheduler.submit(std::move(request));
  EXPECT_TRUE(stream) << stream.error().message();
  if (!stream) return {};
  auto completion = (*stream)->result();
  EXPECT_TRUE(completion) << completion.error().message();
  while (scheduler.counters().running > 0) std::this_thread::yield();
  return completion ? *completion : Completion{};
}

}  // namespace tinyarms::engine::testing
