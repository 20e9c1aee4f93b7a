// Where this user's own additions to L1, the answers that it remembers, and what was paid are kept.
#pragma once

#include <filesystem>

#include "base/paths.h"
#include "service/settings.h"
#include "storage/answer_cache.h"

namespace tinyarms::service {

std::filesystem::path intent_head_path(const Paths& paths);  // of `tinyarms intent train`

std::filesystem::path spending_path(const Paths& paths);  // what remote answers cost, by day

std::filesystem::path answer_cache_path(const Paths& paths);
storage::AnswerCacheOptions answer_cache_options(const Settings& settings);

}  // namespace tinyarms::service
