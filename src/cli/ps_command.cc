// tinyarms ps: which models are in memory on this machine, and who holds them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/context.h"
#include "cli/models_commands.h"
#include "service/holdings.h"
#include "service/reply_json.h"
#include "service/residency.h"

namespace tinyarms::cli {
namespace {

using Json = nlohmann::ordered_json;
using service::HeldModel;

struct PsOptions {
  bool json = false;
};

std::string held_for(double seconds) {
  if (seconds < 60) return fmt::format("{:.0f} s", seconds);
  if (seconds < 3600) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

void run_ps(const PsOptions& options, Context& context) {
  const auto all =
      service::held_models(service::residency_folder(context.paths.cache_dir), context.clock);
  const Terminal terminal = context.terminal();
  if (options.json) {
    Json list = Json::array();
    for (const HeldModel& held : all) list.push_back(service::held_json(held));
    return terminal.out(service::json_text(Json{{"models", list}}));
  }
  if (all.empty()) return terminal.note("no model is in memory");
  terminal.out(fmt::format("{:36} {:8} {:>11} {:>8} {:21} {:>9}  {}\n", "model", "kind", "memory",
                           "context", "since", "idle", "used by"));
  for (const HeldModel& held : all) {
    // Beginnings of prompts have neither context nor load.
    const std::string loaded =
        held.model.kind == tiers::ModelKind::Prefixes
            ? std::string()
            : fmt::format("{:>8} {:21} {:>9}", held.model.context_tokens,
                          service::timestamp(held.since),
                          held.in_use ? "in use" : held_for(held.idle_seconds));
    const std::string line = fmt::format(
        "{:36} {:8} {:>11} {:40}  {} {}{}{}", held.name(), service::name_of(held.model.kind),
        size_text(held.model.bytes), loaded, held.pid, held.command,
        held.model.use.empty() ? "" : ", " + held.model.use, held.model.kept ? " (kept)" : "");
    terminal.out(printable(line) + "\n");
  }
}

}  // namespace

void add_ps(CLI::App& app, Context& context) {
  auto options = std::make_shared<PsOptions>();
  CLI::App* ps = app.add_subcommand("ps", "The models in memory, and who holds them");
  ps->add_flag("--json", options->json, "As JSON");
  ps->footer(
      "memory is what was planned for the model: weights, key-value memory, computing. Processes\n"
      "that map the same file share its weights. models.idle_seconds, models.keep and\n"
      "memory_budget decide how long a language model stays; an encoder or a reranker counts in\n"
      "the budget for as long as what uses it (l1, embeddings, rerank) keeps it. \"prefixes\" are\n"
      "computed beginnings of prompts, in what the budget leaves (prefix.memory_limit).\n"
      "Examples:\n"
      "  tinyarms ps\n"
      "  tinyarms ps --json");
  ps->callback([options, &context] { run_ps(*options, context); });
}

}  // namespace tinyarms::cli
