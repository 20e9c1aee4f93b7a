// Where a replay's questions come from: a decision log, or records of outcomes.
#include <fmt/format.h>

#include <cmath>
#include <fstream>

#include "calibration/dataset.h"
#include "service/decision_record.h"
#include "service/replay.h"
#include "storage/decision_log.h"

namespace tinyarms::service {
namespace {

using cascade::Level;

bool is_database(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  char header[15] = {};
  return stream.read(header, sizeof header) &&
         std::string_view(header, sizeof header) == "SQLite format 3";
}

// Tiers that are not named by their level stand in the records' order from L2 up.
Level level_of(const calibration::TierColumns& tier, size_t position) {
  if (auto level = cascade::parse_level(tier.name)) return *level;
  return static_cast<Level>(std::min<size_t>(position + 2, 4));
}

bool is_flag(std::string_view name) {
  return name == cascade::signal::kFinished || name == cascade::signal::kCodeParses ||
         name == cascade::signal::kExact;
}

ReplayStep step_of(const calibration::TierColumns& tier, size_t position, size_t row) {
  ReplayStep step;
  step.level = level_of(tier, position);
  step.attempt.answered = true;
  step.attempt.source = tier.name;
  // Records do not say engine and sampler: this build and greedy are taken, as by `calibrate`.
  step.attempt.origin = {tier.model_sha, tier.quantization, engine_build(), "greedy"};
  for (const calibration::SignalColumn& signal : tier.signals) {
    const double value = signal.values[row];
    if (std::isnan(value)) continue;
    if (is_flag(signal.name)) {
      step.attempt.evidence.set(signal.name, value != 0);
    } else {
      step.attempt.evidence.set(signal.name, value);
    }
  }
  if (!tier.margin_traces[row].empty()) {
    step.attempt.evidence.set(cascade::signal::kMarginTrace, tier.margin_traces[row]);
  }
  step.right = tier.labels[row] == calibration::Label::Right;
  step.seconds = tier.costs[row];
  return step;
}

}  // namespace

ReplayItem replay_item(const storage::LoggedDecision& logged) {
  ReplayItem item;
  item.id = logged.id;
  item.group = logged.group;
  item.question = logged.question;
  for (size_t i = 0; i < logged.steps.size(); ++i) {
    const storage::LoggedStep& step = logged.steps[i];
    const auto level = cascade::parse_level(step.level);
    if (!level) continue;
    // A tier that was skipped or failed said nothing that another policy could have used.
    if (step.verdict == "skip" || step.verdict == "fail" || step.verdict == "interrupt") continue;
    ReplayStep& replayed = item.steps.emplace_back();
    replayed.level = *level;
    replayed.attempt = attempt_of(step);
    replayed.right = step.good;
    replayed.seconds = step.seconds;
    replayed.propensity = step.propensity;
    if (step.answered) replayed.kept = step.verdict == "accept";
    if (static_cast<int>(i) == logged.winner) item.winner = item.steps.size() - 1;
  }
  // A climb that ended with a kept answer left the tiers above unasked.
  item.more_above = !item.steps.empty() && item.steps.back().kept.value_or(false);
  return item;
}

Result<std::vector<ReplayItem>> load_replay(const std::filesystem::path& log, const Clock& clock,
                                            const calibration::ReadOptions& options) {
  std::vector<ReplayItem> items;
  if (is_database(log)) {
    auto opened = storage::DecisionLog::open_existing(log, clock);
    if (!opened) return opened.error();
    auto read = (*opened)->read([&](const storage::LoggedDecision& logged) -> Result<void> {
      items.push_back(replay_item(logged));
      return {};
    });
    if (!read) return read.error();
  } else {
    auto data = calibration::load_dataset({log.string()}, {.read = options, .margin_traces = true});
    if (!data) return data.error();
    for (size_t row = 0; row < data->rows(); ++row) {
      ReplayItem& item = items.emplace_back();
      item.id = fmt::format("row {}", row + 1);
      item.group = std::string(data->group_of(row));
      for (size_t t = 0; t < data->tiers.size(); ++t) {
        if (data->tiers[t].labels[row] == calibration::Label::Absent) continue;
        item.steps.push_back(step_of(data->tiers[t], t, row));
      }
    }
  }
  if (!items.empty()) return items;
  return Error{ErrorCode::InvalidArgument, "holds no decision", log.string(),
               "ask something with log.decisions = true first"};
}

}  // namespace tinyarms::service
