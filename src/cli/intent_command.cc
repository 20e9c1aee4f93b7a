// tinyarms intent: what kind of question a text is, and training and judging what tells it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "catalog/model_store.h"
#include "cli/context.h"
#include "cli/text_input.h"
#include "encoder/text_encoder.h"
#include "intent/evaluation.h"
#include "intent/train.h"
#include "service/user_files.h"
#include "tiers/intent_source.h"

namespace tinyarms::cli {
namespace {

using Json = nlohmann::ordered_json;
using tiers::Vectors;

constexpr size_t kExampleFileBytesMax = 64 << 20;
constexpr size_t kBatch = 256;

struct IntentOptions {
  std::string text;
  std::string file;
  std::string out;
  bool bundled_only = false;
  bool own_only = false;
  bool json = false;
};

// The encoder of l1.model, and the vectors it gives.
class Encoder {
 public:
  static std::optional<Encoder> load(Context& context, bool json) {
    auto loaded = context.load_settings(json);
    if (!loaded) return std::nullopt;
    auto model = catalog::ModelStore(context.paths.models_dir).find(loaded->settings.l1.model);
    if (!model) {
      context.fail(model.error(), json);
      return std::nullopt;
    }
    auto embedder = encoder::load_text_encoder(
        model->path, {.threads = loaded->settings.threads, .precision = {}});
    if (!embedder) {
      context.fail(embedder.error(), json);
      return std::nullopt;
    }
    return Encoder(std::move(*embedder), model->sha256, context.terminal(loaded->settings),
                   context.stop);
  }

  const std::string& sha256() const { return sha256_; }
  const Terminal& terminal() const { return terminal_; }

  Result<Vectors> embed(std::span<const std::string> texts) const {
    Vectors vectors;
    for (size_t begin = 0; begin < texts.size(); begin += kBatch) {
      if (stop_->raised()) return Error{ErrorCode::Interrupted, "interrupted", "", ""};
      auto some = embedder_->embed(texts.subspan(begin, std::min(kBatch, texts.size() - begin)));
      if (!some) return some.error();
      for (auto& one : *some) vectors.push_back(std::move(one.values));
      if (texts.size() > kBatch) {
        terminal_.status(fmt::format("{} of {} texts", vectors.size(), texts.size()));
      }
    }
    terminal_.status("");
    return vectors;
  }

  Result<Vectors> embed(std::span<const intent::Example> examples) const {
    std::vector<std::string> texts;
    for (const intent::Example& example : examples) texts.push_back(example.text);
    return embed(texts);
  }

  Result<tiers::ProvidedHead> head(const Context& context) const {
    return tiers::provide_head({.encoder = sha256_,
                                .user_head = service::intent_head_path(context.paths),
                                .kept_folder = context.paths.cache_dir},
                               [this](std::span<const std::string> texts) { return embed(texts); });
  }

 private:
  Encoder(std::unique_ptr<engine::Embedder> embedder, std::string sha256, Terminal terminal,
          const StopFlag& stop)
      : embedder_(std::move(embedder)),
        sha256_(std::move(sha256)),
        terminal_(terminal),
        stop_(&stop) {}

  std::unique_ptr<engine::Embedder> embedder_;
  std::string sha256_;
  Terminal terminal_;
  const StopFlag* stop_;
};

Result<std::vector<intent::Example>> read_examples(const std::string& path) {
  auto bytes = read_file(path, kExampleFileBytesMax);
  if (!bytes) {
    Error error = bytes.error();
    if (error.code == ErrorCode::NotFound) error.code = ErrorCode::InvalidArgument;
    return error;
  }
  return intent::parse_examples(*bytes, path);
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

void run_classify(const IntentOptions& options, Context& context) {
  auto text = options.text == "-" ? read_stream(context.input, "the question", kQuestionBytesMax)
                                  : check_text(options.text, "the question", kQuestionBytesMax);
  if (!text) return context.fail(text.error(), options.json);
  const auto encoder = Encoder::load(context, options.json);
  if (!encoder) return;
  auto head = encoder->head(context);
  if (!head) return context.fail(head.error(), options.json);
  if (!head->notice.empty()) encoder->terminal().note("note: " + printable(head->notice));
  auto vectors = encoder->embed(std::span<const std::string>(&*text, 1));
  if (!vectors) return context.fail(vectors.error(), options.json);
  const double start = context.clock.monotonic_seconds();
  const intent::Intent found = head->head.classify(vectors->front());
  const double seconds = context.clock.monotonic_seconds() - start;
  if (options.json) {
    Json probabilities = Json::object();
    for (const auto& [name, p] : found.probabilities) probabilities[name] = p;
    const Json json = {{"intent", found.name},
                       {"probability", found.probability},
                       {"margin", found.margin},
                       {"probabilities", std::move(probabilities)},
                       {"encoder", encoder->sha256()},
                       {"seconds", seconds}};
    return encoder->terminal().out(json.dump(2) + "\n");
  }
  std::string lines;
  for (const auto& [name, p] : found.probabilities) {
    lines += fmt::format("{} {:16} {:.3f}\n", name == found.name ? "→" : " ", name, p);
  }
  encoder->terminal().out(lines);
}

void run_train(const IntentOptions& options, Context& context) {
  std::vector<intent::Example> examples;
  if (!options.own_only) examples = intent::bundled_examples();
  if (!options.bundled_only) {
    auto own = read_examples(options.file);
    if (!own) return context.fail(own.error(), options.json);
    // What the user says of a text counts, also where we say something else of it.
    for (intent::Example& example : *own) {
      std::erase_if(examples, [&](const auto& other) { return other.text == example.text; });
      examples.push_back(std::move(example));
    }
  }
  const auto encoder = Encoder::load(context, options.json);
  if (!encoder) return;
  auto vectors = encoder->embed(std::span<const intent::Example>(examples));
  if (!vectors) return context.fail(vectors.error(), options.json);
  auto trained = intent::train(examples, *vectors, encoder->sha256());
  if (!trained) return context.fail(trained.error(), options.json);
  const std::filesystem::path out = options.out.empty()
                                        ? service::intent_head_path(context.paths)
                                        : std::filesystem::path(options.out);
  auto written = write_file_atomically(out, intent::head_json(trained->head));
  if (!written) return context.fail(written.error(), options.json);
  if (options.json) {
    const Json json = {{"classes", trained->head.classes},
                       {"examples", examples.size()},
                       {"held_out_accuracy", trained->held_out_accuracy},
                       {"held_out_log_loss", trained->held_out_log_loss},
                       {"temperature", trained->head.temperature},
                       {"encoder", encoder->sha256()},
                       {"file", out.string()}};
    return encoder->terminal().out(json.dump(2) + "\n");
  }
  encoder->terminal().out(printable(fmt::format(
      "{} examples of {} classes; of held-out ones {:.1f} % right (log loss {:.3f})\n{}\n",
      examples.size(), trained->head.classes.size(), 100 * trained->held_out_accuracy,
      trained->held_out_log_loss, out.string())));
}

Json evaluation_json(const intent::Evaluation& result) {
  Json confusion = Json::object();
  Json classes = Json::object();
  for (size_t truth = 0; truth < result.classes.size(); ++truth) {
    Json row = Json::object();
    size_t items = 0;
    for (size_t taken = 0; taken < result.classes.size(); ++taken) {
      row[result.classes[taken]] = result.counts[truth][taken];
      items += result.counts[truth][taken];
    }
    confusion[result.classes[truth]] = std::move(row);
    classes[result.classes[truth]] = {{"items", items},
                                      {"precision", number(result.precision(truth))},
                                      {"recall", number(result.recall(truth))}};
  }
  size_t both = 0;
  const double apart = result.apart("code", "general", both);
  return {{"items", result.items},
          {"right", result.right},
          {"accuracy", number(result.accuracy())},
          {"code_against_general", number(apart)},
          {"code_against_general_items", both},
          {"log_loss", number(result.log_loss)},
          {"calibration_error", number(result.calibration_error)},
          {"classes", std::move(classes)},
          {"confusion", std::move(confusion)}};
}

std::string evaluation_text(const intent::Evaluation& result) {
  std::string text = fmt::format("{:16}", "is ↓  taken for →");
  for (const std::string& name : result.classes) text += fmt::format(" {:>13}", name);
  text += fmt::format(" {:>8}\n", "recall");
  for (size_t truth = 0; truth < result.classes.size(); ++truth) {
    text += fmt::format("{:17}", result.classes[truth]);
    for (const size_t count : result.counts[truth]) text += fmt::format(" {:>13}", count);
    const double recall = result.recall(truth);
    text += std::isnan(recall) ? fmt::format(" {:>8}\n", "–")
                               : fmt::format(" {:>6.1f} %\n", 100 * recall);
  }
  text += fmt::format("{} of {} right ({:.1f} %), log loss {:.3f}, calibration error {:.3f}\n",
                      result.right, result.items, 100 * result.accuracy(), result.log_loss,
                      result.calibration_error);
  size_t both = 0;
  const double apart = result.apart("code", "general", both);
  if (both > 0) {
    text += fmt::format("code against general: {:.1f} % of {} not taken for the other\n",
                        100 * apart, both);
  }
  return text;
}

void run_evaluate(const IntentOptions& options, Context& context) {
  auto examples = read_examples(options.file);
  if (!examples) return context.fail(examples.error(), options.json);
  const auto encoder = Encoder::load(context, options.json);
  if (!encoder) return;
  auto head = encoder->head(context);
  if (!head) return context.fail(head.error(), options.json);
  if (!head->notice.empty()) encoder->terminal().note("note: " + printable(head->notice));
  auto vectors = encoder->embed(std::span<const intent::Example>(*examples));
  if (!vectors) return context.fail(vectors.error(), options.json);
  const intent::Evaluation result = intent::evaluate(head->head, *examples, *vectors);
  encoder->terminal().out(options.json ? evaluation_json(result).dump(2) + "\n"
                                       : printable(evaluation_text(result)));
}

void add_train(CLI::App& command, Context& context) {
  auto options = std::make_shared<IntentOptions>();
  CLI::App* train = command.add_subcommand(
      "train", "Train on the bundled examples and yours; new names are new classes");
  CLI::Option* file = train->add_option("file", options->file,
                                        R"(One {"text": "…", "intent": "…"} a line)");
  file->type_name("FILE");
  train->add_option("--out", options->out, "Write the head here (default: where L1 finds it)")
      ->type_name("FILE");
  CLI::Option* bundled =
      train->add_flag("--bundled-only", options->bundled_only, "On what ships with tinyArms alone");
  train->add_flag("--own-only", options->own_only, "On FILE alone")->excludes(bundled);
  train->add_flag("--json", options->json, "As JSON");
  add_setting(*train, context, "--model", "l1.model", "The embedding model");
  add_setting(*train, context, "--threads", "threads", "Processor threads (0: all)");
  train->footer(
      "A class needs five examples; sixty make a good one. The head is bound to the embedding\n"
      "model. Without FILE and --bundled-only there is nothing to do.\n"
      "Examples:\n"
      "  tinyarms intent train mine.jsonl\n"
      "  tinyarms intent train --bundled-only     # back to what ships");
  train->callback([options, &context] {
    if (options->file.empty() && !options->bundled_only) {
      return context.fail({ErrorCode::InvalidArgument, "is missing", "FILE",
                           "give examples, or --bundled-only"},
                          options->json);
    }
    run_train(*options, context);
  });
}

void add_evaluate(CLI::App& command, Context& context) {
  auto options = std::make_shared<IntentOptions>();
  CLI::App* evaluate =
      command.add_subcommand("evaluate", "The confusion matrix over questions of known kind");
  evaluate->add_option("file", options->file, R"(One {"text": "…", "intent": "…"} a line)")
      ->required()
      ->type_name("FILE");
  evaluate->add_flag("--json", options->json, "As JSON");
  add_setting(*evaluate, context, "--model", "l1.model", "The embedding model");
  add_setting(*evaluate, context, "--threads", "threads", "Processor threads (0: all)");
  evaluate->footer("Example:\n  tinyarms intent evaluate questions.jsonl --json");
  evaluate->callback([options, &context] { run_evaluate(*options, context); });
}

}  // namespace

void add_intent(CLI::App& app, Context& context) {
  auto options = std::make_shared<IntentOptions>();
  CLI::App* command = app.add_subcommand(
      "intent", "What kind of question it is: code, general, maths, tools, about-my-code");
  command->require_subcommand(0, 1);
  CLI::Option* text =
      command->add_option("text", options->text, "The question; - reads standard input");
  text->type_name("TEXT");
  command->add_flag("--json", options->json, "As JSON");
  add_setting(*command, context, "--model", "l1.model", "The embedding model");
  add_setting(*command, context, "--threads", "threads", "Processor threads (0: all)");
  add_train(*command, context);
  add_evaluate(*command, context);
  command->footer("Examples:\n"
                  "  tinyarms intent \"Where is the config parsed?\" --json\n"
                  "  tinyarms intent train mine.jsonl\n"
                  "  tinyarms intent evaluate questions.jsonl");
  command->callback([options, command, &context] {
    if (!command->get_subcommands().empty()) return;
    run_classify(*options, context);
  });
}

}  // namespace tinyarms::cli
