// tinyarms quantize: a smaller copy of an installed model, beside it in the store.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "catalog/model_store.h"
#include "cli/context.h"
#include "engine/quantize.h"

namespace tinyarms::cli {
namespace {

struct QuantizeOptions {
  std::string model;
  std::string type;
  std::string name;
};

// "smollm2-135m-instruct.q4_1" → "smollm2-135m-instruct.q2_k": the old type's suffix goes.
std::string name_for(const std::string& source, const std::string& type) {
  const size_t dot = source.rfind('.');
  const bool has_type = dot != std::string::npos && dot + 1 < source.size() &&
                        (source[dot + 1] == 'q' || source[dot + 1] == 'f' ||
                         source[dot + 1] == 'i' || source[dot + 1] == 'b');
  return fmt::format("{}.{}", has_type ? source.substr(0, dot) : source, type);
}

void run_quantize(const QuantizeOptions& options, Context& context) {
  auto loaded = context.load_settings(false);
  if (!loaded) return;
  const catalog::ModelStore store(context.paths.models_dir);
  auto source = store.find(options.model);
  if (!source) return context.fail(source.error(), false);
  const std::string name =
      options.name.empty() ? name_for(source->name, options.type) : options.name;
  if (!catalog::is_model_name(name)) {
    return context.fail({ErrorCode::InvalidArgument, "is not a model name", name,
                         "use lower-case letters, digits, '.', '_' and '-'"},
                        false);
  }

  const Terminal terminal = context.terminal(loaded->settings);
  terminal.note(fmt::format("quantising {} to {} …", printable(source->name), options.type));
  const std::filesystem::path destination = store.folder() / (name + ".gguf");
  std::error_code problem;
  if (std::filesystem::exists(destination, problem)) {
    return context.fail({ErrorCode::InvalidArgument, "exists already", name,
                         "remove it first (tinyarms models rm) or choose another --name"},
                        false);
  }
  const double start = context.clock.monotonic_seconds();
  auto report =
      engine::quantize(source->path, destination, options.type, loaded->settings.threads);
  if (!report) return context.fail(report.error(), false);
  auto added = store.add_gguf(
      destination, {.name = name, .source_note = fmt::format("quantised from {}", source->name)});
  if (!added) return context.fail(added.error(), false);

  terminal.out(fmt::format("{}  {:.1f} MB → {:.1f} MB  {:.1f} s  sha256 {}\n", name,
                           static_cast<double>(report->bytes_before) / 1e6,
                           static_cast<double>(report->bytes_after) / 1e6,
                           context.clock.monotonic_seconds() - start, added->sha256));
  if (report->fallback_tensors > 0) {
    terminal.note(fmt::format("{} tensors kept a larger type: their width does not divide by {}'s "
                              "block",
                              report->fallback_tensors, options.type));
  }
}

}  // namespace

void add_quantize(CLI::App& app, Context& context) {
  auto options = std::make_shared<QuantizeOptions>();
  CLI::App* quantize = app.add_subcommand("quantize", "Make a smaller copy of a model");
  quantize->add_option("model", options->model, "Name or path")->required();
  quantize->add_option("--to", options->type, "q2_k, q3_k_m, q4_0, q4_k_m, q8_0, …")
      ->required()
      ->type_name("TYPE");
  quantize->add_option("--name", options->name, "Name of the copy")->type_name("NAME");
  add_setting(*quantize, context, "--threads", "threads", "Processor threads (0: all)");
  quantize->footer("Example:\n  tinyarms quantize smollm2-135m-instruct.q4_1 --to q2_k");
  quantize->callback([options, &context] { run_quantize(*options, context); });
}

}  // namespace tinyarms::cli
