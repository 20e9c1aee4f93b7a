// Answers of remote engines, streamed: one engine, or several that serve the same model.
//
// A chat completion changes nothing at the engine, so a try that failed may be repeated; but only
// while nothing of the answer was shown to anybody: what was shown is never silently replaced. The
// next engine of the list is asked at once; once all were asked, those that may yet answer again
// after a pause (retry.h). Tries end by number, by ChatCall::seconds_max, and by `stop`.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"
#include "remote/chat_types.h"
#include "remote/endpoint.h"
#include "remote/endpoint_pool.h"
#include "remote/http.h"
#include "remote/retry.h"

namespace tinyarms::remote {

struct ChatClientOptions {
  HttpLimits limits{};
  int tries = 3;               // of one engine alone; each further engine is one more
  Backoff backoff{};
  HttpConnections* connections = nullptr;  // that are kept from call to call; outlives the client
  EndpointPool* pool = nullptr;  // the engines to ask instead of Endpoint::url; outlives the client
};

struct ChatCall {
  const std::vector<ChatMessage>& messages;
  const ChatOptions& options;
  const StopFlag& stop;
  // Pieces of the answer as they come.
  std::function<void(std::string_view)> on_text = {};
  std::function<void(const ToolDelta&)> on_tool = {};
  bool shown = true;   // somebody sees these pieces: no try after the first of them
  bool quotes = true;  // errors may repeat the engine's own words
  // W3C's header of that name, for engines on this machine or (`abroad`) for all; empty: none.
  std::string traceparent = {};
  bool traceparent_abroad = false;
  double seconds_max = std::numeric_limits<double>::infinity();  // no try begins after it
};

// How an answer was come by, or was not.
struct ChatRoute {
  std::string answered;            // place of the engine; empty: none did
  std::vector<PassedOver> passed;  // the others: why they were not asked, or how they failed
  int tries = 0;
  int lost = 0;           // tries that failed after the engine had taken the question
  size_t lost_bytes = 0;  // of text and calls that came of those
};

// Const calls, thread-safe.
class ChatClient {
 public:
  // Errors: as check_endpoint(), of every engine.
  static Result<ChatClient> create(Endpoint endpoint, ChatClientOptions options = {});

  // A raised `stop` ends the call and keeps the text so far. Errors: Unavailable (unreachable, 429
  // and 5xx after all tries, or broken off after text was shown), Config (401, 403, 404: key,
  // address or model), InvalidArgument (another 4xx), Corrupt (a reply that is none), OverBudget
  // (a reply without end), Interrupted (before the first token). The key is in none.
  Result<ChatReply> complete(const ChatCall& call, ChatRoute* route = nullptr) const;

  Result<ChatReply> complete(const std::vector<ChatMessage>& messages, const ChatOptions& options,
                             const StopFlag& stop,
                             const std::function<void(std::string_view)>& on_text,
                             const std::function<void(const ToolDelta&)>& on_tool = {}) const {
    return complete({messages, options, stop, on_text, on_tool});
  }

 private:
  ChatClient(Endpoint endpoint, ChatClientOptions options, std::shared_ptr<EndpointPool> own)
      : endpoint_(std::move(endpoint)), options_(options), own_(std::move(own)) {}

  Endpoint endpoint_;
  ChatClientOptions options_;
  std::shared_ptr<EndpointPool> own_;  // of its one engine, where no pool was given
};

}  // namespace tinyarms::remote
