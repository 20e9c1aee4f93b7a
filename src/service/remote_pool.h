// The remote tier's side of one process: its connections, what is known of its addresses, and the
// day's budget, one of each for whoever asks. Nothing is made while `offline` holds.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/paths.h"
#include "service/settings.h"
#include "storage/spending.h"
#include "tiers/remote_tier.h"

namespace tinyarms::tiers {
class ApiEngine;
class DailyBudget;
}

namespace tinyarms::service {

// What the tokens of a remote model cost, by its name; nothing where that is not known.
using PriceList = std::function<std::optional<storage::TokenPrice>(const std::string& model)>;

// The price that the settings name, else that of the list (which may be empty).
std::optional<storage::TokenPrice> remote_price(const RemoteSettings& settings,
                                                const PriceList& prices);

// How it is with one address of the remote tier.
struct UpstreamHealth {
  std::string place;    // "127.0.0.1:8080"
  std::string circuit;  // "closed", "open", "half-open"
  int in_flight = 0;
  std::optional<double> first_token_seconds{};  // lately
};

// Thread-safe. The clock outlives it. Touches neither network nor disk until something is asked.
class RemotePool {
 public:
  RemotePool(const Settings& settings, const Paths& paths, const Clock& clock, PriceList prices);
  ~RemotePool();

  // Null where nothing remote may be asked: offline, or no address.
  tiers::RemoteEngine* engine();

  std::vector<UpstreamHealth> health() const;

 private:
  std::unique_ptr<tiers::DailyBudget> budget_;
  std::unique_ptr<tiers::ApiEngine> engine_;
};

}  // namespace tinyarms::service
