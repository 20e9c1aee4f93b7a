// tinyarms index: which folders are searched, and bringing the index up to date with them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/context.h"
#include "cli/index_commands.h"
#include "cli/index_report.h"
#include "cli/index_workshop.h"
#include "corpus/indexer.h"
#include "corpus/watcher.h"
#include "service/library_access.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct IndexOptions {
  std::vector<std::string> paths;
  bool rebuild = false;
  bool drop_old = false;
  bool json = false;
};

Result<fs::path> existing(const std::string& path) {
  std::error_code problem;
  fs::path resolved = fs::canonical(path, problem);
  if (problem) {
    return Error{ErrorCode::InvalidArgument, problem.message(), path,
                 "name a folder or a file that is there"};
  }
  return resolved;
}

Result<corpus::IndexReport> update_root(Workshop& work, corpus::Root& root, Context& context) {
  const Terminal terminal = context.terminal(work.settings);
  corpus::Indexer indexer = work.indexer(context);
  auto report = indexer.update(root.path);
  terminal.status("");
  if (report && !report->interrupted) root.completed_at = context.clock.wall_seconds();
  return report;
}

// Every root, or those named; one that is gone is told of and kept. Then the vectors of another
// encoder that are missing.
void update_roots(Workshop& work, std::vector<corpus::Root>& roots,
                  const std::vector<corpus::Root*>& chosen, const IndexOptions& options,
                  Context& context) {
  std::vector<corpus::IndexReport> reports;
  std::vector<Error> problems;
  for (corpus::Root* root : chosen) {
    auto report = update_root(work, *root, context);
    if (report) {
      reports.push_back(std::move(*report));
      if (reports.back().interrupted) break;
      continue;
    }
    problems.push_back(report.error());
    if (report.error().code != ErrorCode::NotFound) break;
  }
  if (auto saved = work.library->save_roots(roots); !saved) problems.push_back(saved.error());
  const Terminal terminal = context.terminal(work.settings);
  Remade remade;
  bool interrupted = !reports.empty() && reports.back().interrupted;
  if (!interrupted) {
    auto made = remake_vectors(work, context);
    if (made) {
      remade = std::move(*made);
      interrupted = remade.interrupted();
    } else {
      problems.push_back(made.error());
    }
  }
  uint64_t dropped = 0;
  if (options.drop_old && !interrupted) {
    auto gone = work.library->drop_old();
    if (gone) dropped = *gone;
    if (!gone) problems.push_back(gone.error());
  }
  if (options.json) {
    Json json = reports_json(reports, remade.index, problems, *work.library);
    json["cache"] = cache_remake_json(remade.cache);
    json["dropped_bytes"] = dropped;
    terminal.out(service::json_text(json));
  } else {
    terminal.out(printable(reports_text(reports) + cache_remake_line(remade.cache) +
                           remake_line(remade.index)));
    if (dropped > 0) {
      terminal.out(fmt::format("{:.1f} MB of old vectors removed\n",
                               static_cast<double>(dropped) / 1e6));
    }
  }
  for (const Error& problem : problems) terminal.error(printable(problem.message()));
  if (!problems.empty()) {
    context.exit = exit_code(problems.front().code);
    if (problems.front().code == ErrorCode::NotFound) context.exit = Exit::Usage;
  } else if (interrupted) {
    terminal.note("stopped; the next run goes on from here");
    context.exit = Exit::Interrupted;
  }
}

std::vector<corpus::Root*> all_of(std::vector<corpus::Root>& roots) {
  std::vector<corpus::Root*> all;
  for (corpus::Root& root : roots) all.push_back(&root);
  return all;
}

// A folder inside a root is that root's; a folder around roots takes them over.
std::string add_root(std::vector<corpus::Root>& roots, const std::string& path, double now) {
  if (const corpus::Root* known = corpus::root_of(roots, path)) return known->path;
  std::erase_if(roots, [&](const corpus::Root& root) { return corpus::lies_in(root.path, path); });
  roots.push_back({.path = path, .added_at = now, .completed_at = {}});
  return path;
}

void run_add(const IndexOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  std::vector<std::string> paths;
  for (const std::string& path : options.paths) {
    auto resolved = existing(path);
    if (!resolved) return context.fail(resolved.error(), options.json);
    paths.push_back(resolved->string());
  }
  auto work = open_workshop(
      loaded->settings, {.rebuild = options.rebuild, .quiet = options.json}, context);
  if (!work) return context.fail(work.error(), options.json);
  auto roots = work->library->roots();
  if (!roots) return context.fail(roots.error(), options.json);
  std::vector<std::string> wanted;
  for (const std::string& path : paths) {
    wanted.push_back(add_root(*roots, path, context.clock.wall_seconds()));
  }
  // Before the work: a run that is killed is known to be unfinished.
  if (auto saved = work->library->save_roots(*roots); !saved) {
    return context.fail(saved.error(), options.json);
  }
  const bool everything = options.rebuild || !work->library->notice().empty();
  std::vector<corpus::Root*> chosen;
  for (corpus::Root& root : *roots) {
    const bool named = std::find(wanted.begin(), wanted.end(), root.path) != wanted.end();
    if (named || everything) chosen.push_back(&root);
  }
  update_roots(*work, *roots, chosen, options, context);
}

void run_update(const IndexOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  auto work = open_workshop(
      loaded->settings, {.rebuild = options.rebuild, .quiet = options.json}, context);
  if (!work) return context.fail(work.error(), options.json);
  auto roots = work->library->roots();
  if (!roots) return context.fail(roots.error(), options.json);
  if (roots->empty()) {
    return context.fail({ErrorCode::InvalidArgument, "no folder has been added yet", "",
                         "tinyarms index add PATH"},
                        options.json);
  }
  std::vector<corpus::Root*> chosen;
  for (const std::string& path : options.paths) {
    std::error_code ignored;
    const std::string full = fs::weakly_canonical(path, ignored).string();
    corpus::Root* root = corpus::root_of(*roots, full);
    if (root == nullptr) {
      return context.fail({ErrorCode::InvalidArgument, "is not indexed", path,
                           "tinyarms index add PATH"},
                          options.json);
    }
    if (std::find(chosen.begin(), chosen.end(), root) == chosen.end()) chosen.push_back(root);
  }
  if (chosen.empty() || options.rebuild || !work->library->notice().empty()) {
    chosen = all_of(*roots);
  }
  update_roots(*work, *roots, chosen, options, context);
}

void run_rm(const IndexOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  auto work = open_workshop(loaded->settings, {.quiet = options.json}, context);
  if (!work) return context.fail(work.error(), options.json);
  auto roots = work->library->roots();
  if (!roots) return context.fail(roots.error(), options.json);
  std::error_code ignored;
  const std::string& named = options.paths.front();
  const std::string path = fs::weakly_canonical(named, ignored).string();
  const auto root = std::find_if(roots->begin(), roots->end(), [&](const corpus::Root& each) {
    return each.path == path || each.path == named;
  });
  if (root == roots->end()) {
    const corpus::Root* around = corpus::root_of(*roots, path);
    return context.fail(
        {ErrorCode::InvalidArgument,
         around != nullptr ? fmt::format("is part of {}, which was added as a whole", around->path)
                           : std::string("is not indexed"),
         named,
         around != nullptr ? "name it in an .ignore file, then tinyarms index update"
                           : "tinyarms index status shows what is"},
        options.json);
  }
  auto files = work->library->store().files_under(root->path);
  if (!files) return context.fail(files.error(), options.json);
  std::vector<std::string> paths;
  for (const storage::FileRow& file : *files) paths.push_back(file.path);
  auto removed = work->library->store().remove_files(paths);
  if (!removed) return context.fail(removed.error(), options.json);
  if (auto tidied = work->library->tidy(); !tidied) {
    return context.fail(tidied.error(), options.json);
  }
  const std::string gone = root->path;
  roots->erase(root);
  if (auto saved = work->library->save_roots(*roots); !saved) {
    return context.fail(saved.error(), options.json);
  }
  context.terminal(loaded->settings)
      .out(options.json
               ? service::json_text(Json{{"removed", gone}, {"files", *removed}})
               : printable(fmt::format("{} is no longer indexed ({} files)\n", gone, *removed)));
}

void run_status(const IndexOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  const fs::path folder = service::library_folder(context.paths);
  auto index = service::open_to_search(loaded->settings, context.paths, context.clock);
  const Terminal terminal = context.terminal(loaded->settings);
  if (!index && index.error().code == ErrorCode::NotFound) {
    terminal.out(options.json ? service::json_text(empty_status_json(folder))
                              : "nothing is indexed yet: tinyarms index add PATH\n");
    return;
  }
  if (!index) return context.fail(index.error(), options.json);
  auto status = status_of(*index, folder, loaded->settings.l1.model);
  if (!status) return context.fail(status.error(), options.json);
  terminal.out(options.json ? service::json_text(status_json(*status))
                            : printable(status_text(*status)));
}

void run_watch(const IndexOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  const Terminal terminal = context.terminal(loaded->settings);
  auto watcher = corpus::Watcher::create();
  if (!watcher) return context.fail(watcher.error(), options.json);
  bool first = true;
  while (!context.stop.raised()) {
    // Opened for each round, so that others can index in between.
    auto work = open_workshop(loaded->settings, {.quiet = options.json}, context);
    if (!work) return context.fail(work.error(), options.json);
    auto roots = work->library->roots();
    if (!roots) return context.fail(roots.error(), options.json);
    if (roots->empty()) {
      return context.fail({ErrorCode::InvalidArgument, "no folder has been added yet", "",
                           "tinyarms index add PATH"},
                          options.json);
    }
    bool look_again = false;  // something may have changed in a folder before it was watched
    for (corpus::Root& root : *roots) {
      if (auto watched = (*watcher)->watch(root.path); !watched) {
        return context.fail(watched.error(), options.json);
      }
      auto report = update_root(*work, root, context);
      if (!report) {
        terminal.error(printable(report.error().message()));
        if (report.error().code != ErrorCode::NotFound) return context.fail(report.error(), false);
        continue;
      }
      for (const std::string& folder : report->folders) {
        auto watched = (*watcher)->watch(folder);
        if (!watched) return context.fail(watched.error(), options.json);
        look_again = look_again || *watched;
      }
      const bool news = report->indexed + report->removed > 0;
      if (options.json && (news || first)) {
        terminal.out(report_json(*report).dump() + "\n");
      } else if (news || first) {
        terminal.note(printable(report_line(*report)));
      }
    }
    if (auto saved = work->library->save_roots(*roots); !saved) {
      return context.fail(saved.error(), options.json);
    }
    auto remade = remake_vectors(*work, context);
    if (!remade) return context.fail(remade.error(), options.json);
    if (!remade->index.model.empty() && options.json) {
      terminal.out(Json{{"remade", remake_json(remade->index)}}.dump() + "\n");
    } else {
      terminal.out(printable(remake_line(remade->index)));
    }
    work->library.reset();
    if (first) terminal.note("watching; Ctrl-C ends it");
    first = false;
    if (look_again) continue;
    if (auto waited = (*watcher)->wait(context.stop); !waited) {
      return context.fail(waited.error(), options.json);
    }
  }
}

}  // namespace

void add_index(CLI::App& app, Context& context) {
  CLI::App* index = app.add_subcommand("index", "Index your own code and documents for search");
  index->require_subcommand(1);
  index->footer(
      "Examples:\n  tinyarms index add ~/src/project\n  tinyarms index update\n"
      "  tinyarms index status --json\n  tinyarms search \"where is the config parsed\"");
  const auto add = [&](const char* name, const char* what, auto run) {
    auto options = std::make_shared<IndexOptions>();
    CLI::App* command = index->add_subcommand(name, what);
    command->add_flag("--json", options->json, "As JSON on stdout");
    command->callback([options, run, &context] { run(*options, context); });
    return std::pair(command, options);
  };
  const auto rebuild = [](CLI::App* command, const std::shared_ptr<IndexOptions>& options) {
    command->add_flag("--rebuild", options->rebuild,
                      "Empty an index of another embedding model first, instead of serving it "
                      "until the new one is made");
  };
  const auto [adding, add_options] = add("add", "Add folders or files and index them", run_add);
  adding->add_option("path", add_options->paths, "Folders or files")->required();
  rebuild(adding, add_options);
  add_setting(*adding, context, "--threads", "threads", "Processor threads (0: all)");
  const auto [updating, update_options] =
      add("update", "Index what has changed since, and make the vectors of a new l1.model",
          run_update);
  updating->add_option("path", update_options->paths, "Only these (default: all)");
  rebuild(updating, update_options);
  updating->add_flag("--drop-old", update_options->drop_old,
                     "Remove vectors that no longer serve, which `models migrate --back` needs");
  add_setting(*updating, context, "--threads", "threads", "Processor threads (0: all)");
  const auto [removing, remove_options] = add("rm", "Take a folder out of the index", run_rm);
  removing->add_option("path", remove_options->paths, "As it was added")
      ->required()
      ->expected(1);
  add("status", "What is indexed, and by which model", run_status);
  const auto [watching, watch_options] =
      add("watch", "Keep the index up to date while files change", run_watch);
  add_setting(*watching, context, "--threads", "threads", "Processor threads (0: all)");
}

}  // namespace tinyarms::cli
