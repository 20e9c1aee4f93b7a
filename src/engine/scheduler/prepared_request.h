// A request, checked and turned into tokens: everything that needs no context and so is done on the
// thread that asks.
#pragma once

#include <llama.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/answer_form.h"
#include "engine/chat_template.h"
#include "engine/scheduler/completion.h"
#include "engine/scheduler/token_chooser.h"

namespace tinyarms::engine {

struct PreparedRequest {
  CompletionRequest request;  // its texts are moved away
  std::vector<llama_token> prompt;
  std::vector<std::string> stops;
  AnswerForm form;
  std::unique_ptr<AnswerParser> parser;  // null: plain text
  std::unique_ptr<TokenChooser> chooser;
};

struct RequestLimits {
  const llama_vocab* vocabulary = nullptr;
  const Result<ChatTemplate>* chat = nullptr;
  size_t context_tokens = 0;   // prompt and answer together
  size_t longest_piece = 1;    // bytes of the longest token
  std::string place;           // the model's file, for errors
};

// Errors: those of CompletionEngine::submit(), without Unavailable.
Result<PreparedRequest> prepare_request(CompletionRequest request, const RequestLimits& limits);

// The prompt's tokens alone.
Result<std::vector<llama_token>> prompt_of(const CompletionRequest& request,
                                           const RequestLimits& limits);

}  // namespace tinyarms::engine
