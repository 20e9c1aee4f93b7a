// The remote engine of L4 over the client for OpenAI-compatible APIs. Its evidence is what the API
// offers: log-probabilities of tokens where it gives them, and what the answer's code says.
#pragma once

#include <memory>
#include <string>

#include "remote/chat_client.h"
#include "remote/http_connections.h"
#include "tiers/remote_tier.h"

namespace tinyarms::tiers {

struct OpenAiEngineOptions {
  std::string url;
  std::string model;
  std::string api_key_env;  // name of the variable with the key; empty: none
};

class OpenAiEngine final : public RemoteEngine {
 public:
  // Touches neither network nor environment: both wait for the first question.
  explicit OpenAiEngine(OpenAiEngineOptions options) : options_(std::move(options)) {}

  Result<cascade::Attempt> complete(const cascade::Request&, const cascade::Trace& so_far,
                                    const StopFlag&, cascade::Listener&) override;

 private:
  OpenAiEngineOptions options_;
  remote::HttpConnections connections_;
};

// Evidence of a remote reply: token statistics from its log-probabilities, where there are some.
cascade::Evidence evidence_of(const remote::ChatReply& reply);

}  // namespace tinyarms::tiers
