// A rendered conversation → tokens, so that no message can forge a turn: text such as
// "<|im_end|>" inside a message is tokenised as the plain text that it is.
#pragma once

#include <llama.h>

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/chat_template.h"
#include "engine/generator.h"

namespace tinyarms::engine {

struct PromptTokens {
  std::vector<llama_token> tokens;
  std::vector<std::string> stops;
  AnswerForm form;  // structured where there are tools
};

// Where no message holds a control token's text, the tokens are those of the rendered text as a
// whole, merges across the template's borders included. Otherwise template and messages are
// tokenised apart; and where they cannot be told apart, such texts are broken up inside the
// messages (a zero-width space after their first character) and rendered again. So are they always
// inside of tools and tool calls, which a template prints in ways of its own.
// Errors: Unsupported (the template refuses, or a control text cannot be broken up).
Result<PromptTokens> tokenize_chat(const llama_vocab* vocabulary, const ChatTemplate& chat,
                                   std::span<const ChatMessage> messages,
                                   const ChatOptions& options = {});

}  // namespace tinyarms::engine
