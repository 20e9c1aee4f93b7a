// tinyarms models trial NEW --against l1: which of two encoders finds more, over the same queries.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/bench_parts.h"
#include "cli/build_info.h"
#include "cli/models_commands.h"
#include "cli/trial_parts.h"
#include "encoder/text_encoder.h"
#include "eval/encoder_trial.h"
#include "service/calibrated_estimator.h"
#include "service/counted_models.h"
#include "service/library_access.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

using catalog::InstalledModel;

constexpr size_t kEncoderTrialBatch = 64;  // between two looks at the stop flag

struct EncoderTrial {
  const EncoderTrialOptions& options;
  const service::Settings& settings;
  const eval::RetrievalSet& set;
  Terminal terminal;
  Context& context;
};

Result<eval::EncoderSide> measure_side(const InstalledModel& model, eval::TrialModel& figures,
                                       EncoderTrial& trial) {
  auto encoder = encoder::load_text_encoder(
      model.path, {.threads = trial.settings.threads, .precision = {}});
  if (!encoder) return encoder.error();
  figures.name = model.name;
  figures.sha256 = model.sha256;
  figures.quantization = model.quantization;
  figures.file_bytes = model.bytes;
  figures.memory_bytes = service::encoder_bytes((*encoder)->facts(), trial.settings.threads);
  const size_t all = trial.set.corpus.size() + trial.set.queries.size();
  size_t done = 0;
  const eval::EmbedTexts embed =
      [&](std::span<const std::string> texts) -> Result<eval::Vectors> {
    eval::Vectors vectors;
    for (size_t at = 0; at < texts.size(); at += kEncoderTrialBatch) {
      if (trial.context.stop.raised()) {
        return Error{ErrorCode::Interrupted, "stopped; nothing is kept", model.name, ""};
      }
      auto some = (*encoder)->embed(
          texts.subspan(at, std::min(kEncoderTrialBatch, texts.size() - at)));
      if (!some) return some.error();
      for (engine::Embedding& each : *some) vectors.push_back(std::move(each.values));
      done += some->size();
      trial.terminal.status(fmt::format("{}: {} of {} texts", model.name, done, all));
    }
    return vectors;
  };
  auto side = eval::measure_encoder(trial.set, embed, service::fusion_weights(trial.settings));
  trial.terminal.status("");
  if (side && side->texts > 0) {
    figures.seconds_per_item = side->seconds / static_cast<double>(side->texts);
  }
  return side;
}

std::string encoder_row(std::string_view what, const std::string& in_use,
                        const std::string& on_trial) {
  return fmt::format("{:24} {:>16} {:>16}\n", what, in_use, on_trial);
}

std::string encoder_trial_text(const eval::Trial& trial, const eval::EncoderComparison& outcome,
                               const eval::TrialVerdict& verdict) {
  const eval::Paired& right = outcome.task.paired;
  const eval::Paired& gain = outcome.ndcg10;
  std::string text = fmt::format("in use:   {} {}\non trial: {} {}\n\n", trial.in_use.name,
                                 trial.in_use.quantization, trial.on_trial.name,
                                 trial.on_trial.quantization);
  text += encoder_row("", "in use", "on trial");
  text += encoder_row(fmt::format("first three, of {}", right.items),
                      fmt::format("{:.1f} %", 100 * right.first),
                      fmt::format("{:.1f} %", 100 * right.second));
  text += encoder_row("only this one", fmt::format("{}", right.only_first),
                      fmt::format("{}", right.only_second));
  text += encoder_row("nDCG@10", fmt::format("{:.4f}", gain.first),
                      fmt::format("{:.4f}", gain.second));
  text += fmt::format("  difference {:+.4f} [{:+.4f}, {:+.4f}], 95 % bootstrap over queries\n",
                      gain.difference, gain.interval.low, gain.interval.high);
  const auto rate = [](const eval::TrialModel& model) {
    return fmt::format("{:.1f}", 1 / std::max(model.seconds_per_item, 1e-9));
  };
  text += encoder_row("texts/s", rate(trial.in_use), rate(trial.on_trial));
  text += encoder_row("memory, planned", size_text(trial.in_use.memory_bytes),
                      size_text(trial.on_trial.memory_bytes));
  return text + fmt::format("\n{}: {}\n", eval::trial_finding_text(verdict.finding),
                            verdict.reason);
}

nlohmann::ordered_json encoder_trial_json(const eval::Trial& trial,
                                          const eval::EncoderComparison& outcome,
                                          const eval::TrialVerdict& verdict) {
  auto json = nlohmann::ordered_json::parse(eval::trial_json(trial, verdict));
  json["ndcg10"] = {{"in_use", outcome.ndcg10.first},
                    {"on_trial", outcome.ndcg10.second},
                    {"difference", outcome.ndcg10.difference},
                    {"interval", {outcome.ndcg10.interval.low, outcome.ndcg10.interval.high}}};
  return json;
}

}  // namespace

void run_encoder_trial(const EncoderTrialOptions& options, Context& context) {
  const auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  const auto fail = [&](const Error& error) { context.fail(error, options.json); };
  const catalog::ModelStore store(context.paths.models_dir);
  auto in_use = find_encoder(store, loaded->settings.l1.model);
  if (!in_use) return fail(in_use.error());
  auto on_trial = find_encoder(store, options.name);
  if (!on_trial) return fail(on_trial.error());
  if (in_use->sha256 == on_trial->sha256) {
    return fail({ErrorCode::InvalidArgument, "both are the same file", on_trial->name,
                 "name another model"});
  }
  auto set = eval::read_retrieval_set(bench_data_folder(options.data, context));
  if (!set) {
    Error error = set.error();
    error.hint = "give --data DIR with corpus.jsonl and queries.jsonl (docs/bench.md)";
    return fail_bench(context, error, options.json);
  }
  eval::thin_queries(*set, options.limit);
  EncoderTrial asked{options, loaded->settings, *set, context.terminal(loaded->settings), context};
  eval::Trial trial;
  trial.tier = "l1";
  trial.threads = loaded->settings.threads;
  trial.engine = service::engine_build();
  trial.version = std::string(kVersion) + " " + std::string(kCommit);
  auto first = measure_side(*in_use, trial.in_use, asked);
  if (!first) return fail(first.error());
  auto second = measure_side(*on_trial, trial.on_trial, asked);
  if (!second) return fail(second.error());
  const eval::EncoderComparison outcome = eval::compare_encoders(*first, *second);
  trial.tasks = {outcome.task};
  trial.all = outcome.task;
  trial.calibration.problem = "an encoder gives no answers";
  trial.at = context.clock.wall_seconds();
  const eval::TrialVerdict verdict =
      eval::judge_trial(trial, loaded->settings.models.trial_margin);
  const eval::TrialFiles files = eval::trial_files(trials_folder(context.paths), trial);
  auto written = write_file_atomically(files.trial(), eval::trial_json(trial, verdict));
  if (!written) return fail(written.error());
  if (options.json) {
    auto json = encoder_trial_json(trial, outcome, verdict);
    json["folder"] = files.folder.string();
    return asked.terminal.out(service::json_text(json));
  }
  asked.terminal.out(printable(encoder_trial_text(trial, outcome, verdict)));
  if (verdict.finding == eval::TrialFinding::Better) {
    asked.terminal.note(printable(fmt::format("next: tinyarms models migrate {} --for l1",
                                              on_trial->name)));
  }
}

}  // namespace tinyarms::cli
