// A climb as spans: one for the question, one below it for each tier that was asked, named by the
// semantic conventions for generative AI (open-telemetry/semantic-conventions-genai, status
// Development, as of semantic conventions 1.41) and, where those have no word, under `tinyarms.`.
// docs/telemetry.md lists them.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "tracing/climb_note.h"
#include "tracing/span.h"

namespace tinyarms::tracing {

struct SpanTerms {
  std::string remote_provider = "openai";  // gen_ai.provider.name of L4
  std::array<std::string, 5> models = {};  // that the tiers are set up with, L0 first
  bool keep_question = false;              // its text, beside hash and length
};

// The question's first. Tiers that were skipped are events of it.
std::vector<Span> spans_of(const ClimbNote& note, const SpanTerms& terms);

}  // namespace tinyarms::tracing
