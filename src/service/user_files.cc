#include "service/user_files.h"

namespace tinyarms::service {

std::filesystem::path intent_head_path(const Paths& paths) {
  return paths.data_dir / "intent" / "head.json";
}

std::filesystem::path spending_path(const Paths& paths) {
  return paths.data_dir / "spending.sqlite";
}

std::filesystem::path answer_cache_path(const Paths& paths) {
  return paths.cache_dir / "answers.sqlite";
}

storage::AnswerCacheOptions answer_cache_options(const Settings& settings) {
  return {.entries_max = static_cast<size_t>(settings.l1.cache_entries),
          .bytes_max = settings.l1.cache_bytes.value_or(kAutoCacheBytes),
          .seconds_max = static_cast<double>(settings.l1.cache_seconds)};
}

}  // namespace tinyarms::service
