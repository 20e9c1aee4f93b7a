// tinyarms data: what the bench's tasks read, whether it is here, and fetching it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/bench_parts.h"
#include "eval/data_catalogue.h"
#include "eval/embedding_task.h"
#include "eval/task_registry.h"

namespace tinyarms::cli {
namespace {

struct DataOptions {
  std::string name;
  std::string data;
  std::string mirror;
  bool json = false;
};

struct TaskRow {
  std::string name;
  std::string description;
  std::vector<std::string> missing;  // of its files
};

std::vector<std::string> files_of(const eval::Task& task, const std::filesystem::path& folder) {
  return task.files(folder);
}
std::vector<std::string> files_of(const eval::EmbeddingTask& task, const std::filesystem::path&) {
  return task.files();
}

template <typename Tasks>
void add_rows(const Tasks& tasks, const std::filesystem::path& folder,
              std::vector<TaskRow>& rows) {
  for (const auto& task : tasks) {
    TaskRow row{std::string(task->name()), std::string(task->description()), {}};
    for (const std::string& file : files_of(*task, folder)) {
      std::error_code ignored;
      if (!std::filesystem::exists(folder / file, ignored)) row.missing.push_back(file);
    }
    rows.push_back(std::move(row));
  }
}

void run_list(const DataOptions& options, Context& context) {
  const std::filesystem::path folder = bench_data_folder(options.data, context);
  std::vector<TaskRow> rows;
  add_rows(eval::all_tasks(), folder, rows);
  add_rows(eval::all_embedding_tasks(), folder, rows);
  if (options.json) {
    nlohmann::ordered_json json = {{"folder", folder.string()}};
    for (const TaskRow& row : rows) {
      json["tasks"].push_back(
          {{"name", row.name}, {"description", row.description}, {"missing", row.missing}});
    }
    return context.terminal().out(json.dump(1) + "\n");
  }
  std::string text = fmt::format("data in {}\n", folder.string());
  for (const TaskRow& row : rows) {
    text += fmt::format("  {:<22} {:<8} {}\n", row.name, row.missing.empty() ? "ready" : "missing",
                        row.description);
    if (!row.missing.empty()) {
      text += fmt::format("  {:<31} needs {}\n", "", fmt::join(row.missing, ", "));
    }
  }
  text += "\nsets that `data pull` knows:";
  for (const eval::DataSet& set : eval::data_catalogue()) text += " " + set.name;
  context.terminal().out(printable(text + "\n"));
}

void run_pull(const DataOptions& options, Context& context) {
  const auto fail = [&](const Error& error) {
    context.fail(error, options.json);
    if (error.code == ErrorCode::NotFound || error.code == ErrorCode::Unsupported) {
      context.exit = Exit::Usage;
    }
  };
  auto set = eval::find_data_set(options.name);
  if (!set) return fail(set.error());
  const std::filesystem::path folder = bench_data_folder(options.data, context);
  const Terminal terminal = context.terminal();
  const auto show = [&](const eval::DataFile& file, uint64_t bytes) {
    terminal.status(fmt::format("{}  {:.1f} of {:.1f} MB", file.path,
                                static_cast<double>(bytes) / 1e6,
                                static_cast<double>(file.bytes) / 1e6));
  };
  auto fetched = eval::pull_data(
      **set, {.mirror = options.mirror, .folder = folder, .progress = show}, context.stop);
  terminal.status("");
  if (!fetched) return fail(fetched.error());
  if (options.json) {
    return context.terminal().out(nlohmann::ordered_json{{"set", (*set)->name},
                                                         {"folder", folder.string()},
                                                         {"files", (*set)->files.size()},
                                                         {"fetched", *fetched}}
                                      .dump() +
                                  "\n");
  }
  context.terminal().out(printable(fmt::format("{}: {} of {} files fetched, all as pinned, in {}\n",
                                               (*set)->name, *fetched, (*set)->files.size(),
                                               folder.string())));
}

}  // namespace

void add_data(CLI::App& app, Context& context) {
  CLI::App* data = app.add_subcommand("data", "The data that bench's tasks read");
  data->require_subcommand(1);

  auto list_options = std::make_shared<DataOptions>();
  CLI::App* list = data->add_subcommand("list", "Every task, and whether its data is here");
  list->add_option("--data", list_options->data, "Folder to look in")->type_name("DIR");
  list->add_flag("--json", list_options->json, "As JSON");
  list->footer("Example:\n  tinyarms data list --data data");
  list->callback([list_options, &context] { run_list(*list_options, context); });

  auto pull_options = std::make_shared<DataOptions>();
  CLI::App* pull =
      data->add_subcommand("pull", "Fetch a data set, checked against pinned hashes, resumably");
  pull->add_option("name", pull_options->name, "Which set")->required();
  pull->add_option("--mirror", pull_options->mirror,
                   "Instead of each file's own address, laid out like the data folder")
      ->type_name("URL");
  pull->add_option("--data", pull_options->data, "Folder to put it in")->type_name("DIR");
  pull->add_flag("--json", pull_options->json, "As JSON");
  pull->footer(
      "The one command that fetches: it asks the hosts that the catalogue names, or the mirror.\n"
      "Examples:\n"
      "  tinyarms data pull humaneval\n"
      "  tinyarms data pull mbpp --mirror file:///srv/mirror --data data");
  pull->callback([pull_options, &context] { run_pull(*pull_options, context); });
}

}  // namespace tinyarms::cli
