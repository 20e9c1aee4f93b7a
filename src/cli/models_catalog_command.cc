// tinyarms models catalog: which models there are to choose from.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "advice/catalogue_json.h"
#include "cli/models_commands.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

using Json = nlohmann::ordered_json;
using advice::Catalogue;
using advice::CatalogueModel;

std::string count_text(uint64_t count) {
  if (count == 0) return "-";
  if (count < 1'000'000'000) return fmt::format("{:.0f} M", static_cast<double>(count) / 1e6);
  return fmt::format("{:.1f} B", static_cast<double>(count) / 1e9);
}

std::string licence_text(const CatalogueModel& model) {
  const std::string name = model.licence.name.empty() ? "unknown" : model.licence.name;
  switch (model.licence.commercial) {
    case advice::Commercial::Yes: return name;
    case advice::Commercial::No: return name + " (not commercial)";
    case advice::Commercial::Unknown: return name + " (commercial use unknown)";
  }
  return name;
}

std::string roles_text(const CatalogueModel& model) {
  std::string text;
  for (const advice::Role role : model.roles) {
    text += (text.empty() ? "" : ", ") + std::string(advice::role_name(role));
  }
  return text;
}

std::string score_text(const advice::Score& score) {
  return fmt::format("{}{:g} {}", score.approximate ? "~" : "", score.value, score.benchmark);
}

// The size at four bits, which is what most run; else of the smallest file.
std::string typical_size(const CatalogueModel& model) {
  if (model.remote) return "remote";
  const advice::ModelFile* file = model.file("Q4_K_M");
  if (file == nullptr && !model.files.empty()) file = &model.files.front();
  if (file == nullptr) return "-";
  return fmt::format("{} {}{}", file->quantisation, file->estimated ? "~" : "",
                     size_text(file->bytes));
}

struct CatalogOptions {
  std::string role;
  bool json = false;
};

void run_catalog(const CatalogOptions& options, Context& context) {
  const auto role = options.role.empty() ? std::nullopt : advice::parse_role(options.role);
  if (!options.role.empty() && !role) {
    return context.fail(
        Error{ErrorCode::InvalidArgument, fmt::format("\"{}\" is not a role", options.role),
              "--role", fmt::format("the roles are {}", fmt::join(advice::role_names(), ", "))},
        options.json);
  }
  const Catalogue catalogue = load_catalogue(context);
  const Terminal terminal = context.terminal();
  Json models = Json::array();
  for (const CatalogueModel& model : catalogue.models) {
    if (role && !model.has_role(*role)) continue;
    if (options.json) {
      models.push_back(advice::catalogue_model_json(model));
      continue;
    }
    std::string scores;
    for (const advice::Score& score : model.scores) scores += "  " + score_text(score);
    terminal.out(printable(fmt::format("{:24} {:28} {:>8}  {:18} {}{}\n", model.name,
                                       roles_text(model), count_text(model.parameters),
                                       typical_size(model), licence_text(model), scores)));
  }
  if (!options.json) return;
  Json problems = Json::array();
  for (const Error& problem : catalogue.problems) {
    problems.push_back(service::error_json(problem).at("error"));
  }
  terminal.out(service::json_text(Json{{"models", models}, {"problems", problems}}));
}

void print_entry(const CatalogueModel& model, const advice::ModelFile* only,
                 const Terminal& terminal) {
  const auto line = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) terminal.out(printable(fmt::format("{:16} {}\n", key, value)));
  };
  const auto from = [](const advice::Source& source) {
    return source.text.empty() ? "" : fmt::format("  [{}, {}]", source.text, source.date);
  };
  line("name", model.name);
  line("title", model.title);
  line("roles", roles_text(model));
  line("parameters", count_text(model.parameters) + from(model.source));
  if (model.context_tokens > 0) line("context", fmt::format("{}", model.context_tokens));
  if (model.dimensions > 0) {
    line("dimensions", fmt::format("{}{}{}", model.dimensions,
                                   model.matryoshka.empty() ? "" : ", cut to ",
                                   fmt::join(model.matryoshka, ", ")));
  }
  line("languages", fmt::format("{}", fmt::join(model.languages, ", ")));
  line("vocabulary", model.vocabulary_family);
  line("chat template", model.chat_template);
  line("tool format", model.tool_format);
  line("licence", licence_text(model) + from(model.licence.source));
  for (const advice::ModelFile& file : model.files) {
    if (only != nullptr && &file != only) continue;
    line("file", fmt::format("{} {}{}{}", file.quantisation, size_text(file.bytes),
                             file.estimated ? " (estimated from the parameters)" : "",
                             from(file.source)));
  }
  for (const advice::Score& score : model.scores) {
    line("score", score_text(score) + from(score.source));
  }
  if (model.price) {
    line("price", fmt::format("{:g} $ in, {:g} $ out, a million tokens{}", model.price->input,
                              model.price->output, from(model.price->source)));
  }
  line("entry", model.where);
}

}  // namespace

Catalogue load_catalogue(const Context& context) {
  Catalogue catalogue =
      advice::load_catalogue(context.paths.config_file.parent_path() / "catalog");
  for (const Error& problem : catalogue.problems) {
    context.terminal().error(printable(problem.message()));
  }
  return catalogue;
}

std::string size_text(uint64_t bytes) {
  const double size = static_cast<double>(bytes);
  return size < 1e9 ? fmt::format("{:.1f} MB", size / 1e6) : fmt::format("{:.2f} GB", size / 1e9);
}

bool show_catalogue_model(const std::string& name, bool json, Context& context) {
  const size_t colon = name.find(':');
  const Catalogue catalogue = load_catalogue(context);
  const auto model = catalogue.find(name.substr(0, colon));
  if (!model) return false;
  const advice::ModelFile* only = nullptr;
  if (colon != std::string::npos) {
    only = (*model)->file(name.substr(colon + 1));
    if (only == nullptr) {
      std::vector<std::string> known;
      for (const advice::ModelFile& file : (*model)->files) known.push_back(file.quantisation);
      context.fail(Error{ErrorCode::NotFound,
                         fmt::format("{} is not listed at the quantisation \"{}\"",
                                     (*model)->name, name.substr(colon + 1)),
                         (*model)->where, fmt::format("there are: {}", fmt::join(known, ", "))},
                   json);
      return true;
    }
  }
  const Terminal terminal = context.terminal();
  if (!json) {
    print_entry(**model, only, terminal);
    return true;
  }
  Json shown = advice::catalogue_model_json(**model);
  shown["installed"] = false;
  if (only != nullptr) {
    Json kept = Json::array();
    for (const Json& file : shown["files"]) {
      if (file.at("quantisation") == only->quantisation) kept.push_back(file);
    }
    shown["files"] = kept;
  }
  terminal.out(service::json_text(shown));
  return true;
}

void add_models_catalog(CLI::App& models, Context& context) {
  auto options = std::make_shared<CatalogOptions>();
  CLI::App* catalog = models.add_subcommand(
      "catalog", "The models there are to choose from, with licence, size and published scores");
  catalog->add_option("--role", options->role, "Only those for it: code, general, embedding, …")
      ->type_name("ROLE");
  catalog->add_flag("--json", options->json, "As JSON, each figure with its source and date");
  catalog->footer(
      "Your own files, ~/.config/tinyarms/catalog/*.toml, add models and take the place of\n"
      "entries of the same name. ~ marks what is estimated, or published as \"about\".\n"
      "Examples:\n"
      "  tinyarms models catalog --role code\n"
      "  tinyarms models show qwen2.5-coder-7b");
  catalog->callback([options, &context] { run_catalog(*options, context); });
}

}  // namespace tinyarms::cli
