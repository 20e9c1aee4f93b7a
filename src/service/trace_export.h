// Climbs told to a collector of traces, where the settings or OpenTelemetry's variables name one.
// One a process, whoever asks in it.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/paths.h"
#include "cascade/cascade.h"
#include "service/settings.h"
#include "tracing/exporter.h"

namespace tinyarms::service {

// Any thread, but for configure().
class TraceExport {
 public:
  // Makes nothing, and opens no connection, until the first climb. `environment`: of this process.
  TraceExport(Environment environment, std::string version)
      : environment_(std::move(environment)), version_(std::move(version)) {}

  // From now on by these settings; what waits under others is sent first, for at most
  // flush_seconds. Errors: Config, where the settings name a place that may not be used; nothing
  // has changed then. A variable that may not be used is told in notices() and left alone: it is
  // there for other programs too.
  Result<void> configure(const Settings& settings);

  bool on() const { return exporter() != nullptr; }

  // The span of a climb that is about to begin; nothing where climbs are not told of.
  void begin(cascade::Provenance& provenance) const;

  // A climb that has ended. `began`: seconds since 1970 UTC. Takes microseconds, never waits.
  void record(const cascade::Request& request, const cascade::Reply& reply, double began,
              double seconds) const;

  // Sends what waits; nothing is taken any more.
  void finish();

  // Nothing where none is configured.
  std::optional<tracing::ExportCounts> counts() const;
  std::string problem() const;
  std::vector<std::string> notices() const;

 private:
  std::shared_ptr<tracing::Exporter> exporter() const;

  Environment environment_;
  std::string version_;
  mutable std::mutex mutex_;
  std::shared_ptr<tracing::Exporter> exporter_;
  std::vector<std::string> notices_;
};

}  // namespace tinyarms::service
