// tinyarms quantize: smaller copies of an installed model, beside it in the store.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "catalog/model_store.h"
#include "cli/context.h"
#include "engine/imatrix.h"
#include "engine/language_model.h"
#include "engine/quantize.h"

namespace tinyarms::cli {
namespace {

constexpr size_t kTextBytesMax = 64 << 20;

struct QuantizeOptions {
  std::string model;
  std::vector<std::string> types;
  std::string name;
  std::string importance_file;
  std::string importance_text;
  bool json = false;
};

// "smollm2-135m-instruct.q4_1" → "smollm2-135m-instruct.q2_k": the old type's suffix goes.
std::string name_for(const std::string& source, const std::string& type) {
  const size_t dot = source.rfind('.');
  const bool has_type = dot != std::string::npos && dot + 1 < source.size() &&
                        (source[dot + 1] == 'q' || source[dot + 1] == 'f' ||
                         source[dot + 1] == 'i' || source[dot + 1] == 'b');
  return catalog::make_model_name(
      fmt::format("{}.{}", has_type ? source.substr(0, dot) : source, type));
}

// What is being done, for as long as it is.
class Progress {
 public:
  explicit Progress(const Terminal& terminal) : terminal_(terminal) {}
  ~Progress() { terminal_.status(""); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void show(const std::string& line) { terminal_.status(line); }

 private:
  const Terminal& terminal_;
};

// From --imatrix or --imatrix-from; nothing where neither was given.
Result<std::optional<engine::ImportanceMatrix>> importance_of(
    const QuantizeOptions& options, const catalog::InstalledModel& source, int threads,
    const Terminal& terminal, const StopFlag& stop) {
  using Found = std::optional<engine::ImportanceMatrix>;
  if (!options.importance_file.empty()) {
    auto matrix = engine::read_importance(options.importance_file);
    if (!matrix) return matrix.error();
    return Found(std::move(*matrix));
  }
  if (options.importance_text.empty()) return Found();
  auto text = read_file(options.importance_text, kTextBytesMax);
  if (!text) return text.error();
  auto model = engine::LanguageModel::load(source.path);
  if (!model) return model.error();
  Progress progress(terminal);
  engine::ImportanceOptions measure;
  measure.threads = threads;
  measure.progress = [&](size_t done, size_t count) {
    progress.show(fmt::format("reading the text for the importance matrix: {} of {} chunks", done,
                              count));
  };
  auto matrix = engine::measure_importance(**model, *text, measure, stop);
  if (!matrix) return matrix.error();
  return Found(std::move(*matrix));
}

struct Made {
  std::string name;
  std::string type;
  std::string sha256;
  engine::QuantizeReport report;
  double seconds = 0;
};

nlohmann::ordered_json as_json(const Made& made) {
  return {{"name", made.name},
          {"type", made.type},
          {"bytes_before", made.report.bytes_before},
          {"bytes_after", made.report.bytes_after},
          {"fallback_tensors", made.report.fallback_tensors},
          {"seconds", made.seconds},
          {"sha256", made.sha256}};
}

void print(const Made& made, const Terminal& terminal) {
  terminal.out(fmt::format("{}  {:.1f} MB → {:.1f} MB  {:.1f} s  sha256 {}\n", made.name,
                           static_cast<double>(made.report.bytes_before) / 1e6,
                           static_cast<double>(made.report.bytes_after) / 1e6, made.seconds,
                           made.sha256));
  if (made.report.fallback_tensors > 0) {
    terminal.note(fmt::format("{} tensors kept a larger type: their width does not divide by {}'s "
                              "block", made.report.fallback_tensors, made.type));
  }
}

// The names that will be made; all are checked before the first is.
Result<std::vector<Made>> plan(const QuantizeOptions& options, const catalog::ModelStore& store,
                               const std::string& source) {
  if (!options.name.empty() && options.types.size() > 1) {
    return Error{ErrorCode::InvalidArgument, "--name is for one type", options.name,
                 "leave it out: each copy is named after its type"};
  }
  std::vector<Made> copies;
  for (const std::string& type : options.types) {
    Made copy;
    copy.type = type;
    copy.name = options.name.empty() ? name_for(source, type) : options.name;
    if (!catalog::is_model_name(copy.name)) {
      return Error{ErrorCode::InvalidArgument, "is not a model name", copy.name,
                   "use lower-case letters, digits, '.', '_' and '-'"};
    }
    std::error_code problem;
    if (std::filesystem::exists(store.folder() / (copy.name + ".gguf"), problem)) {
      return Error{ErrorCode::InvalidArgument, "exists already", copy.name,
                   "remove it first (tinyarms models rm) or choose another --name"};
    }
    copies.push_back(std::move(copy));
  }
  return copies;
}

struct Work {
  const catalog::InstalledModel& source;
  const catalog::ModelStore& store;
  const Terminal& terminal;
  const engine::ImportanceMatrix* importance = nullptr;
  int threads = 0;
};

// Quantises and registers one copy; `position` is "2 of 5".
Result<void> make(Made& copy, const Work& work, const std::string& position) {
  std::error_code problem;
  std::filesystem::create_directories(work.store.folder(), problem);
  if (problem) {
    return Error{ErrorCode::Io, problem.message(), work.store.folder().string(),
                 "check the folder's permissions"};
  }
  const std::filesystem::path destination = work.store.folder() / (copy.name + ".gguf");
  {
    Progress progress(work.terminal);
    const std::string head = fmt::format("{}: {} to {}", position, printable(work.source.name),
                                         printable(copy.type));
    progress.show(head);
    engine::QuantizeOptions options;
    options.type = copy.type;
    options.threads = work.threads;
    options.importance = work.importance;
    options.progress = [&](uint64_t bytes) {
      progress.show(fmt::format("{}  {:.0f} MB written", head, static_cast<double>(bytes) / 1e6));
    };
    auto report = engine::quantize(work.source.path, destination, options);
    if (!report) return report.error();
    copy.report = *report;
  }
  auto added = work.store.add_gguf(
      destination,
      {.name = copy.name, .source_note = fmt::format("quantised from {}", work.source.name)});
  if (!added) return added.error();
  copy.sha256 = added->sha256;
  return {};
}

void run_quantize(const QuantizeOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  const catalog::ModelStore store(context.paths.models_dir);
  auto source = store.find(options.model);
  if (!source) return context.fail(source.error(), options.json);
  auto copies = plan(options, store, source->name);
  if (!copies) return context.fail(copies.error(), options.json);
  const Terminal terminal = context.terminal(loaded->settings);
  const int threads = loaded->settings.threads;
  auto importance = importance_of(options, *source, threads, terminal, context.stop);
  if (!importance) return context.fail(importance.error(), options.json);

  const Work work{*source, store, terminal, *importance ? &**importance : nullptr, threads};
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (size_t i = 0; i < copies->size(); ++i) {
    Made& copy = (*copies)[i];
    if (context.stop.raised()) {
      return context.fail({ErrorCode::Interrupted, "stopped", copy.name, ""}, options.json);
    }
    const double start = context.clock.monotonic_seconds();
    auto made = make(copy, work, fmt::format("{} of {}", i + 1, copies->size()));
    if (!made) return context.fail(made.error(), options.json);
    copy.seconds = context.clock.monotonic_seconds() - start;
    if (options.json) {
      list.push_back(as_json(copy));
    } else {
      print(copy, terminal);
    }
  }
  if (options.json) terminal.out(list.dump(2) + "\n");
}

}  // namespace

void add_quantize(CLI::App& app, Context& context) {
  auto options = std::make_shared<QuantizeOptions>();
  CLI::App* quantize = app.add_subcommand("quantize", "Make smaller copies of a model");
  quantize->add_option("model", options->model, "Name or path")->required();
  quantize
      ->add_option("--to", options->types,
                   "q2_k, q3_k_m, iq4_xs, q4_0, q4_k_m, q8_0, f16, …; several with commas")
      ->required()
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("TYPE");
  quantize->add_option("--name", options->name, "Name of the copy, where there is one")
      ->type_name("NAME");
  auto* file = quantize->add_option("--imatrix", options->importance_file,
                                    "Importance matrix (llama.cpp's GGUF format)")
                   ->type_name("FILE");
  quantize
      ->add_option("--imatrix-from", options->importance_text,
                   "Make the importance matrix from what the model does with this text")
      ->type_name("TEXT")
      ->excludes(file);
  add_setting(*quantize, context, "--threads", "threads", "Processor threads (0: all)");
  quantize->add_flag("--json", options->json, "As JSON");
  quantize->footer("Examples:\n"
                   "  tinyarms quantize smollm2-135m-instruct.q4_1 --to q2_k\n"
                   "  tinyarms quantize smollm2-135m-instruct.q4_1 --to f16,q8_0,q4_k_m\n"
                   "  tinyarms quantize smollm2-135m-instruct.f16 --to iq4_xs --imatrix-from "
                   "notes.txt");
  quantize->callback([options, &context] { run_quantize(*options, context); });
}

}  // namespace tinyarms::cli
