// One call of one remote engine, streamed, and what came of it. What follows from a failure is the
// caller's to decide (chat_client.h).
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "base/stop_flag.h"
#include "remote/endpoint.h"
#include "remote/http.h"
#include "remote/reply_reader.h"

namespace tinyarms::remote {

struct ChatTry {
  const Endpoint& endpoint;
  const std::vector<ChatMessage>& messages;
  const ChatOptions& options;
  bool logprobs = true;  // some engines refuse a request that asks for them
  bool quotes = true;    // an error may repeat what the engine says of it
  std::string_view traceparent = {};  // a header to send; empty: none
  ReplySinks sinks{};
};

struct TryEnd {
  Result<ChatReply> reply;  // errors: those of ChatClient::complete()
  std::string plain{};      // of a failure: what it was, in our own words alone ("HTTP 503")
  int status = 0;           // 0: no head of a reply came
  double retry_after = 0;   // seconds, as the engine asks; 0: it does not
  bool started = false;     // some of the answer had come
  size_t written_bytes = 0;  // of it
};

// `start`: from when on the reply's times are counted.
TryEnd try_chat(const ChatTry& chat, const HttpLimits& limits, const StopFlag& stop,
                HttpConnections* connections, std::chrono::steady_clock::time_point start);

}  // namespace tinyarms::remote
