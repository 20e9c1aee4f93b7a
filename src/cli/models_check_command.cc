// tinyarms models check: whether model files are what they claim to be, and could be loaded.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/models_commands.h"
#include "engine/load_probe.h"
#include "engine/model_check.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ModelCheckOptions {
  std::vector<std::string> files;
  bool load = false;
  bool json = false;
};

struct CheckedFile {
  std::string file;
  engine::ModelCheck check;
  std::optional<bool> loaded;

  const Error* error() const {
    if (check.problem) return &*check.problem;
    return check.not_loadable ? &*check.not_loadable : nullptr;
  }
};

CheckedFile check_one(const std::string& file, bool load, const StopFlag& stop) {
  CheckedFile checked{file, engine::check_model_file(file), {}};
  if (!load || !checked.check.sound() || checked.check.format != "gguf") return checked;
  auto probed = engine::probe_loading(file, stop);
  checked.loaded = probed.has_value();
  if (!probed) {
    checked.check.fault = {.kind = "loading", .byte = 0, .name = {}};
    checked.check.problem = probed.error();
  }
  return checked;
}

Json as_json(const CheckedFile& checked) {
  const engine::ModelCheck& check = checked.check;
  Json json = {{"file", checked.file},
               {"valid", !check.problem},
               {"loadable", check.sound() && check.format == "gguf"},
               {"format", check.format},
               {"bytes", check.bytes},
               {"tensors", check.tensors},
               {"keys", check.pairs},
               {"architecture", check.architecture},
               {"loaded", checked.loaded ? Json(*checked.loaded) : Json(nullptr)},
               {"problem", nullptr}};
  if (const Error* error = checked.error()) {
    json["problem"] = {{"kind", check.fault.kind},
                       {"code", error_code_name(error->code)},
                       {"what", error->what},
                       {"where", error->where},
                       {"byte", check.fault.byte},
                       {"name", check.fault.name},
                       {"hint", error->hint}};
  }
  return json;
}

void print(const CheckedFile& checked, const Terminal& terminal) {
  const engine::ModelCheck& check = checked.check;
  if (const Error* error = checked.error()) {
    const char* word = check.problem ? "damaged" : "no model";
    terminal.out(printable(fmt::format("{}: {} ({}): {}\n", checked.file, word, check.fault.kind,
                                       error->message())));
    return;
  }
  terminal.out(printable(fmt::format(
      "{}: sound: {} {}, {} tensors, {}{}\n", checked.file, check.format, check.architecture,
      check.tensors, size_text(check.bytes), checked.loaded ? ", loads" : "")));
}

void run_check(const ModelCheckOptions& options, Context& context) {
  const Terminal terminal = context.terminal();
  Json list = Json::array();
  for (const std::string& file : options.files) {
    terminal.status("checking " + printable(file));
    const CheckedFile checked = check_one(file, options.load, context.stop);
    terminal.status("");
    if (context.stop.raised()) {
      return context.fail({ErrorCode::Interrupted, "interrupted", "", ""}, options.json);
    }
    if (const Error* error = checked.error()) {
      context.exit = checked.check.fault.kind == "not_readable" ? exit_code(error->code)
                                                                : Exit::Model;
    }
    if (options.json) {
      list.push_back(as_json(checked));
    } else {
      print(checked, terminal);
    }
  }
  if (!options.json) return;
  terminal.out(service::json_text(list.size() == 1 ? list[0] : Json{{"files", list}}));
}

}  // namespace

void add_models_check(CLI::App& models, Context& context) {
  auto options = std::make_shared<ModelCheckOptions>();
  CLI::App* check = models.add_subcommand(
      "check", "Whether files (GGUF, safetensors) are whole and sound, without loading them");
  check->add_option("file", options->files, "Files")->required()->type_name("FILE");
  check->add_flag("--load", options->load,
                  "Then loads each GGUF on trial, in a process of its own: what the engine would "
                  "die of is reported");
  check->add_flag("--json", options->json, "As JSON: valid, loadable, and the problem with its "
                                           "kind, byte and name");
  check->footer(
      "Exit status 5 where one is damaged or no model, 0 where all are sound.\n"
      "Examples:\n"
      "  tinyarms models check ~/Downloads/model.gguf\n"
      "  tinyarms models check --load --json model.gguf");
  check->callback([options, &context] { run_check(*options, context); });
}

}  // namespace tinyarms::cli
