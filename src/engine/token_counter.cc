#include "engine/token_counter.h"

#include <fmt/format.h>
#include <llama-cpp.h>

#include "base/utf8.h"
#include "engine/chat_template.h"
#include "engine/llama_open.h"
#include "engine/model_facts.h"
#include "engine/plausible.h"
#include "engine/prompt_tokens.h"

namespace tinyarms::engine {

struct TokenCounter::Parts {
  llama_model_ptr model;
  ChatTemplate chat;
};

Result<std::unique_ptr<const TokenCounter>> TokenCounter::load(const std::filesystem::path& path) {
  auto facts = inspect_model(path);
  if (!facts) return facts.error();
  if (facts->encoder) {
    return Error{ErrorCode::Unsupported, "is an embedding model, it holds no conversation",
                 path.string(), "name a generative model here"};
  }
  if (auto plausible = check_plausible(*facts); !plausible) return plausible.error();
  llama_model_params parameters = llama_model_default_params();
  parameters.vocab_only = true;
  auto model = load_llama_model(path, parameters);
  if (!model) return model.error();
  auto chat = ChatTemplate::of(model->get(), path);
  if (!chat) return chat.error();
  return std::unique_ptr<const TokenCounter>(new TokenCounter(
      std::unique_ptr<Parts>(new Parts{std::move(*model), std::move(*chat)})));
}

TokenCounter::TokenCounter(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

TokenCounter::~TokenCounter() = default;

Result<size_t> TokenCounter::count(std::span<const ChatMessage> messages,
                                   const ChatOptions& options) const {
  if (messages.empty()) {
    return Error{ErrorCode::InvalidArgument, "there is no message", "", ""};
  }
  for (const ChatMessage& message : messages) {
    if (const auto offset = find_invalid_utf8(message.content)) {
      return Error{ErrorCode::InvalidArgument,
                   fmt::format("the text is not valid UTF-8 at byte {}", *offset), "", ""};
    }
  }
  auto prompt = tokenize_chat(llama_model_get_vocab(parts_->model.get()), parts_->chat, messages,
                              options);
  if (!prompt) return prompt.error();
  return prompt->tokens.size();
}

}  // namespace tinyarms::engine
