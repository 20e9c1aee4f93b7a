// Whether the place a model was pulled from has another version of it by now: the hub's list of
// files, a mirror's index or the address itself is asked, and nothing is fetched. Only places that
// `pull` may ask are asked, and none when offline.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"
#include "catalog/model_store.h"
#include "pull/hub.h"
#include "pull/installer.h"
#include "pull/source.h"

namespace tinyarms::pull {

enum class Freshness {
  Current,
  Outdated,
  Unknown,  // asked, or not allowed to be, without an answer that tells: `reason` says why
  Offline,  // not asked
};

const char* freshness_name(Freshness state);  // "current", "outdated", …

struct UpstreamState {
  Freshness state = Freshness::Unknown;
  std::string reason{};    // in words; empty for what is current
  std::string sha256{};    // of the version there, where it is told
  uint64_t bytes = 0;      // likewise
};

// Whether its source is a place that can be asked: not so of what was imported from a file.
bool was_pulled(const catalog::InstalledModel& model);

// One call's asking: a repository or an index is read once, a host that did not answer is not
// asked again.
class UpstreamCheck {
 public:
  UpstreamCheck(const PullTerms& terms, const StopFlag& stop);

  // Errors: Interrupted, Unsupported (no libcurl). All else is a state.
  Result<UpstreamState> ask(const catalog::InstalledModel& model);

 private:
  Result<UpstreamState> ask_hub(const catalog::InstalledModel& model, const PullSource& source);
  Result<UpstreamState> ask_address(const catalog::InstalledModel& model, const std::string& url);
  UpstreamState ask_folder(const catalog::InstalledModel& model) const;
  Result<std::vector<HubFile>> files_of(const PullSource& source);

  const PullTerms& terms_;
  const std::string hub_;
  const StopFlag& stop_;
  PullConnection connection_;
  std::map<std::string, Result<std::vector<HubFile>>> repositories_;
  std::map<std::string, Error> silent_;  // by origin
};

}  // namespace tinyarms::pull
