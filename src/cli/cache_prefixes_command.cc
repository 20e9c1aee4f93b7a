// tinyarms cache prefixes: the computed beginnings of prompts that are kept on disk.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/cache_commands.h"
#include "cli/context.h"
#include "cli/models_commands.h"
#include "service/holdings.h"
#include "service/prefix_folder.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

using Json = nlohmann::ordered_json;
using engine::StoredSnapshot;

struct PrefixesOptions {
  bool remove = false;
  bool json = false;
};

Json prefix_json(const StoredSnapshot& stored) {
  return {{"file", stored.name},
          {"model", stored.head.model},
          {"tokens", stored.head.tokens.size()},
          {"bytes", stored.bytes},
          {"compute_seconds", stored.head.seconds},
          {"created_at", service::timestamp(stored.head.created_at)},
          {"used_at", service::timestamp(stored.used_at)}};
}

void show(const PrefixesOptions& options, const engine::SnapshotFolderOptions& place,
          const std::vector<StoredSnapshot>& all, uint64_t bytes, Context& context) {
  const Terminal terminal = context.terminal();
  if (options.json) {
    Json list = Json::array();
    for (const StoredSnapshot& stored : all) list.push_back(prefix_json(stored));
    return terminal.out(service::json_text(Json{{"folder", place.folder.string()},
                                                {"limit_bytes", place.bytes_max},
                                                {"bytes", bytes},
                                                {"prefixes", list}}));
  }
  if (place.bytes_max == 0) terminal.note("none are kept: prefix.disk_limit is \"off\"");
  if (all.empty()) return terminal.note("no prefix is on disk");
  std::string text = fmt::format("{:36} {:>8} {:>11} {:>10}  {:21}\n", "model", "tokens", "bytes",
                                 "computing", "last used");
  for (const StoredSnapshot& stored : all) {
    text += fmt::format("{:36} {:>8} {:>11} {:>8.1f} s  {:21}\n", stored.head.model,
                        stored.head.tokens.size(), size_text(stored.bytes), stored.head.seconds,
                        service::timestamp(stored.used_at));
  }
  terminal.out(printable(text));
  if (place.bytes_max > 0) {
    terminal.note(fmt::format("{} of {}", size_text(bytes), size_text(place.bytes_max)));
  }
}

void run_prefixes(const PrefixesOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  const engine::SnapshotFolderOptions place =
      service::prefix_folder(loaded->settings, context.paths);
  std::error_code problem;
  if (!std::filesystem::exists(place.folder, problem)) {
    if (!options.remove) return show(options, place, {}, 0, context);
    return context.terminal().out(options.json ? service::json_text(Json{{"removed", 0}})
                                               : "0 prefixes removed\n");
  }
  engine::SnapshotFolderOptions wide = place;  // whatever the limit is now
  wide.bytes_max = std::numeric_limits<int64_t>::max();
  wide.on_notice = [terminal = context.terminal()](const std::string& line) {
    terminal.note(printable("note: " + line));
  };
  auto folder = engine::SnapshotFolder::open(wide, context.clock);
  if (!folder) return context.fail(folder.error(), options.json);
  if (!options.remove) {
    (*folder)->refresh();
    return show(options, place, (*folder)->list(), (*folder)->bytes(), context);
  }
  auto removed = (*folder)->clear();
  if (!removed) return context.fail(removed.error(), options.json);
  context.terminal().out(options.json ? service::json_text(Json{{"removed", *removed}})
                                      : fmt::format("{} prefixes removed\n", *removed));
}

}  // namespace

void add_cache_prefixes(CLI::App& cache, Context& context) {
  auto options = std::make_shared<PrefixesOptions>();
  CLI::App* prefixes =
      cache.add_subcommand("prefixes", "The computed beginnings of prompts on disk");
  prefixes->add_flag("--remove", options->remove, "Delete them all");
  prefixes->add_flag("--json", options->json, "As JSON");
  prefixes->footer(
      "Kept only with prefix.disk_limit set (docs/engine.md): they hold the words of prompts and\n"
      "answers. A running server goes on without those that are deleted.\n"
      "Examples:\n"
      "  tinyarms cache prefixes\n"
      "  tinyarms cache prefixes --remove");
  prefixes->callback([options, &context] { run_prefixes(*options, context); });
}

}  // namespace tinyarms::cli
