// What is kept on this machine, counted: models in memory, remembered answers, indexed files. For
// `tinyarms ps` and the page.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/clock.h"
#include "base/paths.h"
#include "service/residency.h"
#include "service/settings.h"

namespace tinyarms::service {

// "2026-01-31T12:00:00Z"
std::string timestamp(double wall_seconds);

// {"name", "path", "kind", "use", "context_tokens", "bytes", "load_seconds", "since",
//  "idle_seconds", "in_use", "uses", "kept", "pid", "command", "process_bytes"}
nlohmann::ordered_json held_json(const HeldModel& held);

// {"models": […], "memory": {"budget_bytes", "held_bytes", "physical_bytes"}}, without paths.
nlohmann::ordered_json memory_json(const Settings& settings, const Paths& paths,
                                   const Clock& clock);

// {"cache": {"enabled", "entries", "entries_max", "bytes", "problem"}, "index": {"enabled",
//  "files", "passages", "vectors", "model", "roots", "problem"}}. Reads the disk.
nlohmann::ordered_json stores_json(const Settings& settings, const Paths& paths,
                                   const Clock& clock);

}  // namespace tinyarms::service
