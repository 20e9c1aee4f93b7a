// The remote tier's side of one process: its connections and what is known of its addresses, one of
// each for whoever asks. Nothing is made while `offline` holds.
#pragma once

#include <memory>

#include "base/clock.h"
#include "service/settings.h"
#include "tiers/remote_tier.h"

namespace tinyarms::service {

// Thread-safe. The clock outlives it. Opens no connection until something is asked.
class RemotePool {
 public:
  RemotePool(const Settings& settings, const Clock& clock);

  // Null where nothing remote may be asked: offline, or no address.
  tiers::RemoteEngine* engine() { return engine_.get(); }

 private:
  std::unique_ptr<tiers::RemoteEngine> engine_;
};

}  // namespace tinyarms::service
