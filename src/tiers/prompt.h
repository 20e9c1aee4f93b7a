// A request as the conversation that a language model is shown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cascade/request.h"
#include "engine/generator.h"

namespace tinyarms::tiers {

// The system prompt first (the request's own wins over `system_prompt`), then the turns; files
// stand before the last question, fenced and marked as data.
std::vector<engine::ChatMessage> conversation(const cascade::Request& request,
                                              std::string_view system_prompt);

// Takes the oldest question and its answer away, never the system prompt or the last question.
// False where there is none left to take.
bool drop_oldest_turn(std::vector<engine::ChatMessage>& messages);

}  // namespace tinyarms::tiers
