// A request as the conversation that a language model is shown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cascade/request.h"
#include "engine/generator.h"

namespace tinyarms::tiers {

// The system prompt first (the request's own wins over `system_prompt`), then the turns; files and
// passages that were found stand before the last question, fenced and marked as data, passages
// numbered as they are to be cited.
std::vector<engine::ChatMessage> conversation(
    const cascade::Request& request, std::string_view system_prompt,
    const std::vector<cascade::ContextPassage>& passages = {});

// Between an answer and the list of the passages that it was given.
inline constexpr std::string_view kSourcesHeading = "\n\nSources:\n";

// `text` in a fence that nothing in it can close, with a newline at its end.
std::string fenced(std::string_view text, std::string_view language = {});

// Takes the oldest question and its answer away, never the system prompt or the last question.
// False where there is none left to take.
bool drop_oldest_turn(std::vector<engine::ChatMessage>& messages);

}  // namespace tinyarms::tiers
