#include "service/remote_pool.h"

#include "tiers/api_engine.h"

namespace tinyarms::service {

RemotePool::RemotePool(const Settings& settings, const Clock& clock) {
  if (settings.offline || settings.l4.urls.empty()) return;
  engine_ = std::make_unique<tiers::ApiEngine>(
      tiers::ApiEngineOptions{.urls = settings.l4.urls,
                              .model = settings.l4.model,
                              .api_key_env = settings.l4.api_key_env},
      clock);
}

}  // namespace tinyarms::service
