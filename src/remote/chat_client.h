// Chat completions of any OpenAI-compatible engine (POST {url}/chat/completions), streamed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"
#include "remote/endpoint.h"
#include "remote/http.h"

namespace tinyarms::remote {

struct ChatMessage {
  std::string role;
  std::string content;
};

struct ChatOptions {
  int tokens_max = 512;
  double temperature = 0;
  uint32_t seed = 0;
  std::vector<std::string> stop{};
  int top_logprobs = 2;  // likeliest tokens to be told of at each place; engines allow up to 20
};

// One generated token as the engine reports it, where it does: natural logarithms.
struct TokenLogprob {
  double chosen = 0;
  std::optional<double> best{};    // of the likeliest token
  std::optional<double> second{};  // of the runner-up
  std::vector<std::pair<std::string, double>> top{};  // token and logprob, likeliest first
};

struct ChatReply {
  std::string text;
  std::string model;          // as the engine names itself; may be empty
  std::string finish_reason;  // "stop", "length", …; "interrupted" where `stop` was raised
  int64_t prompt_tokens = 0;  // 0 where the engine does not say
  int64_t completion_tokens = 0;
  std::vector<TokenLogprob> logprobs{};  // empty where the engine gives none
  double first_token_seconds = 0;
  double seconds = 0;
};

struct ChatClientOptions {
  HttpLimits limits{};
  int tries = 3;               // of a call that failed before its first byte came
  double backoff_seconds = 0.5;  // before the second try, doubled before the next, with jitter
};

// Const calls, thread-safe.
class ChatClient {
 public:
  // Errors: as check_endpoint().
  static Result<ChatClient> create(Endpoint endpoint, ChatClientOptions options = {});

  // `on_text` (may be empty) gets pieces as they come. A raised `stop` ends the call and keeps the
  // text so far. Errors: Unavailable (unreachable, 429 and 5xx after all tries), Config (401, 403,
  // 404: key, address or model), InvalidArgument (another 4xx), Corrupt (a reply that is no chat
  // completion), Interrupted (before the first token). Messages quote at most the engine's own
  // error text; the key is in none.
  Result<ChatReply> complete(const std::vector<ChatMessage>& messages, const ChatOptions& options,
                             const StopFlag& stop,
                             const std::function<void(std::string_view)>& on_text) const;

 private:
  ChatClient(Endpoint endpoint, ChatClientOptions options)
      : endpoint_(std::move(endpoint)), options_(options) {}

  Endpoint endpoint_;
  ChatClientOptions options_;
};

}  // namespace tinyarms::remote
