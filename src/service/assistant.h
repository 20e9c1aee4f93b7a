// The composition: settings → tiers, policy and memory, wired into one cascade. Constructing it
// loads nothing heavy; each tier brings in what it needs when it is first asked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/paths.h"
#include "cascade/cascade.h"
#include "service/remote_pool.h"
#include "service/settings.h"
#include "tiers/remote_tier.h"

namespace tinyarms::service {

class ModelPool;
class TraceExport;

struct Surroundings {
  Paths paths;
  const Clock& clock;
  uint64_t physical_bytes = 0;             // memory of this machine
  tiers::RemoteEngine* remote = nullptr;   // instead of L4's own client, for tests
  ModelPool* models = nullptr;             // shared with others; null: models of its own
  RemotePool* remotes = nullptr;           // likewise
  const TraceExport* traces = nullptr;     // told of every climb; null: nobody is
  PriceList prices = {};                   // of remote models, where the settings name none
  // Lines for the log, on any thread; may be empty.
  std::function<void(const std::string&)> on_notice = {};
};

// Bytes of physical memory, as the system reports them.
uint64_t physical_memory();

// A request with the limits and sampling that the settings ask for, and no message yet.
cascade::Request make_request(const Settings& settings);

// Thread-safe: const after it was made, so that any number of threads may climb in one. What they
// share beyond that (encoder, answer memory, the index) is had by one question after the other.
class Assistant {
 public:
  // What it asks. At hand is what answers at once and needs no model: rules, and the same question
  // answered before. Such a climb is logged only where it found its answer.
  enum class Scope { Whole, AtHand };

  Assistant(const Settings& settings, const Surroundings& surroundings,
            Scope scope = Scope::Whole);
  ~Assistant();
  Assistant(const Assistant&) = delete;
  Assistant& operator=(const Assistant&) = delete;

  // Climbs, remembers an accepted answer for the next time it is asked, and logs the decisions
  // where the settings ask for it. Where the request names no folder, it is asked in the one that
  // this process was in when the assistant was made.
  cascade::Reply ask(const cascade::Request&, const StopFlag&, cascade::Listener&) const;

  // What would be asked, in order. Loads nothing.
  cascade::Trace plan(const cascade::Request&) const;

  // What the user should know about the set-up, e.g. a rule that could not be read.
  const std::vector<std::string>& notices() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tinyarms::service
