// The remote engine of L4: one API, or several addresses of engines that serve the same model. Its
// evidence is what the API offers: log-probabilities of tokens where it gives them, and what the
// answer's code says. The trace says which address answered, and why the others did not.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "remote/chat_client.h"
#include "remote/endpoint_pool.h"
#include "remote/endpoint_prober.h"
#include "remote/secret_file.h"
#include "remote/http_connections.h"
#include "tiers/daily_budget.h"
#include "tiers/remote_tier.h"

namespace tinyarms::tiers {

// Who is sent the `traceparent` of a climb that is traced.
enum class TraceReach { Nobody, ThisMachine, Everybody };

struct ApiEngineOptions {
  std::vector<std::string> urls;  // at least one
  std::string model;
  remote::Api api = remote::Api::OpenAi;
  remote::KeyPlaces key = {};  // looked at with each question
  // Asked once, when the first question comes; empty: no price is known.
  std::function<std::optional<storage::TokenPrice>()> price = {};
  DailyBudget* budget = nullptr;  // outlives it; null: no limit
  TraceReach traces = TraceReach::Nobody;
};

// Thread-safe: what is known of the addresses is shared by all questions of a process.
class ApiEngine final : public RemoteEngine {
 public:
  // Touches neither network nor environment: both wait for the first question. `clock` outlives it.
  ApiEngine(ApiEngineOptions options, const Clock& clock);

  Result<cascade::Attempt> complete(const cascade::Request&, const cascade::Trace& so_far,
                                    const StopFlag&, cascade::Listener&) override;
  std::optional<std::string> skip_reason() const override {
    return options_.budget != nullptr ? options_.budget->spent() : std::nullopt;
  }
  std::vector<remote::EndpointHealth> health() const { return pool_.health(); }

 private:
  const std::optional<storage::TokenPrice>& price();

  ApiEngineOptions options_;
  remote::HttpConnections connections_;
  std::once_flag priced_;
  std::optional<storage::TokenPrice> price_;
  remote::EndpointPool pool_;
  remote::EndpointProber prober_;  // goes first: the pool calls it only while questions are asked
};

// Evidence of a remote reply: token statistics from its log-probabilities, where there are some.
cascade::Evidence evidence_of(const remote::ChatReply& reply);

}  // namespace tinyarms::tiers
