// tinyarms cache list, rm, export, off, on, stats: the answers that L1 remembers.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/file.h"
#include "cli/cache_commands.h"
#include "cli/context.h"
#include "service/cache_pairs.h"
#include "service/config_edit.h"
#include "service/library_access.h"
#include "service/reply_json.h"
#include "service/settings_value.h"
#include "service/user_files.h"
#include "storage/answer_cache.h"

namespace tinyarms::cli {
namespace {

using Json = nlohmann::ordered_json;
using storage::CacheEntry;

constexpr size_t kQuestionShown = 60;

struct EntryOptions {
  std::vector<std::string> names;
  std::string output;
  bool all = false;
  bool json = false;
};

struct OpenCache {
  service::LoadedConfig config;
  std::unique_ptr<storage::Database> database;
  std::unique_ptr<storage::AnswerCache> cache;
};

// Reports and gives nothing on an error.
std::optional<OpenCache> open_cache(const EntryOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return std::nullopt;
  auto opened = storage::Database::open(service::answer_cache_path(context.paths), context.clock);
  if (!opened) {
    context.fail(opened.error(), options.json);
    return std::nullopt;
  }
  if (!opened->notice.empty()) context.terminal().note(printable("note: " + opened->notice));
  auto cache = std::make_unique<storage::AnswerCache>(
      *opened->database, context.clock, service::answer_cache_options(loaded->settings));
  return OpenCache{std::move(*loaded), std::move(opened->database), std::move(cache)};
}

Json entry_json(const CacheEntry& entry) {
  return {{"id", entry.answer.name},
          {"question", entry.answer.question},
          {"answer", entry.answer.answer},
          {"source", entry.answer.source},
          {"tier", entry.answer.level},
          {"confidence", entry.answer.confidence},
          {"created_at", entry.answer.created_at},
          {"expired", entry.expired},
          {"bytes", entry.bytes},
          {"namespace",
           {{"id", entry.binding.hash},
            {"user", entry.binding.user},
            {"project", entry.binding.project},
            {"state", entry.binding.state},
            {"model", entry.answer.source},
            {"sampling", entry.binding.sampling}}}};
}

std::string json_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string date_of(double seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  if (::gmtime_r(&time, &parts) == nullptr) return "?";
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min);
}

std::string entry_line(const CacheEntry& entry) {
  std::string where = entry.binding.project.empty() ? "-" : entry.binding.project;
  if (!entry.binding.user.empty()) where = entry.binding.user + " " + where;
  std::string question = service::printable(entry.answer.question, kQuestionShown);
  return fmt::format("{}  {}{}  {}  {}  {}\n", entry.answer.name,
                     date_of(entry.answer.created_at), entry.expired ? " (expired)" : "",
                     entry.answer.source, where, question);
}

void run_list(const EntryOptions& options, Context& context) {
  auto open = open_cache(options, context);
  if (!open) return;
  Json list = Json::array();
  std::string text;
  auto done = open->cache->each([&](const CacheEntry& entry) -> Result<void> {
    if (options.json) {
      list.push_back(entry_json(entry));
    } else {
      text += entry_line(entry);
    }
    return {};
  });
  if (!done) return context.fail(done.error(), options.json);
  if (text.empty() && !options.json) context.terminal().note("nothing is remembered");
  context.terminal().out(options.json ? service::json_text(Json{{"entries", list}})
                                      : printable(text));
}

// To stdout a line at a time; a file comes into being whole or not at all.
void run_export(const EntryOptions& options, Context& context) {
  auto open = open_cache(options, context);
  if (!open) return;
  const Terminal terminal = context.terminal();
  std::string bytes;
  size_t count = 0;
  auto done = open->cache->each([&](const CacheEntry& entry) -> Result<void> {
    if (context.stop.raised()) return Error{ErrorCode::Interrupted, "interrupted", "", ""};
    ++count;
    if (options.output.empty()) {
      terminal.out(json_line(entry_json(entry)));
    } else {
      bytes += json_line(entry_json(entry));
    }
    return {};
  });
  if (!done) return context.fail(done.error(), false);
  if (options.output.empty()) return;
  if (auto written = write_file_atomically(options.output, bytes); !written) {
    return context.fail(written.error(), false);
  }
  terminal.note(printable(fmt::format("{} answers written to {}", count, options.output)));
}

void run_rm(const EntryOptions& options, Context& context) {
  if (options.all == !options.names.empty()) {
    return context.fail({ErrorCode::InvalidArgument, "name entries, or --all", "cache rm",
                         "tinyarms cache list shows their names"},
                        options.json);
  }
  auto open = open_cache(options, context);
  if (!open) return;
  size_t removed = 0;
  if (options.all) {
    auto gone = open->cache->clear();
    if (!gone) return context.fail(gone.error(), options.json);
    removed = *gone;
  }
  // All are looked up before the first goes.
  std::set<std::string> names;
  for (const std::string& word : options.names) {
    auto name = open->cache->resolve(word);
    if (!name) {
      Error error = name.error();
      if (error.code == ErrorCode::NotFound) error.code = ErrorCode::InvalidArgument;
      return context.fail(error, options.json);
    }
    names.insert(*name);
  }
  for (const std::string& name : names) {
    auto gone = open->cache->remove(name);
    if (!gone) return context.fail(gone.error(), options.json);
    removed += *gone ? 1 : 0;
  }
  context.terminal().out(options.json ? service::json_text(Json{{"removed", removed}})
                                      : fmt::format("{} answers removed\n", removed));
}

// What can be found by questions that mean the same.
struct Meaning {
  std::string encoder;  // the configured one; empty: it cannot be used
  std::string serving;  // another one, whose vectors are compared until its own are made
  storage::VectorStats stats{};
  std::optional<double> threshold{};  // none: nothing is found by meaning
};

Result<Meaning> find_meaning(storage::AnswerCache& cache, const service::Settings& settings,
                             const Context& context) {
  Meaning meaning;
  const auto model = service::encoder_model(settings, context.paths);
  if (!model) return meaning;
  const std::string id = service::identity_of(*model);
  meaning.encoder = model->name;
  meaning.threshold = service::threshold_in_force(context.paths, id, settings.l1.similarity);
  auto stats = cache.vector_stats(id);
  if (!stats) return stats.error();
  meaning.stats = *stats;
  auto serving = cache.serving_encoder(id);
  if (!serving) return serving.error();
  if (*serving && (*serving)->id != id) meaning.serving = (*serving)->name;
  return meaning;
}

Json meaning_json(const Meaning& meaning) {
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
  };
  return {{"model", text_or_null(meaning.encoder)},
          {"entries", meaning.stats.with_vector},
          {"vectors_missing", meaning.stats.without},
          {"too_long", meaning.stats.too_long},
          {"serving", text_or_null(meaning.serving)},
          {"threshold", meaning.threshold ? Json(*meaning.threshold) : Json(nullptr)}};
}

std::string meaning_text(const Meaning& meaning) {
  if (meaning.encoder.empty()) {
    return "l1.model cannot be used: answers are found by the same words only\n";
  }
  std::string text = fmt::format(
      "{} can be found by meaning with {}, {} by the same words only", meaning.stats.with_vector,
      meaning.encoder, meaning.stats.without + meaning.stats.too_long);
  if (meaning.stats.without > 0) {
    text += fmt::format(" ({} until tinyarms cache update)", meaning.stats.without);
  }
  text += "\n";
  if (!meaning.serving.empty()) {
    text += fmt::format("{} serves until the vectors of {} are made: tinyarms cache update\n",
                        meaning.serving, meaning.encoder);
  }
  if (!meaning.threshold) {
    text += fmt::format("no threshold is calibrated for {}, only for another model: the same words "
                        "only (tinyarms cache calibrate)\n", meaning.encoder);
  }
  return text;
}

void run_stats(const EntryOptions& options, Context& context) {
  auto open = open_cache(options, context);
  if (!open) return;
  auto stats = open->cache->stats();
  if (!stats) return context.fail(stats.error(), options.json);
  const service::Settings& settings = open->config.settings;
  auto meaning = find_meaning(*open->cache, settings, context);
  if (!meaning) return context.fail(meaning.error(), options.json);
  const auto limits = service::answer_cache_options(settings);
  const bool on = settings.l1.cache;
  if (options.json) {
    return context.terminal().out(service::json_text(Json{{"enabled", on},
                                                          {"entries", stats->entries},
                                                          {"namespaces", stats->bindings},
                                                          {"bytes", stats->bytes},
                                                          {"answer_bytes", stats->answer_bytes},
                                                          {"expired", stats->expired},
                                                          {"rejected", stats->rejected},
                                                          {"by_meaning", meaning_json(*meaning)},
                                                          {"entries_max", limits.entries_max},
                                                          {"bytes_max", limits.bytes_max},
                                                          {"ttl_seconds", limits.seconds_max}}));
  }
  context.terminal().out(fmt::format(
      "{} answers in {} namespaces, {} of them expired; {} of {} bytes, file {} bytes\n"
      "{} marks of rejected answers; the cache is {}\n",
      stats->entries, stats->bindings, stats->expired, stats->answer_bytes, limits.bytes_max,
      stats->bytes, stats->rejected, on ? "on" : "off") + printable(meaning_text(*meaning)));
}

void run_switch(const EntryOptions& options, Context& context, bool on) {
  const auto& file = context.sources.user_file;
  if (file.empty()) {
    return context.fail({ErrorCode::Config, "there is no user configuration file", "l1.cache",
                         "set l1.cache where the configuration comes from"},
                        options.json);
  }
  if (auto set = service::set_flag(file, "l1", "cache", on); !set) {
    return context.fail(set.error(), options.json);
  }
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  const bool now = loaded->settings.l1.cache;
  if (now != on) {
    context.terminal().note(printable(fmt::format(
        "warning: l1.cache is still {}, because {} says so", now, loaded->origin("l1.cache"))));
  }
  context.terminal().out(
      options.json ? service::json_text(Json{{"enabled", now}, {"file", file.string()}})
                   : printable(fmt::format("the cache is {} ({})\n", now ? "on" : "off",
                                           file.string())));
}

}  // namespace

void add_cache_entries(CLI::App& cache, Context& context) {
  const auto add = [&](const std::string& name, const std::string& description) {
    auto options = std::make_shared<EntryOptions>();
    CLI::App* command = cache.add_subcommand(name, description);
    return std::pair(command, options);
  };
  const auto add_json = [](CLI::App& command, EntryOptions& options) {
    command.add_flag("--json", options.json, "As JSON");
  };

  auto [stats, counting] = add("stats", "How much is remembered, and the limits");
  add_json(*stats, *counting);
  stats->callback([o = counting, &context] { run_stats(*o, context); });

  auto [list, listing] = add("list", "The answers remembered, oldest first");
  add_json(*list, *listing);
  list->callback([o = listing, &context] { run_list(*o, context); });

  auto [rm, removing] = add("rm", "Forget answers; they may be remembered again");
  rm->add_option("id", removing->names, "Of entries, or their beginnings")->type_name("ID");
  rm->add_flag("--all", removing->all, "Every one");
  add_json(*rm, *removing);
  rm->footer("To forget a wrong answer for good: tinyarms feedback ID bad\n"
             "Examples:\n  tinyarms cache rm 3fa9c2\n  tinyarms cache rm --all");
  rm->callback([o = removing, &context] { run_rm(*o, context); });

  auto [exporting, writing] = add("export", "Every answer as a JSON object a line");
  exporting->add_option("--output", writing->output, "Instead of stdout")->type_name("FILE");
  exporting->footer("Example:\n  tinyarms cache export --output answers.jsonl");
  exporting->callback([o = writing, &context] { run_export(*o, context); });

  auto [off, ending] = add("off", "Remember nothing from now on (l1.cache = false)");
  off->footer("What is remembered stays until `tinyarms cache rm --all`, but is not given.");
  add_json(*off, *ending);
  off->callback([o = ending, &context] { run_switch(*o, context, false); });

  auto [on, beginning] = add("on", "Remember answers again (l1.cache = true)");
  add_json(*on, *beginning);
  on->callback([o = beginning, &context] { run_switch(*o, context, true); });
}

}  // namespace tinyarms::cli
