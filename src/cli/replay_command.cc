// tinyarms replay: other terms on decisions that were made, without running a model.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/context.h"
#include "cli/record_input.h"
#include "service/calibrated_estimator.h"
#include "service/judgement.h"
#include "service/policy_file.h"
#include "service/replay.h"

namespace tinyarms::cli {
namespace {

struct ReplayOptions {
  std::string policy;
  std::string against;
  std::string log;
  calibration::ReadOptions read;
  bool json = false;
};

Result<cascade::PolicyTerms> terms_of(const std::string& file, const service::Settings& settings) {
  cascade::PolicyTerms terms;
  if (!file.empty()) {
    auto read = service::read_policy_file(file);
    if (!read) return read.error();
    terms = std::move(*read);
  }
  return service::complete_terms(std::move(terms), settings);
}

void run_replay(const ReplayOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  const service::Settings& settings = loaded->settings;
  auto after = terms_of(options.policy, settings);
  if (!after) return context.fail(after.error(), options.json);
  auto before = terms_of(options.against.empty() ? settings.policy.file : options.against,
                         settings);
  if (!before) return context.fail(before.error(), options.json);
  auto items = service::load_replay(
      options.log.empty() ? service::decision_log_path(context.paths).string() : options.log,
      context.clock, options.read);
  if (!items) return fail_records(context, items.error(), options.json);
  std::vector<std::string> notices;
  const auto estimator = service::CalibratedEstimator::load(
      settings.calibration.files, settings.calibration.allow_foreign, notices);
  for (const std::string& notice : notices) context.terminal().note(printable("note: " + notice));
  const service::ReplayReport report = service::replay(
      *items, estimator, *before, *after,
      [&](cascade::Level level, const cascade::Origin& origin, double threshold) {
        return estimator.early_abort(level, origin, threshold);
      });
  context.terminal().out(options.json ? service::replay_json(report)
                                      : printable(service::replay_text(report)));
}

}  // namespace

void add_replay(CLI::App& app, Context& context) {
  auto options = std::make_shared<ReplayOptions>();
  CLI::App* replay = app.add_subcommand(
      "replay", "What another policy would have done with logged decisions; runs no model");
  replay->add_option("log", options->log,
                     "A decision log, or records as JSONL (default: the log of this user)")
      ->type_name("LOG");
  replay->add_option("--policy", options->policy, "The terms to try (docs/policy.md)")
      ->required()
      ->type_name("FILE");
  replay->add_option("--against", options->against,
                     "Of records: the terms to compare with (default: those in use)")
      ->type_name("FILE");
  add_record_options(*replay, options->read);
  replay->add_flag("--json", options->json, "As JSON");
  replay->footer(
      "RESCUE: wrong then, right with these terms. LOSS: the reverse. SAFE and HARD: right and\n"
      "wrong both times. Off-policy figures need policy.explore > 0 when the log was written.\n"
      "Examples:\n"
      "  tinyarms replay --policy stricter.toml\n"
      "  tinyarms replay --policy stricter.toml runs.jsonl --json");
  replay->callback([options, &context] { run_replay(*options, context); });
}

}  // namespace tinyarms::cli
