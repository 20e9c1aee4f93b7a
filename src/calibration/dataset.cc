#include "calibration/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "calibration/margin_trace.h"

namespace tinyarms::calibration {
namespace {

constexpr double kNoSignal = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kDatasetGroupsMax = size_t{1} << 20;

bool is_level(const std::string& name) {
  return name.size() == 2 && name[0] == 'l' && name[1] >= '0' && name[1] <= '9';
}

double mean_cost(const TierColumns& tier) {
  double sum = 0;
  double count = 0;
  for (const double cost : tier.costs) {
    if (std::isnan(cost)) continue;
    sum += cost;
    count += 1;
  }
  return count > 0 ? sum / count : 0;
}

bool was_stopped(const TierOutcome& outcome) {
  return std::any_of(outcome.evidence.begin(), outcome.evidence.end(), [](const auto& signal) {
    return signal.first == "stopped_early" && signal.second == 1;
  });
}

std::string place_of(const Record& record) {
  return fmt::format("{}:{}", record.file, record.line);
}

Error misfit(std::string what, const Record& record) {
  return Error{ErrorCode::InvalidArgument, std::move(what), place_of(record),
               "every record needs the same tiers in the same order, cheapest first"};
}

}  // namespace

const SignalColumn* TierColumns::find(std::string_view signal) const {
  for (const SignalColumn& column : signals) {
    if (column.name == signal) return &column;
  }
  return nullptr;
}

const TierColumns* Dataset::find_tier(std::string_view name) const {
  for (const TierColumns& tier : tiers) {
    if (tier.name == name) return &tier;
  }
  return nullptr;
}

uint32_t Dataset::group_index(const std::string& name) {
  // Neighbours are mostly of one group.
  if (!group.empty() && groups[group.back()] == name) return group.back();
  const auto found = std::find(groups.begin(), groups.end(), name);
  if (found != groups.end()) return static_cast<uint32_t>(found - groups.begin());
  groups.push_back(name);
  return static_cast<uint32_t>(groups.size() - 1);
}

Result<size_t> Dataset::row_of(const Record& record) {
  const uint64_t key = hash_text(record.id, 0);
  const auto row = static_cast<uint32_t>(rows());
  if (record.bench) {
    if (const auto seen = ids_.insert(key, {row, 0})) return seen->line;
  }
  keys.push_back(key);
  group.push_back(group_index(record.group));
  if (groups.size() > kDatasetGroupsMax) {
    return Error{ErrorCode::OverBudget, "more than a million groups",
                 place_of(record), "groups are kinds of tasks, not single ones"};
  }
  if (options_.prompt_features) {
    prompts.push_back(record.prompt_is_text ? prompt_features(record.prompt) : PromptFeatures{});
  }
  rows_with_prompt += record.prompt_is_text ? 1 : 0;
  return static_cast<size_t>(row);
}

Result<void> Dataset::add_outcome(TierColumns& tier, const TierOutcome& outcome, size_t row) {
  tier.labels.resize(std::max(tier.labels.size(), row + 1), Label::Absent);
  tier.costs.resize(tier.labels.size(), kNoSignal);
  if (was_stopped(outcome)) return {};  // nobody knows what it would have become
  tier.labels[row] = outcome.correct ? Label::Right : Label::Wrong;
  tier.costs[row] = outcome.cost;
  if (tier.model_sha.empty()) tier.model_sha = outcome.model_sha;
  if (tier.quantization.empty()) tier.quantization = outcome.quantization;
  size_t position = 0;  // signals mostly come in the same order
  for (const auto& [name, value] : outcome.evidence) {
    if (options_.only_signal && *options_.only_signal != name) continue;
    if (position >= tier.signals.size() || tier.signals[position].name != name) {
      position = 0;
      while (position < tier.signals.size() && tier.signals[position].name != name) ++position;
      if (position == tier.signals.size()) tier.signals.push_back({name, {}});
    }
    std::vector<double>& column = tier.signals[position++].values;
    if (column.size() <= row) {
      cells_ += row + 1 - column.size();
      column.resize(row + 1, kNoSignal);
    }
    column[row] = value;
  }
  if (cells_ <= options_.cells_max) return {};
  return Error{ErrorCode::OverBudget, "too many signals times records for the memory", "",
               "choose one signal, or read fewer records"};
}

bool Dataset::add_trace(TierColumns& tier, const std::string& trace, size_t row) {
  if (!read_margin_steps(trace)) return false;
  cells_ += trace.size() / sizeof(double);
  tier.margin_traces.resize(std::max(tier.margin_traces.size(), row + 1));
  tier.margin_traces[row] = trace;
  return true;
}

Result<void> Dataset::add(const Record& record) {
  if (rows() > 0 && record.bench != bench_) {
    return misfit("bench and interchange records are mixed", record);
  }
  const bool first = rows() == 0;
  bench_ = record.bench;
  auto row = row_of(record);
  if (!row) return row.error();
  if (first && !record.bench) {
    for (const TierOutcome& outcome : record.tiers) {
      tiers.push_back({});
      tiers.back().name = outcome.name;
    }
  }
  if (record.bench && find_tier(record.tiers[0].name) == nullptr) {
    if (tiers.size() == 64) return misfit("more than 64 tiers", record);
    tiers.push_back({});
    tiers.back().name = record.tiers[0].name;
  }
  if (!record.bench && record.tiers.size() != tiers.size()) {
    return misfit(fmt::format("has {} tiers; the first record has {}", record.tiers.size(),
                              tiers.size()),
                  record);
  }
  for (size_t t = 0; t < record.tiers.size(); ++t) {
    const TierOutcome& outcome = record.tiers[t];
    TierColumns* tier = record.bench ? nullptr : &tiers[t];
    for (TierColumns& candidate : tiers) {
      if (record.bench && candidate.name == outcome.name) tier = &candidate;
    }
    if (tier->name != outcome.name) {
      return misfit(fmt::format("tier {} is `{}`; in the first record it is `{}`", t + 1,
                                outcome.name, tier->name),
                    record);
    }
    if (options_.margin_traces && !add_trace(*tier, outcome.margin_trace, *row)) {
      return Error{ErrorCode::InvalidArgument, "`margin_trace` has a character that is no margin",
                   place_of(record), "a character of base64url each: docs/bench.md"};
    }
    if (auto added = add_outcome(*tier, outcome, *row); !added) return added;
  }
  return {};
}

void Dataset::finish() {
  for (TierColumns& tier : tiers) {
    tier.labels.resize(rows(), Label::Absent);
    tier.costs.resize(rows(), kNoSignal);
    for (SignalColumn& signal : tier.signals) signal.values.resize(rows(), kNoSignal);
    if (options_.margin_traces) tier.margin_traces.resize(rows());
  }
  if (!bench_) return;
  const bool levels = std::all_of(tiers.begin(), tiers.end(),
                                  [](const TierColumns& tier) { return is_level(tier.name); });
  std::stable_sort(tiers.begin(), tiers.end(), [&](const TierColumns& a, const TierColumns& b) {
    return levels ? a.name < b.name : mean_cost(a) < mean_cost(b);
  });
}

Result<Dataset> load_dataset(const std::vector<std::string>& files, const DatasetOptions& options) {
  Dataset data(options);
  auto count = read_record_files(files, options.read,
                                 [&](const Record& record) { return data.add(record); });
  if (!count) return count.error();
  if (*count == 0) {
    return Error{ErrorCode::InvalidArgument, "no records", files.empty() ? "" : files.front(),
                 "give one JSON object a line; see docs/calibration-method.md"};
  }
  data.finish();
  return data;
}

}  // namespace tinyarms::calibration
