// A whole cascade, as a configuration file describes it, as the bench's subject: every tier that
// answered is told with its evidence, the kept answer last.
//
// The cache of earlier answers is off: an item must not be answered from the run before. Neither
// environment variables nor a project's file are read; the file and the flags decide alone.
#pragma once

#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "base/paths.h"
#include "base/result.h"
#include "eval/subject.h"
#include "service/config.h"

namespace tinyarms::service {

struct CascadeSubjectOptions {
  std::filesystem::path config_file;
  ConfigSources sources;  // whose overrides (flags) count; the rest is replaced
  Paths paths;
  const Clock& clock;
};

// Errors: those of load_config and check.
Result<std::unique_ptr<eval::Subject>> open_cascade_subject(const CascadeSubjectOptions& options);

}  // namespace tinyarms::service
