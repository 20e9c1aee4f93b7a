#include "tiers/remote_tier.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tinyarms::tiers {

RemoteTier::RemoteTier(RemoteTierOptions options, RemoteEngine* engine)
    : options_(std::move(options)), engine_(engine) {}

std::string RemoteTier::describe() const {
  return options_.urls.empty()
             ? ""
             : fmt::format("{} at {}", options_.model, fmt::join(options_.urls, " or "));
}

std::optional<std::string> RemoteTier::skip_reason(const cascade::Request& request,
                                                   const cascade::Trace&) const {
  if (request.offline) return "offline (set offline = false to allow remote engines)";
  if (options_.urls.empty()) return "not configured (set l4.url)";
  if (engine_ == nullptr) return "this build has no remote client";
  // Asked for by name it says so itself, as a typed error.
  if (!request.only_level) {
    if (auto why = engine_->skip_reason()) return why;
  }
  if (request.prefix) return "it takes conversations, no bare texts";
  return std::nullopt;
}

Result<cascade::Attempt> RemoteTier::attempt(const cascade::Request& request,
                                             const cascade::Trace& so_far, const StopFlag& stop,
                                             cascade::Listener& listener) {
  return engine_->complete(request, so_far, stop, listener);
}

}  // namespace tinyarms::tiers
