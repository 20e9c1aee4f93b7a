// tinyarms models plan: what the configured tiers will take in memory.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "advice/stack_plan.h"
#include "cli/models_commands.h"
#include "service/assistant.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

using Json = nlohmann::ordered_json;
using advice::PlannedTier;
using advice::StackPlan;

struct PlanOptions {
  std::string config;
  uint32_t context = 0;  // 0: each tier's own
  std::string kv = "f16";
  bool json = false;
};

Json tier_json(const PlannedTier& tier) {
  Json json = {{"tier", tier.tier},
               {"model", tier.model},
               {"quantisation", tier.quantisation},
               {"context", tier.context_tokens == 0 ? Json(nullptr) : Json(tier.context_tokens)},
               {"from", tier.installed ? "file" : "catalogue"},
               {"estimated", tier.estimated},
               {"shared", tier.shared},
               {"weight_bytes", tier.need.weight_bytes},
               {"kv_bytes", tier.need.kv_bytes},
               {"compute_bytes", tier.need.compute_bytes},
               {"vocabulary_bytes", tier.need.vocabulary_bytes},
               {"mapped_bytes", tier.need.mapped_bytes},
               {"total_bytes", tier.need.total()},
               {"cumulative_bytes", tier.cumulative_bytes},
               {"problem", nullptr}};
  if (tier.problem) json["problem"] = service::error_json(*tier.problem).at("error");
  return json;
}

// Of each planned tier, in its order; nothing where its model is not installed or not measured.
using Speeds = std::vector<std::optional<catalog::MeasuredSpeed>>;

Speeds speeds_of(const StackPlan& plan, const catalog::ModelStore& store, int threads,
                 const Context& context) {
  Speeds speeds;
  for (const PlannedTier& tier : plan.tiers) {
    speeds.emplace_back();
    if (!tier.installed) continue;
    const auto model = store.find(tier.model);
    if (model) speeds.back() = measured_speed(*model, threads, context);
  }
  return speeds;
}

void print_plan(const StackPlan& plan, const Speeds& speeds, const Terminal& terminal) {
  terminal.out(fmt::format("{:15} {:40} {:>7} {:>10} {:>10} {:>10} {:>10} {:>10}\n", "tier",
                           "model", "context", "weights", "KV", "compute", "other", "total"));
  for (size_t i = 0; i < plan.tiers.size(); ++i) {
    const PlannedTier& tier = plan.tiers[i];
    const std::string model = tier.model + (tier.installed ? "" : " (catalogue)");
    if (tier.problem) {
      terminal.out(printable(fmt::format("{:15} {:40} {}\n", tier.tier, model,
                                         tier.problem->message())));
      continue;
    }
    const std::string context =
        tier.context_tokens == 0 ? "-" : fmt::format("{}", tier.context_tokens);
    terminal.out(printable(fmt::format(
        "{:15} {:40} {:>7} {:>10} {:>10} {:>10} {:>10} {:>10}{}{}\n", tier.tier, model, context,
        size_text(tier.need.weight_bytes), size_text(tier.need.kv_bytes),
        size_text(tier.need.compute_bytes),
        size_text(tier.need.vocabulary_bytes + tier.need.mapped_bytes),
        size_text(tier.need.total()), tier.shared ? " (in memory already)" : "",
        speeds[i] ? "  " + speed_text(*speeds[i]) : "")));
  }
  terminal.out(fmt::format("{} of a budget of {}{}\n", size_text(plan.total_bytes),
                           size_text(plan.budget_bytes),
                           !plan.complete() ? ": not all could be planned"
                           : plan.fits()    ? ": they fit together"
                                            : ": they take turns, or are refused"));
}

void run_plan(const PlanOptions& options, Context& context) {
  if (!options.config.empty()) {
    context.sources.user_file = options.config;
    context.sources.user_file_must_exist = true;
  }
  const auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  const advice::Catalogue catalogue = load_catalogue(context);
  const Terminal terminal = context.terminal(loaded->settings);
  advice::StackQuestion question{.context_tokens = {},
                                 .kv = *advice::parse_kv_type(options.kv),
                                 .physical_bytes = service::physical_memory()};
  if (options.context > 0) question.context_tokens = options.context;
  const catalog::ModelStore store(context.paths.models_dir);
  const StackPlan plan = advice::plan_stack(loaded->settings, store, catalogue, question);
  const Speeds speeds = speeds_of(plan, store, loaded->settings.threads, context);
  for (const PlannedTier& tier : plan.tiers) {
    if (tier.problem) context.exit = exit_code(tier.problem->code);
  }
  if (!options.json) {
    print_plan(plan, speeds, terminal);
    if (options.kv != "f16") {
      terminal.note("note: the engine keeps keys and values as f16; this is what " + options.kv +
                    " would take");
    }
    return;
  }
  Json tiers = Json::array();
  for (size_t i = 0; i < plan.tiers.size(); ++i) {
    tiers.push_back(tier_json(plan.tiers[i]));
    tiers.back()["measured"] = speed_json(speeds[i]);
  }
  terminal.out(service::json_text(Json{{"tiers", tiers},
                                       {"kv", options.kv},
                                       {"total_bytes", plan.total_bytes},
                                       {"budget_bytes", plan.budget_bytes},
                                       {"fits", plan.fits()}}));
}

}  // namespace

void add_models_plan(CLI::App& models, Context& context) {
  auto options = std::make_shared<PlanOptions>();
  CLI::App* plan = models.add_subcommand(
      "plan", "What the configured tiers take in memory, before anything is loaded");
  plan->add_option("--config", options->config, "Instead of your own config.toml")
      ->type_name("FILE");
  plan->add_option("--context", options->context, "Tokens, instead of each tier's own")
      ->check(CLI::Range(256u, 1048576u))
      ->type_name("N");
  plan->add_option("--kv", options->kv, "How keys and values are kept")
      ->check(CLI::IsMember({"f32", "f16", "q8_0", "q4_0"}))
      ->type_name("f32|f16|q8_0|q4_0");
  plan->add_flag("--json", options->json, "As JSON");
  plan->footer(
      "A model that is not installed is planned from the catalogue's shape and size. Exit status\n"
      "5: a model is neither installed nor in the catalogue.\n"
      "Examples:\n"
      "  tinyarms models plan\n"
      "  tinyarms models plan --config stack.toml --context 8192 --json");
  plan->callback([options, &context] { run_plan(*options, context); });
}

}  // namespace tinyarms::cli
