// tinyarms certify: a bound on being wrong, from records, and a check that such bounds hold.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/sha256.h"
#include "calibration/calibrator_file.h"
#include "calibration/certificate.h"
#include "calibration/drift_guard.h"
#include "calibration/score_selection.h"
#include "cli/context.h"
#include "cli/record_input.h"
#include "service/calibrated_estimator.h"

namespace tinyarms::cli {
namespace {

using calibration::Certificate;

struct CertifyOptions {
  calibration::ScoreRequest scores;
  calibration::RiskTarget target;
  size_t splits = 1000;
  uint64_t seed = 1;
  std::string out;
  std::vector<std::string> hashes;  // "name=hash"
  std::string calibrator;           // a file; the score is then its P(right)
  bool json = false;
};

std::optional<calibration::SelectedScores> load(const CertifyOptions& options, Context& context) {
  if (auto sound = calibration::check_target(options.target); !sound) {
    fail_records(context, sound.error(), options.json);
    return std::nullopt;
  }
  auto scores = calibration::load_scores(options.scores);
  if (!scores) {
    fail_records(context, scores.error(), options.json);
    return std::nullopt;
  }
  return std::move(*scores);
}

// What is certified: scores with their outcomes, and whose they are.
struct Evidence {
  std::vector<calibration::GroupedItem> items;
  Certificate head;  // tier, score and hashes
};

void bind_tier(const calibration::TierColumns& tier, Certificate& head) {
  head.tier = tier.name;
  if (!tier.model_sha.empty()) head.hashes["model"] = tier.model_sha;
  if (!tier.quantization.empty()) head.hashes["quantization"] = tier.quantization;
}

Result<Evidence> evidence_by_signal(const CertifyOptions& options) {
  auto scores = calibration::load_scores(options.scores);
  if (!scores) return scores.error();
  Evidence evidence;
  for (const size_t row : scores->rows) {
    evidence.items.push_back({scores->item(row), std::string(scores->data.group_of(row))});
  }
  bind_tier(scores->tier_columns(), evidence.head);
  evidence.head.score = (options.scores.lower_is_better ? "-" : "") + scores->score;
  return evidence;
}

Result<Evidence> evidence_by_calibrator(const CertifyOptions& options) {
  auto text = read_file(options.calibrator, size_t{4} << 20);
  if (!text) return text.error();
  auto set = calibration::parse_calibrators(*text, options.calibrator);
  if (!set) return set.error();
  auto data = calibration::load_dataset(options.scores.files, {.read = options.scores.read});
  if (!data) return data.error();
  const calibration::TierColumns* tier = data->find_tier(set->tier);
  if (tier == nullptr) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("the records have no tier `{}`, which the calibrator is for",
                             set->tier),
                 options.calibrator, "give records of the same cascade"};
  }
  Evidence evidence;
  for (size_t row = 0; row < data->rows(); ++row) {
    if (tier->labels[row] == calibration::Label::Absent) continue;
    const std::string group(data->group_of(row));
    const double p = set->for_group(group)([&](std::string_view name) -> std::optional<double> {
      const calibration::SignalColumn* signal = tier->find(name);
      if (signal == nullptr || std::isnan(signal->values[row])) return std::nullopt;
      return signal->values[row];
    });
    const bool right = tier->labels[row] == calibration::Label::Right;
    evidence.items.push_back({{p, right ? 1.0 : 0.0}, group});
  }
  bind_tier(*tier, evidence.head);
  evidence.head.score = "confidence";
  evidence.head.hashes["calibrator"] = sha256_hex(*text);
  return evidence;
}

void run_issue(const CertifyOptions& options, Context& context) {
  std::map<std::string, std::string, std::less<>> hashes;
  for (const std::string& text : options.hashes) {
    const size_t split = text.find('=');
    if (split == std::string::npos || split == 0 || split + 1 == text.size()) {
      return context.fail({ErrorCode::InvalidArgument, "`" + text + "` is not name=hash", "--bind",
                           "for example --bind model=b179c952…"},
                          options.json);
    }
    hashes[text.substr(0, split)] = text.substr(split + 1);
  }
  if (auto sound = calibration::check_target(options.target); !sound) {
    return fail_records(context, sound.error(), options.json);
  }
  auto evidence = options.calibrator.empty() ? evidence_by_signal(options)
                                             : evidence_by_calibrator(options);
  if (!evidence) return fail_records(context, evidence.error(), options.json);
  Certificate certificate = calibration::certify_groups(evidence->items, options.target);
  certificate.tier = evidence->head.tier;
  certificate.score = evidence->head.score;
  certificate.hashes = std::move(hashes);
  certificate.hashes.merge(evidence->head.hashes);
  certificate.hashes.emplace("engine", service::engine_build());
  certificate.hashes.emplace("sampler", "greedy");
  const std::string json = calibration::certificate_json(certificate);
  if (!options.out.empty()) {
    if (auto written = write_file_atomically(options.out, json); !written) {
      return context.fail(written.error(), options.json);
    }
  }
  context.terminal().out(options.json ? json
                                      : printable(calibration::certificate_text(certificate)));
  if (!certificate.pooled && certificate.groups.empty()) context.exit = Exit::LowConfidence;
}

void run_verify(const CertifyOptions& options, Context& context) {
  const auto scores = load(options, context);
  if (!scores) return;
  std::vector<calibration::Scored> items;
  for (const size_t row : scores->rows) items.push_back(scores->item(row));
  const auto report =
      calibration::verify_by_resplits(items, options.target, options.splits, options.seed);
  const auto share = [&](size_t count) {
    return report.splits == 0 ? 0
                              : static_cast<double>(count) / static_cast<double>(report.splits);
  };
  if (options.json) {
    const nlohmann::ordered_json json = {{"splits", report.splits},
                                         {"violations", report.violations},
                                         {"violation_rate", share(report.violations)},
                                         {"certified_share", share(report.certified)},
                                         {"bound", report.bound},
                                         {"coverage_mean", report.coverage_mean},
                                         {"held_out_above_alpha", report.held_out_above},
                                         {"records", items.size()},
                                         {"alpha", options.target.alpha},
                                         {"delta", options.target.delta}};
    return context.terminal().out(json.dump(2) + "\n");
  }
  context.terminal().out(fmt::format(
      "{} splits: {} certified, {} violations ({:.4f}, expected at most {:.4f}), {:.1f} % kept\n",
      report.splits, report.certified, report.violations, share(report.violations), report.bound,
      100 * report.coverage_mean));
}

struct DriftOptions {
  calibration::DriftSimulation simulation;
  bool json = false;
};

void run_drift(const DriftOptions& options, Context& context) {
  const calibration::DriftSimulation& asked = options.simulation;
  const calibration::RiskTarget target{asked.target.alpha, asked.target.delta};
  if (auto sound = calibration::check_target(target); !sound) {
    return context.fail(sound.error(), options.json);
  }
  const calibration::DriftReport report = calibration::simulate_drift(asked);
  if (options.json) {
    const nlohmann::ordered_json json = {
        {"runs", report.runs},
        {"false_alarms", report.false_alarms},
        {"found", report.found},
        {"checks_median", report.delay_median},
        {"checks_q95",
         std::isfinite(report.delay_q95) ? nlohmann::ordered_json(report.delay_q95) : nullptr}};
    return context.terminal().out(json.dump(2) + "\n");
  }
  context.terminal().out(fmt::format(
      "{} streams: {} false alarms in {} checks before the change; of the others {} found it, "
      "after {:.0f} checks in the middle, {:.0f} in 95 of 100\n",
      report.runs, report.false_alarms, asked.change_at, report.found, report.delay_median,
      report.delay_q95));
}

void add_drift(CLI::App& certify, Context& context) {
  auto options = std::make_shared<DriftOptions>();
  calibration::DriftSimulation& simulation = options->simulation;
  CLI::App* drift = certify.add_subcommand(
      "drift", "Simulate the guard that watches a certificate: false alarms, checks to an alarm");
  drift->add_option("--alpha", simulation.target.alpha, "Promised share of wrong answers")
      ->type_name("P");
  drift->add_option("--delta", simulation.target.delta, "Chance of a false alarm, over all time")
      ->type_name("P");
  drift->add_option("--before", simulation.rate_before, "Wrong answers before the change")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("P");
  drift->add_option("--after", simulation.rate_after, "Wrong answers after it")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("P");
  drift->add_option("--change-at", simulation.change_at, "Checks before the change")
      ->check(CLI::Range(0, 1000000))
      ->type_name("N");
  drift->add_option("--checks", simulation.length, "Of a stream in all")
      ->check(CLI::Range(1, 1000000))
      ->type_name("N");
  drift->add_option("--runs", simulation.runs, "How many streams")
      ->check(CLI::Range(1, 100000))
      ->type_name("N");
  drift->add_option("--seed", simulation.seed, "Of the simulation")->type_name("N");
  drift->add_flag("--json", options->json, "As JSON");
  drift->footer("Example:\n  tinyarms certify drift --alpha 0.05 --before 0.05 --after 0.15");
  drift->callback([options, &context] { run_drift(*options, context); });
}

void add_common(CLI::App& command, CertifyOptions& options) {
  command.add_option("--records", options.scores.files, "Outcomes, one JSON object a line")
      ->required()
      ->type_name("FILE");
  command.add_option("--score", options.scores.score, "What answers are kept by")
      ->type_name("NAME");
  command.add_option("--tier", options.scores.tier, "Whose answers (default: the first)")
      ->type_name("NAME");
  command.add_flag("--lower-is-better", options.scores.lower_is_better, "The score measures doubt");
  command.add_option("--alpha", options.target.alpha, "Share of wrong answers among the kept")
      ->type_name("P");
  command.add_option("--delta", options.target.delta, "Chance that the promise is broken")
      ->type_name("P");
  add_record_options(command, options.scores.read);
  command.add_flag("--json", options.json, "As JSON");
}

}  // namespace

void add_certify(CLI::App& app, Context& context) {
  CLI::App* certify = app.add_subcommand(
      "certify", "\"Kept answers are wrong at most alpha, with confidence 1 - delta\"");
  certify->require_subcommand(1);

  auto issue_options = std::make_shared<CertifyOptions>();
  CLI::App* issue = certify->add_subcommand(
      "issue", "Find the laxest threshold that can be promised, a group and pooled");
  add_common(*issue, *issue_options);
  issue->add_option("--out", issue_options->out, "Write the certificate here")->type_name("FILE");
  issue->add_option("--bind", issue_options->hashes, "Void when this changes")
      ->type_name("NAME=HASH");
  issue->add_option("--calibrator", issue_options->calibrator,
                    "Certify its P(right); the records must be others than it was fitted to")
      ->excludes("--score")
      ->type_name("FILE");
  issue->footer("Bound to model, quantisation, engine, sampler and calibrator; void when one "
                "changes.\nExit status 4: nothing can be promised at this alpha and delta.");
  issue->callback([issue_options, &context] { run_issue(*issue_options, context); });

  auto verify_options = std::make_shared<CertifyOptions>();
  CLI::App* verify = certify->add_subcommand(
      "verify", "Certify on random halves of the records and count broken promises");
  add_common(*verify, *verify_options);
  verify->add_option("--splits", verify_options->splits, "How many random halves")
      ->check(CLI::Range(1, 1000000))
      ->type_name("N");
  verify->add_option("--seed", verify_options->seed, "Of the random halves")->type_name("N");
  verify->footer("Example:\n  tinyarms certify verify --records runs.jsonl --score confidence \\\n"
                 "    --alpha 0.1 --delta 0.05 --splits 1000 --json");
  verify->callback([verify_options, &context] { run_verify(*verify_options, context); });
  add_drift(*certify, context);
}

}  // namespace tinyarms::cli
