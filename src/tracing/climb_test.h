// For tests: climbs with fixed ids and times.
#pragma once

#include "tracing/climb_note.h"

namespace tinyarms::tracing {

// A question that a server was asked within somebody's trace: L0 had no rule, L1 nothing, L2 was
// not sure, L3 is not set up, a remote engine answered.
inline ClimbNote served_climb() {
  using cascade::Decision;
  using cascade::Level;
  ClimbNote note{.provenance = {.id = "req_1",
                                .at = 1'800'000'000.25,
                                .served = true,
                                .caller = TraceContext{0x4bf92f3577b34da6, 0xa3ce929d0e0e4736,
                                                       0x00f067aa0ba902b7},
                                .span = TraceContext{0x4bf92f3577b34da6, 0xa3ce929d0e0e4736,
                                                     0xb7ad6b7169203331}},
                 .began = 1'800'000'000.5,
                 .seconds = 2,
                 .decision = "0123456789ab",
                 .model = "auto",
                 .temperature = 0.5,
                 .tokens_max = 64,
                 .question = "What is a mutex?",
                 .winner = 4,
                 .sure = true};
  note.attempts = {
      {.level = Level::L0, .decision = Decision::Abstain, .seconds = 0.25},
      {.level = Level::L1, .decision = Decision::Abstain, .started = 0.25, .seconds = 0.25},
      {.level = Level::L2,
       .decision = Decision::Escalate,
       .finish = cascade::Finish::Length,
       .answered = true,
       .confidence = 0.25,
       .threshold = 0.5,
       .started = 0.5,
       .seconds = 0.5,
       .prompt_tokens = 10,
       .cached_tokens = 4,
       .completion_tokens = 64,
       .source = "small.q4_1",
       .reason = "confidence 0.250 is below threshold 0.500"},
      {.level = Level::L3,
       .decision = Decision::Skip,
       .started = 1,
       .reason = "not configured (set l3.model)"},
      {.level = Level::L4,
       .decision = Decision::Accept,
       .answered = true,
       .calls_tools = true,
       .calibrated = true,
       .confidence = 0.75,
       .threshold = 0.0,
       .dollars = 0.125,
       .started = 1,
       .seconds = 1,
       .prompt_tokens = 12,
       .completion_tokens = 3,
       .source = "large-2026",
       .upstream = "10.0.0.7:8080",
       .reason = "confidence 0.750 reaches threshold 0.000"}};
  return note;
}

}  // namespace tinyarms::tracing
