// tinyarms embed: one vector a line of standard input.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "catalog/model_store.h"
#include "cli/context.h"
#include "cli/text_input.h"
#include "engine/embedder.h"

namespace tinyarms::cli {
namespace {

struct EmbedOptions {
  std::string model;
  bool json = false;
};

Result<std::vector<std::string>> read_lines(std::istream& input) {
  std::vector<std::string> lines;
  std::string line;
  size_t bytes = 0;
  while (std::getline(input, line)) {
    bytes += line.size();
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const std::string place = fmt::format("line {}", lines.size() + 1);
    auto text = check_text(std::move(line), place, kQuestionBytesMax);
    if (!text) return text.error();
    lines.push_back(std::move(*text));
    if (bytes > kFileBytesMax * 16) {
      return Error{ErrorCode::InvalidArgument, "is larger than 64 MiB", "standard input",
                   "embed it in parts"};
    }
  }
  if (lines.empty()) {
    return Error{ErrorCode::InvalidArgument, "is empty", "standard input",
                 "give one text a line, e.g. echo \"a text\" | tinyarms embed"};
  }
  return lines;
}

void run_embed(const EmbedOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  auto lines = read_lines(context.input);
  if (!lines) return context.fail(lines.error(), options.json);
  const std::string name = options.model.empty() ? loaded->settings.l1.model : options.model;
  auto model = catalog::ModelStore(context.paths.models_dir).find(name);
  if (!model) return context.fail(model.error(), options.json);
  auto encoder = engine::Embedder::load(model->path, loaded->settings.threads);
  if (!encoder) return context.fail(encoder.error(), options.json);
  auto embeddings = (*encoder)->embed(*lines);
  if (!embeddings) return context.fail(embeddings.error(), options.json);

  const Terminal terminal = context.terminal(loaded->settings);
  for (size_t i = 0; i < embeddings->size(); ++i) {
    if ((*embeddings)[i].truncated) {
      terminal.note(fmt::format("note: line {} is longer than the model's window of {} tokens; "
                                "its head was embedded",
                                i + 1, (*encoder)->facts().context_tokens));
    }
  }
  if (!options.json) {
    for (const engine::Embedding& embedding : *embeddings) {
      terminal.out(fmt::format("{}\n", fmt::join(embedding.values, " ")));
    }
    return;
  }
  nlohmann::ordered_json json = {{"model", model->name},
                                 {"dimensions", (*encoder)->dimensions()},
                                 {"embeddings", nlohmann::ordered_json::array()}};
  for (const engine::Embedding& embedding : *embeddings) {
    json["embeddings"].push_back(embedding.values);
  }
  terminal.out(json.dump() + "\n");
}

}  // namespace

void add_embed(CLI::App& app, Context& context) {
  auto options = std::make_shared<EmbedOptions>();
  CLI::App* embed = app.add_subcommand("embed", "Unit vectors of the lines on standard input");
  embed->add_option("--model", options->model, "An encoder (default: l1.model)")
      ->type_name("NAME");
  embed->add_flag("--json", options->json, "{model, dimensions, embeddings: [[…]]}");
  add_setting(*embed, context, "--threads", "threads", "Processor threads (0: all)");
  embed->footer("Example:\n  printf 'a text\\nanother\\n' | tinyarms embed --json");
  embed->callback([options, &context] { run_embed(*options, context); });
}

}  // namespace tinyarms::cli
