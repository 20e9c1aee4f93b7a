// tinyarms models outdated, models rollback, models prune: versions of a model.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "catalog/previous_version.h"
#include "cli/models_commands.h"
#include "cli/pull_parts.h"
#include "pull/upstream.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

using VersionJson = nlohmann::ordered_json;

struct VersionOptions {
  std::vector<std::string> names;
  bool json = false;
};

// What the catalogue says of an installed model's file; empty where it names no hash of it.
struct CatalogueVersion {
  std::string sha256;
  std::string date;  // when that was read
};

struct AskedModel {
  catalog::InstalledModel model;
  pull::UpstreamState upstream;
  CatalogueVersion catalogue;
  std::string kept;  // the SHA-256 of the version before; empty where none is kept
};

// By the repository and path it came from, else by the name its file has in the catalogue.
CatalogueVersion in_catalogue(const catalog::InstalledModel& model,
                              const advice::Catalogue& catalogue) {
  for (const advice::CatalogueModel& known : catalogue.models) {
    for (const advice::ModelFile& file : known.files) {
      if (file.sha256.empty() || file.name.empty()) continue;
      const std::string& repository =
          file.repository.empty() ? known.repository : file.repository;
      const bool same_place = !repository.empty() &&
                              model.source == fmt::format("hf:{}/{}", repository, file.name);
      const std::string stem = std::filesystem::path(file.name).stem().string();
      if (same_place || model.name == catalog::make_model_name(stem)) {
        return {.sha256 = file.sha256, .date = file.source.date};
      }
    }
  }
  return {};
}

std::string reason_of(const AskedModel& each) {
  std::string reason = each.upstream.reason;
  if (each.catalogue.sha256.empty()) return reason;
  reason += reason.empty() ? "" : "; ";
  return reason + fmt::format("the catalogue of {} names {}", each.catalogue.date,
                              each.catalogue.sha256 == each.model.sha256 ? "this very file"
                                                                         : "another file");
}

// Those named, else all that were pulled or that the catalogue names.
Result<std::vector<catalog::InstalledModel>> models_to_ask(const catalog::ModelStore& store,
                                                           const advice::Catalogue& catalogue,
                                                           const VersionOptions& options) {
  if (!options.names.empty()) return store.find_all(options.names);
  auto models = store.list();
  if (!models) return models.error();
  std::vector<catalog::InstalledModel> chosen;
  for (catalog::InstalledModel& model : *models) {
    const bool listed = pull::was_pulled(model) || !in_catalogue(model, catalogue).sha256.empty();
    if (listed) chosen.push_back(std::move(model));
  }
  return chosen;
}

// As a shell reads it back as one word: what a hub calls its files may be anything.
std::string shell_word(const std::string& text) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') {
      word += "'\\''";
    } else {
      word += c;
    }
  }
  return word + "'";
}

void show_outdated(const std::vector<AskedModel>& asked, bool json, const Terminal& terminal) {
  const auto outdated = std::count_if(asked.begin(), asked.end(), [](const AskedModel& each) {
    return each.upstream.state == pull::Freshness::Outdated;
  });
  if (json) {
    VersionJson list = VersionJson::array();
    for (const AskedModel& each : asked) {
      list.push_back({{"name", each.model.name},
                      {"state", pull::freshness_name(each.upstream.state)},
                      {"reason", each.upstream.reason},
                      {"source", each.model.source},
                      {"sha256", each.model.sha256},
                      {"upstream_sha256", each.upstream.sha256},
                      {"upstream_bytes", each.upstream.bytes},
                      {"catalogue_sha256", each.catalogue.sha256},
                      {"catalogue_date", each.catalogue.date},
                      {"previous_sha256", each.kept}});
    }
    return terminal.out(
        service::json_text(VersionJson{{"outdated", outdated}, {"models", list}}));
  }
  if (asked.empty()) terminal.note("no installed model was pulled from a place that can be asked");
  for (const AskedModel& each : asked) {
    const bool newer = each.upstream.state == pull::Freshness::Outdated;
    const std::string say =
        newer ? fmt::format("{}: tinyarms pull {} --name {}", each.upstream.reason,
                            shell_word(each.model.source), shell_word(each.model.name))
              : reason_of(each);
    terminal.out(printable(fmt::format("{:40} {:9} {}", each.model.name,
                                       pull::freshness_name(each.upstream.state), say)) + "\n");
  }
}

void run_outdated(const VersionOptions& options, Context& context) {
  const auto config = context.load_settings(options.json);
  if (!config) return;
  auto terms = pull_terms(config->settings, {}, context);
  if (!terms) return context.fail(terms.error(), options.json);
  const catalog::ModelStore store(context.paths.models_dir);
  const catalog::ModelStore before = catalog::previous_versions(store);
  const advice::Catalogue catalogue = load_catalogue(context);
  auto models = models_to_ask(store, catalogue, options);
  if (!models) return context.fail(models.error(), options.json);
  const Terminal terminal = context.terminal(config->settings);
  pull::UpstreamCheck check(*terms, context.stop);
  std::vector<AskedModel> asked;
  auto kept = before.list();
  if (!kept) return context.fail(kept.error(), options.json);
  for (catalog::InstalledModel& model : *models) {
    terminal.status("asking of " + printable(model.name));
    auto upstream = check.ask(model);
    terminal.status("");
    if (!upstream) return context.fail(upstream.error(), options.json);
    AskedModel each{.model = std::move(model), .upstream = std::move(*upstream),
                    .catalogue = {}, .kept = ""};
    each.catalogue = in_catalogue(each.model, catalogue);
    for (const catalog::InstalledModel& version : *kept) {
      if (version.name == each.model.name) each.kept = version.sha256;
    }
    asked.push_back(std::move(each));
  }
  show_outdated(asked, options.json, terminal);
}

void run_rollback(const VersionOptions& options, Context& context) {
  const catalog::ModelStore store(context.paths.models_dir);
  auto model = catalog::roll_back(store, options.names.front());
  if (!model) return context.fail(model.error(), options.json);
  const Terminal terminal = context.terminal();
  if (options.json) {
    return terminal.out(service::json_text(VersionJson{{"name", model->name},
                                                       {"path", model->path.string()},
                                                       {"sha256", model->sha256},
                                                       {"bytes", model->bytes},
                                                       {"source", model->source}}));
  }
  terminal.out(printable(fmt::format("{}  {}  {}  sha256 {}\n", model->name, model->quantization,
                                     size_text(model->bytes), model->sha256)));
  terminal.note("the version that was in use is kept: the same command goes forward again");
}

void run_prune(const VersionOptions& options, Context& context) {
  const catalog::ModelStore store(context.paths.models_dir);
  auto pruned = catalog::prune_previous(store, options.names);
  if (!pruned) return context.fail(pruned.error(), options.json);
  const Terminal terminal = context.terminal();
  if (options.json) {
    VersionJson list = VersionJson::array();
    for (const catalog::InstalledModel& model : *pruned) {
      list.push_back({{"name", model.name}, {"bytes", model.bytes}, {"sha256", model.sha256}});
    }
    return terminal.out(service::json_text(VersionJson{{"removed", list}}));
  }
  if (pruned->empty()) terminal.note("no earlier versions are kept");
  for (const catalog::InstalledModel& model : *pruned) {
    terminal.out(printable(fmt::format("{}  {}  sha256 {}\n", model.name, size_text(model.bytes),
                                       model.sha256)));
  }
}

}  // namespace

void add_models_versions(CLI::App& models, Context& context) {
  auto outdated_options = std::make_shared<VersionOptions>();
  CLI::App* outdated = models.add_subcommand(
      "outdated", "Which pulled models have another version by now where they came from");
  outdated->add_option("model", outdated_options->names,
                       "Names; none: all that were pulled, or whose hash the catalogue names");
  add_switch(*outdated, context, "--online", "offline", "false",
             "Allows the network for this call, whatever the configuration says");
  outdated->add_flag("--json", outdated_options->json, "As JSON");
  outdated->footer(
      "Nothing is fetched, and only the hosts that `pull` may ask are asked. A state is current,\n"
      "outdated, unknown (it says why) or offline. Exit status 0, whatever is found; 5: no such\n"
      "model.\n"
      "Examples:\n"
      "  tinyarms models outdated --online\n"
      "  tinyarms models outdated --online --json qwen2.5-coder-7b");
  outdated->callback([outdated_options, &context] { run_outdated(*outdated_options, context); });

  auto rollback_options = std::make_shared<VersionOptions>();
  CLI::App* rollback = models.add_subcommand(
      "rollback", "Back to the version that `pull` replaced; again: forward");
  rollback->add_option("model", rollback_options->names, "Its exact name")
      ->required()
      ->expected(1);
  rollback->add_flag("--json", rollback_options->json, "As JSON");
  rollback->footer(
      "The one in use is kept in its place. Exit status 5: none is kept, or it is damaged.\n"
      "Example:\n  tinyarms models rollback qwen2.5-coder-7b");
  rollback->callback([rollback_options, &context] { run_rollback(*rollback_options, context); });

  auto prune_options = std::make_shared<VersionOptions>();
  CLI::App* prune = models.add_subcommand("prune", "Removes the versions kept for `rollback`");
  prune->add_option("model", prune_options->names, "Exact names; none: all");
  prune->add_flag("--json", prune_options->json, "As JSON");
  prune->footer("Example:\n  tinyarms models prune");
  prune->callback([prune_options, &context] { run_prune(*prune_options, context); });
}

}  // namespace tinyarms::cli
