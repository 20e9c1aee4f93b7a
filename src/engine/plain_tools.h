// Tools for models whose chat template knows none. They are told of in the system message, a call
// is {"name": …, "arguments": …} between <tool_call> and </tool_call>, and calls and results of
// earlier turns are written the same way: the form of Hermes and Qwen, which many models have seen.
// A grammar keeps each call to the schema of its tool.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/answer_form.h"
#include "engine/chat_message.h"

namespace tinyarms::engine {

struct ChatOptions;

// AnswerForm::format of this form; llama.cpp's are from 0 on.
inline constexpr int kPlainToolsFormat = -1;

// The conversation with tools and calls as text, in the roles that every template knows.
std::vector<ChatMessage> with_plain_tools(std::span<const ChatMessage> messages,
                                          const ChatOptions& options);

// Errors: InvalidArgument where a tool's schema (or the answer's) cannot be turned into rules.
Result<AnswerForm> plain_tools_form(const ChatOptions& options);

// Takes an answer apart; `partial`: more is to come. Never fails: what is no call is content.
ParsedAnswer parse_plain_tools(std::string_view text, bool partial);

}  // namespace tinyarms::engine
