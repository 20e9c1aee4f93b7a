// tinyarms validate: what quantising a model costs, measured against a reference.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>

#include "base/file.h"
#include "base/sha256.h"
#include "catalog/model_store.h"
#include "cli/context.h"
#include "engine/quantize.h"
#include "eval/task_registry.h"
#include "eval/validate.h"
#include "sandbox/bubblewrap_judge.h"

namespace tinyarms::cli {
namespace {

constexpr size_t kValidationBytesMax = 64 << 20;
constexpr const char* kSelf = "self";

struct ValidateFlags {
  std::string model;
  std::string reference;
  std::vector<std::string> types;
  std::vector<std::string> tasks;
  std::string text_file;
  std::string data_folder;
  std::string output;
  std::string plot;
  eval::ValidateOptions options;
  bool json = false;
};

// What people call types.
std::string full_type(const std::string& type) {
  static const std::map<std::string, std::string> kShort = {
      {"q8", "q8_0"}, {"q6", "q6_k"}, {"q5", "q5_k_m"}, {"q4", "q4_k_m"},
      {"q3", "q3_k_m"}, {"q2", "q2_k"}, {"fp16", "f16"}, {"fp32", "f32"}};
  const auto found = kShort.find(type);
  return found == kShort.end() ? type : found->second;
}

// Gone when the command ends.
class WorkFolder {
 public:
  explicit WorkFolder(const std::filesystem::path& parent)
      : path_(parent / fmt::format("validate-{}", ::getpid())) {
    std::error_code problem;
    std::filesystem::create_directories(path_, problem);
  }
  ~WorkFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct Making {
  const catalog::ModelStore& store;
  const WorkFolder& work;
  int threads = 0;
};

bool is_type(const std::string& word) {
  const std::vector<std::string> names = engine::quantization_names();
  return std::find(names.begin(), names.end(), word) != names.end();
}

// `source` as the type that `word` names, made in the work folder; itself for "self"; else the
// installed model (or path) of that name, as it is.
Result<eval::ModelFile> make_file(const std::filesystem::path& source, const std::string& word,
                                  const Making& making) {
  eval::ModelFile file;
  file.name = word;
  file.path = source;
  const auto installed = word == kSelf || is_type(word)
                             ? Result<catalog::InstalledModel>(Error{})
                             : making.store.find(word);
  if (installed) {
    file.path = installed->path;
  } else if (word != kSelf) {
    file.path = making.work.path() / (word + ".gguf");
    auto report = engine::quantize(source, file.path, {.type = word, .threads = making.threads});
    if (!report) return report.error();
    file.fallback_tensors = report->fallback_tensors;
  }
  auto sha256 = sha256_file(file.path);
  if (!sha256) return sha256.error();
  file.sha256 = *sha256;
  return file;
}

// The text, the pairs or the items, as the model's kind asks. `text` owns what the input views.
Result<void> read_material(const ValidateFlags& flags, bool encoder, std::string& text,
                           eval::ValidateInput& input) {
  if (encoder) {
    const std::filesystem::path file =
        flags.text_file.empty() ? std::filesystem::path(flags.data_folder) / "stsb/sts-dev.csv"
                                : std::filesystem::path(flags.text_file);
    auto bytes = read_file(file, kValidationBytesMax);
    if (!bytes) return bytes.error();
    auto pairs = eval::parse_sentence_pairs(*bytes, file.string());
    if (!pairs) return pairs.error();
    input.pairs = std::move(*pairs);
    return {};
  }
  input.text = eval::validation_text();
  if (!flags.text_file.empty()) {
    auto bytes = read_file(flags.text_file, kValidationBytesMax);
    if (!bytes) return bytes.error();
    text = std::move(*bytes);
    input.text = text;
  }
  for (const std::string& name : flags.tasks) {
    auto task = eval::find_task(name);
    if (!task) return task.error();
    auto items = (*task)->read(flags.data_folder);
    if (!items) return items.error();
    input.tasks.push_back({*task, std::move(*items)});
  }
  return {};
}

Result<eval::Validation> validate(const ValidateFlags& flags, const Context& context,
                                  const Terminal& terminal, int threads) {
  const catalog::ModelStore store(context.paths.models_dir);
  auto source = store.find(flags.model);
  if (!source) return source.error();
  std::string text;
  eval::ValidateInput input;
  const auto judge = sandbox::make_judge();
  input.judge = judge.get();
  auto read = read_material(flags, source->encoder, text, input);
  if (!read) return read.error();

  const WorkFolder work(context.paths.cache_dir);
  const std::string reference =
      flags.reference.empty() ? (source->encoder ? kSelf : "f16") : full_type(flags.reference);
  terminal.status(fmt::format("preparing the reference {}", printable(reference)));
  const Making making{store, work, threads};
  auto file = make_file(source->path, reference, making);
  if (!file) return file.error();
  input.reference = *file;
  for (const std::string& type : flags.types) {
    if (context.stop.raised()) return Error{ErrorCode::Interrupted, "stopped", "", ""};
    terminal.status(fmt::format("quantising to {}", printable(type)));
    const std::string full = full_type(type);
    auto candidate =
        make_file(full == kSelf ? source->path : input.reference.path, full, making);
    if (!candidate) return candidate.error();
    input.candidates.push_back(*candidate);
  }
  eval::ValidateOptions options = flags.options;
  options.threads = threads;
  options.progress = [&](const std::string& what, size_t done, size_t count) {
    terminal.status(fmt::format("{}  {} of {}", printable(what), done, count));
  };
  return source->encoder ? eval::validate_encoder(input, options, context.stop)
                         : eval::validate_generator(input, options, context.stop);
}

void run_validate(const ValidateFlags& flags, Context& context) {
  auto loaded = context.load_settings(flags.json);
  if (!loaded) return;
  const Terminal terminal = context.terminal(loaded->settings);
  auto validation = validate(flags, context, terminal, loaded->settings.threads);
  terminal.status("");
  if (!validation) return context.fail(validation.error(), flags.json);
  if (!flags.output.empty()) {
    auto written = write_file_atomically(flags.output, eval::validation_as_json(*validation));
    if (!written) return context.fail(written.error(), flags.json);
  }
  if (!flags.plot.empty()) {
    auto written = write_file_atomically(flags.plot, eval::validation_as_svg(*validation));
    if (!written) return context.fail(written.error(), flags.json);
  }
  terminal.out(flags.json ? eval::validation_as_json(*validation)
                          : printable(eval::validation_as_text(*validation)));
}

void add_options(CLI::App& validate, ValidateFlags& flags) {
  validate.add_option("model", flags.model, "Name or path")->required();
  validate
      .add_option("--reference", flags.reference,
                  "Type to compare with, made from the model; \"self\" for the file as it is; an "
                  "installed model (default: f16, of an embedding model self)")
      ->type_name("TYPE");
  validate
      .add_option("--quantizations", flags.types,
                  "Types to measure, made from the reference; \"self\" for the file as it is; "
                  "installed models")
      ->required()
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("TYPES");
  validate
      .add_option("--text", flags.text_file,
                  "Text to predict (default: a bundled one); of an embedding model a "
                  "tab-separated file of scored sentence pairs")
      ->type_name("FILE");
  validate.add_option("--tasks", flags.tasks, "Tasks to compare accuracy on")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("TASKS");
  validate.add_option("--data", flags.data_folder, "Folder of the tasks' files")
      ->type_name("DIR");
  validate.add_option("--limit", flags.options.items_max, "Items of each task (0: all)")
      ->type_name("N");
  validate.add_option("--margin", flags.options.margin, "Points of accuracy that may be lost")
      ->check(CLI::Range(0.01, 100.0))
      ->type_name("X");
  validate.add_option("--chunk", flags.options.chunk_tokens, "Tokens of one chunk of the text")
      ->check(CLI::Range(8, 65536))
      ->type_name("N");
  validate.add_option("--chunks", flags.options.chunks_max, "Chunks to read (0: all)")
      ->type_name("N");
  validate.add_option("--output", flags.output, "Write the report as JSON")->type_name("FILE");
  validate.add_option("--plot", flags.plot, "Draw divergence over size (SVG)")->type_name("FILE");
  validate.add_flag("--json", flags.json, "As JSON");
}

}  // namespace

void add_validate(CLI::App& app, Context& context) {
  auto flags = std::make_shared<ValidateFlags>();
  CLI::App* validate =
      app.add_subcommand("validate", "What quantising a model costs, against a reference");
  add_options(*validate, *flags);
  add_setting(*validate, context, "--threads", "threads", "Processor threads (0: all)");
  validate->footer(
      "Examples:\n"
      "  tinyarms validate smollm2-135m-instruct.q4_1 --quantizations self,q8,q4,q2\n"
      "  tinyarms validate smollm2-135m-instruct.q4_1 --quantizations q4 --tasks tiny --limit 60\n"
      "  tinyarms validate all-minilm-l6-v2 --quantizations f16,q8,q4_0 --data data");
  validate->callback([flags, &context] { run_validate(*flags, context); });
}

}  // namespace tinyarms::cli
