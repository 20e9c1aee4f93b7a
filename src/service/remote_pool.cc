#include "service/remote_pool.h"

#include "service/user_files.h"
#include "tiers/api_engine.h"

namespace tinyarms::service {
namespace {

tiers::TraceReach trace_reach(Toggle propagate) {
  switch (propagate) {
    case Toggle::Auto: return tiers::TraceReach::ThisMachine;
    case Toggle::On: return tiers::TraceReach::Everybody;
    case Toggle::Off: return tiers::TraceReach::Nobody;
  }
  return tiers::TraceReach::Nobody;
}

}  // namespace

std::optional<storage::TokenPrice> remote_price(const RemoteSettings& settings,
                                                const PriceList& prices) {
  if (settings.price_input && settings.price_output) {
    return storage::TokenPrice{*settings.price_input, *settings.price_output};
  }
  return prices ? prices(settings.model) : std::nullopt;
}

RemotePool::RemotePool(const Settings& settings, const Paths& paths, const Clock& clock,
                       PriceList prices) {
  if (settings.offline || settings.l4.urls.empty()) return;
  if (settings.l4.budget_per_day > 0) {
    budget_ = std::make_unique<tiers::DailyBudget>(spending_path(paths),
                                                   settings.l4.budget_per_day, clock);
  }
  engine_ = std::make_unique<tiers::ApiEngine>(
      tiers::ApiEngineOptions{.urls = settings.l4.urls,
                              .model = settings.l4.model,
                              .api = settings.l4.kind == RemoteKind::Anthropic
                                         ? remote::Api::Anthropic
                                         : remote::Api::OpenAi,
                              .key = {.variable = settings.l4.api_key_env,
                                      .file = settings.l4.api_key_file},
                              .price = [l4 = settings.l4, prices = std::move(prices)] {
                                return remote_price(l4, prices);
                              },
                              .budget = budget_.get(),
                              .traces = trace_reach(settings.telemetry.propagate)},
      clock);
}

RemotePool::~RemotePool() = default;

tiers::RemoteEngine* RemotePool::engine() { return engine_.get(); }

std::vector<UpstreamHealth> RemotePool::health() const {
  std::vector<UpstreamHealth> all;
  if (engine_ == nullptr) return all;
  for (remote::EndpointHealth& one : engine_->health()) {
    all.push_back({.place = std::move(one.place),
                   .circuit = std::string(remote::state_name(one.circuit)),
                   .in_flight = one.in_flight,
                   .first_token_seconds = one.latency});
  }
  return all;
}

}  // namespace tinyarms::service
