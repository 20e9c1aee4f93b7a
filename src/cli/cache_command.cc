// tinyarms cache: what L1 remembers, and how sure a threshold for "the same question" is.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/file.h"
#include "catalog/model_store.h"
#include "cli/cache_commands.h"
#include "cli/context.h"
#include "cli/index_workshop.h"
#include "encoder/text_encoder.h"
#include "gate/gate.h"
#include "service/cache_pairs.h"

namespace tinyarms::cli {
namespace {

using Json = nlohmann::ordered_json;
using service::PairCounts;
using service::QuestionPair;

constexpr size_t kPairFileBytesMax = 256 << 20;
constexpr size_t kBatchPairs = 128;

struct CacheOptions {
  std::string pairs;
  double false_hits_max = 0.01;
  std::optional<double> threshold;
  bool no_gate = false;
  bool json = false;
};

struct Measured {
  std::vector<QuestionPair> pairs;
  std::string encoder;
  double configured = 0;  // l1.similarity
};

// Reads the pairs and fills in cosines and verdicts. Reports and gives nothing on an error.
std::optional<Measured> measure(const CacheOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return std::nullopt;
  const auto refuse = [&](Error error) -> std::optional<Measured> {
    context.fail(error, options.json);
    return std::nullopt;
  };
  auto bytes = read_file(options.pairs, kPairFileBytesMax);
  if (!bytes) {
    Error error = bytes.error();
    if (error.code == ErrorCode::NotFound) error.code = ErrorCode::InvalidArgument;
    return refuse(error);
  }
  auto pairs = service::parse_pairs(*bytes, options.pairs);
  if (!pairs) return refuse(pairs.error());
  auto model = catalog::ModelStore(context.paths.models_dir).find(loaded->settings.l1.model);
  if (!model) return refuse(model.error());
  auto embedder = encoder::load_text_encoder(
      model->path, {.threads = loaded->settings.threads, .precision = {}});
  if (!embedder) return refuse(embedder.error());
  const gate::Gate gate = gate::Gate::bundled();
  const Terminal terminal = context.terminal(loaded->settings);
  for (size_t begin = 0; begin < pairs->size(); begin += kBatchPairs) {
    if (context.stop.raised()) return refuse({ErrorCode::Interrupted, "interrupted", "", ""});
    const size_t end = std::min(pairs->size(), begin + kBatchPairs);
    std::vector<std::string> texts;
    for (size_t i = begin; i < end; ++i) {
      texts.push_back((*pairs)[i].a);
      texts.push_back((*pairs)[i].b);
    }
    auto vectors = (*embedder)->embed(texts);
    if (!vectors) return refuse(vectors.error());
    for (size_t i = begin; i < end; ++i) {
      const auto& a = (*vectors)[2 * (i - begin)].values;
      const auto& b = (*vectors)[2 * (i - begin) + 1].values;
      QuestionPair& pair = (*pairs)[i];
      pair.similarity = std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
      pair.gate_open = options.no_gate || gate.compare(pair.a, pair.b).same;
    }
    terminal.status(fmt::format("{} of {} pairs", end, pairs->size()));
  }
  terminal.status("");
  return Measured{std::move(*pairs), model->sha256, loaded->settings.l1.similarity};
}

Json counts_json(const PairCounts& counts) {
  return {{"pairs", counts.pairs},
          {"hits", counts.hits},
          {"hit_rate", counts.hit_rate},
          {"false_hits", counts.false_hits},
          {"false_hit_upper", counts.false_hit_upper}};
}

std::string counts_text(std::string_view name, const PairCounts& counts) {
  return fmt::format("{:16} {:>6} pairs {:>6} hits ({:5.1f} %) {:>4} false, upper bound {:.4f}\n",
                     name, counts.pairs, counts.hits, 100 * counts.hit_rate, counts.false_hits,
                     counts.false_hit_upper);
}

std::map<std::string, std::vector<QuestionPair>> by_source(const std::vector<QuestionPair>& pairs) {
  std::map<std::string, std::vector<QuestionPair>> sources;
  for (const QuestionPair& pair : pairs) {
    sources[pair.source.empty() ? "(none)" : pair.source].push_back(pair);
  }
  return sources;
}

void run_evaluate(const CacheOptions& options, Context& context) {
  const auto measured = measure(options, context);
  if (!measured) return;
  const auto in_force = service::threshold_in_force(context.paths, measured->encoder,
                                                    measured->configured);
  if (!options.threshold && !in_force) {
    return context.fail({ErrorCode::NotFound,
                         "no threshold is in force: one was calibrated for another encoder only",
                         "cache evaluate", "tinyarms cache calibrate, or give --threshold"},
                        options.json);
  }
  const double threshold = options.threshold ? *options.threshold : *in_force;
  const PairCounts counts = service::count_pairs(measured->pairs, threshold);
  if (options.json) {
    Json json = counts_json(counts);
    json["threshold"] = threshold;
    json["gate"] = !options.no_gate;
    json["sources"] = Json::object();
    for (const auto& [name, pairs] : by_source(measured->pairs)) {
      json["sources"][name] = counts_json(service::count_pairs(pairs, threshold));
    }
    return context.terminal().out(
        json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  }
  std::string text = fmt::format("threshold {:.4f}\n", threshold) + counts_text("all", counts);
  for (const auto& [name, pairs] : by_source(measured->pairs)) {
    text += counts_text(name, service::count_pairs(pairs, threshold));
  }
  context.terminal().out(printable(text));
}

void run_calibrate(const CacheOptions& options, Context& context) {
  const auto measured = measure(options, context);
  if (!measured) return;
  const auto threshold = service::calibrate_threshold(measured->pairs, options.false_hits_max);
  if (!threshold) {
    const std::string what = fmt::format(
        "these pairs cannot support at most {} false hits with 95 % confidence; nothing is stored",
        options.false_hits_max);
    if (options.json) {
      context.terminal().out(Json{{"threshold", nullptr}, {"reason", what}}.dump(2) + "\n");
    } else {
      context.terminal().error(what);
    }
    context.exit = Exit::LowConfidence;
    return;
  }
  auto file = service::keep_threshold(context.paths, measured->encoder, *threshold,
                                      options.false_hits_max);
  if (!file) return context.fail(file.error(), options.json);
  const PairCounts counts = service::count_pairs(measured->pairs, *threshold);
  if (options.json) {
    Json json = counts_json(counts);
    json["threshold"] = *threshold;
    json["encoder"] = measured->encoder;
    json["file"] = file->string();
    return context.terminal().out(json.dump(2) + "\n");
  }
  context.terminal().out(printable(fmt::format("threshold {:.4f} from now on ({})\n{}", *threshold,
                                               file->string(), counts_text("all", counts))));
}

void run_cache_update(const CacheOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  auto work = open_workshop(
      loaded->settings, {.quiet = options.json, .index = WorkshopNeeds::Index::Without}, context);
  if (!work) return context.fail(work.error(), options.json);
  auto report = remake_cache(*work, context);
  if (!report) return context.fail(report.error(), options.json);
  const Terminal terminal = context.terminal(loaded->settings);
  if (options.json) {
    Json json = cache_remake_json(*report);
    json["model"] = work->model.name;
    terminal.out(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  } else {
    const std::string line = cache_remake_line(*report);
    terminal.out(printable(line.empty() ? "nothing was missing\n" : line));
  }
  if (!report->interrupted) return;
  terminal.note("stopped; the next run goes on from here");
  context.exit = Exit::Interrupted;
}

void add_pair_options(CLI::App& command, CacheOptions& options, Context& context) {
  command.add_option("--pairs", options.pairs, "JSON lines {id, a, b, duplicate, source}, or TSV")
      ->required()
      ->type_name("FILE");
  command.add_flag("--no-gate", options.no_gate, "By cosine alone, to compare");
  command.add_flag("--json", options.json, "As JSON");
  add_setting(command, context, "--model", "l1.model", "The embedding model");
  add_setting(command, context, "--threads", "threads", "Processor threads (0: all)");
}

}  // namespace

void add_cache(CLI::App& app, Context& context) {
  CLI::App* cache = app.add_subcommand("cache", "Answers remembered, and when questions are same");
  cache->require_subcommand(1);

  auto calibrating = std::make_shared<CacheOptions>();
  CLI::App* calibrate = cache->add_subcommand(
      "calibrate", "Find the similarity from which hits are false at most so often, and keep it");
  add_pair_options(*calibrate, *calibrating, context);
  calibrate->add_option("--max-false-hits", calibrating->false_hits_max,
                        "Share of hits that may be false")
      ->check(CLI::Range(1e-6, 0.999999))
      ->type_name("P");
  calibrate->footer(
      "The bound is Clopper-Pearson's at 95 %. Exit status 4: the data cannot support it.\n"
      "Example:\n  tinyarms cache calibrate --pairs pairs.jsonl --max-false-hits 0.01");
  calibrate->callback([calibrating, &context] {
    if (calibrating->no_gate) {
      return context.fail({ErrorCode::InvalidArgument, "is for `cache evaluate` only", "--no-gate",
                           "the cache never serves without the gate"},
                          calibrating->json);
    }
    run_calibrate(*calibrating, context);
  });

  auto evaluating = std::make_shared<CacheOptions>();
  CLI::App* evaluate = cache->add_subcommand(
      "evaluate", "What the cache would make of pairs, at the threshold in force");
  add_pair_options(*evaluate, *evaluating, context);
  evaluate->add_option("--threshold", evaluating->threshold, "Another than the one in force")
      ->check(CLI::Range(-1.0, 1.0))
      ->type_name("COSINE");
  evaluate->footer("hit_rate is hits / pairs; false_hit_upper bounds false hits / hits (95 %).\n"
                   "Example:\n  tinyarms cache evaluate --pairs pairs.jsonl --json");
  evaluate->callback([evaluating, &context] { run_evaluate(*evaluating, context); });

  auto updating = std::make_shared<CacheOptions>();
  CLI::App* update = cache->add_subcommand(
      "update", "Make the vectors of remembered questions that the embedding model still lacks");
  update->add_flag("--json", updating->json, "As JSON");
  add_setting(*update, context, "--threads", "threads", "Processor threads (0: all)");
  update->footer(
      "After a change of l1.model; `index update` does it too. Until it is done the model before\n"
      "serves. It may be stopped: the next run goes on.\n"
      "Example:\n  tinyarms cache update");
  update->callback([updating, &context] { run_cache_update(*updating, context); });

  add_cache_entries(*cache, context);
  add_cache_prefixes(*cache, context);
}

}  // namespace tinyarms::cli
