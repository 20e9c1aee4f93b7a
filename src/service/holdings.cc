#include "service/holdings.h"

#include <fmt/format.h>
#include <time.h>

#include "corpus/library.h"
#include "service/assistant.h"
#include "service/library_access.h"
#include "storage/answer_cache.h"

namespace tinyarms::service {
namespace {

using Json = nlohmann::ordered_json;

Json cache_json(const Settings& settings, const Paths& paths, const Clock& clock) {
  Json json = {{"enabled", settings.l1.enabled && settings.l1.cache},
               {"entries", 0},
               {"entries_max", settings.l1.cache_entries},
               {"bytes", 0},
               {"problem", nullptr}};
  const auto path = paths.cache_dir / "answers.sqlite";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return json;
  auto opened = storage::Database::open(path, clock);
  if (!opened) {
    json["problem"] = opened.error().what;
    return json;
  }
  storage::AnswerCache cache(*opened->database, clock);
  if (auto stats = cache.stats()) {
    json["entries"] = stats->entries;
    json["bytes"] = stats->bytes;
  } else {
    json["problem"] = stats.error().what;
  }
  return json;
}

Json index_json(const Settings& settings, const Paths& paths, const Clock& clock) {
  Json json = {{"enabled", settings.l1.enabled && settings.l1.index}, {"files", 0},
               {"passages", 0}, {"vectors", 0}, {"model", nullptr}, {"roots", 0},
               {"problem", nullptr}};
  const auto folder = library_folder(paths);
  if (!corpus::Library::exists(folder)) return json;
  auto index = open_to_search(settings, paths, clock);
  if (!index) {
    json["problem"] = index.error().what;
    return json;
  }
  corpus::Library& library = *index->library;
  if (const corpus::VectorMaker* maker = library.maker()) json["model"] = maker->model;
  json["vectors"] = library.vectors();
  json["notice"] = index->notice;
  if (auto roots = library.roots()) json["roots"] = roots->size();
  if (auto totals = library.store().totals("")) {
    json["files"] = totals->files;
    json["passages"] = totals->passages;
  } else {
    json["problem"] = totals.error().what;
  }
  return json;
}

}  // namespace

std::string timestamp(double wall_seconds) {
  const auto when = static_cast<time_t>(wall_seconds);
  struct tm parts {};
  ::gmtime_r(&when, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

Json held_json(const HeldModel& held) {
  return {{"name", held.name()},
          {"path", held.model.file.string()},
          {"kind", name_of(held.model.kind)},
          {"use", held.model.use},
          {"context_tokens", held.model.context_tokens},
          {"bytes", held.model.bytes},
          {"load_seconds", held.model.load_seconds},
          {"since", timestamp(held.since)},
          {"idle_seconds", held.idle_seconds},
          {"in_use", held.in_use},
          {"uses", held.uses},
          {"kept", held.model.kept},
          {"pid", held.pid},
          {"command", held.command},
          {"process_bytes", held.process_bytes ? Json(*held.process_bytes) : Json(nullptr)}};
}

Json memory_json(const Settings& settings, const Paths& paths, const Clock& clock) {
  Json models = Json::array();
  uint64_t held_bytes = 0;
  for (const HeldModel& held : held_models(residency_folder(paths.cache_dir), clock)) {
    Json one = held_json(held);
    one.erase("path");
    held_bytes += held.model.bytes;
    models.push_back(std::move(one));
  }
  return {{"models", std::move(models)},
          {"memory",
           {{"held_bytes", held_bytes},
            {"budget_bytes", memory_budget(settings, physical_memory())},
            {"physical_bytes", physical_memory()}}}};
}

Json stores_json(const Settings& settings, const Paths& paths, const Clock& clock) {
  return {{"cache", cache_json(settings, paths, clock)},
          {"index", index_json(settings, paths, clock)}};
}

}  // namespace tinyarms::service
