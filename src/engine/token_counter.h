// How many tokens a conversation takes as a model is shown it: its vocabulary and chat template
// without its weights, so that counting neither loads a model nor waits for one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include "base/result.h"
#include "engine/chat_template.h"

namespace tinyarms::engine {

// Const after load: any number of threads.
class TokenCounter {
 public:
  // Errors: those of inspect_model; Unsupported (an encoder, no chat template), Corrupt (the engine
  // refused the file).
  static Result<std::unique_ptr<const TokenCounter>> load(const std::filesystem::path& path);
  ~TokenCounter();
  TokenCounter(const TokenCounter&) = delete;
  TokenCounter& operator=(const TokenCounter&) = delete;

  // Of the whole prompt: template, tools, messages, and where the answer begins. Errors:
  // InvalidArgument (no message, text that is not UTF-8, a tool's schema), Unsupported (the
  // template refuses the conversation).
  Result<size_t> count(std::span<const ChatMessage> messages,
                       const ChatOptions& options = {}) const;

 private:
  struct Parts;
  explicit TokenCounter(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace tinyarms::engine
