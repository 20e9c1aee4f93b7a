// L4: an engine somewhere else, asked only when the user allows it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cascade/tier.h"

namespace tinyarms::tiers {

// The port to a remote engine. Nothing behind it is constructed while `offline` holds. Thread-safe.
class RemoteEngine {
 public:
  virtual ~RemoteEngine() = default;
  virtual Result<cascade::Attempt> complete(const cascade::Request&, const cascade::Trace& so_far,
                                            const StopFlag&, cascade::Listener&) = 0;
  // Why nothing can be asked now, as far as is known without a look at disk or network.
  virtual std::optional<std::string> skip_reason() const { return std::nullopt; }
};

struct RemoteTierOptions {
  std::vector<std::string> urls;  // addresses that serve it; empty: not configured
  std::string model;  // the name that API knows
};

class RemoteTier final : public cascade::Tier {
 public:
  // `engine` may be null: this build then has no client, and the tier says so.
  RemoteTier(RemoteTierOptions options, RemoteEngine* engine);

  cascade::Level level() const override { return cascade::Level::L4; }
  std::string describe() const override;
  std::optional<std::string> skip_reason(const cascade::Request&,
                                         const cascade::Trace& so_far) const override;
  Result<cascade::Attempt> attempt(const cascade::Request&, const cascade::Trace& so_far,
                                   const StopFlag&, cascade::Listener&) override;

 private:
  RemoteTierOptions options_;
  RemoteEngine* engine_;
};

}  // namespace tinyarms::tiers
