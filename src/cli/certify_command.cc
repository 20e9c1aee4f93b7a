// tinyarms certify: a bound on being wrong, from records, and a check that such bounds hold.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "calibration/certificate.h"
#include "calibration/score_selection.h"
#include "cli/context.h"
#include "cli/record_input.h"

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
  const auto scores = load(options, context);
  if (!scores) return;
  std::vector<calibration::GroupedItem> items;
  for (const size_t row : scores->rows) {
    items.push_back({scores->item(row), std::string(scores->data.group_of(row))});
  }
  Certificate certificate = calibration::certify_groups(items, options.target);
  certificate.tier = scores->tier_columns().name;
  certificate.score = scores->score;
  certificate.hashes = std::move(hashes);
  const calibration::TierColumns& tier = scores->tier_columns();
  if (!tier.model_sha.empty()) certificate.hashes.emplace("model", tier.model_sha);
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
  issue->footer("Exit status 4: nothing can be promised at this alpha and delta.");
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
}

}  // namespace tinyarms::cli
