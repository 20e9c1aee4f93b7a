#include "calibration/score_selection.h"

#include <fmt/format.h>

#include <cmath>

#include "base/nearest.h"

namespace tinyarms::calibration {
namespace {

constexpr const char* kPromptLength = "prompt_length";

Error unknown(const char* kind, const std::string& name, const std::vector<std::string>& known) {
  const auto close = nearest(name, known);
  const std::string listed = fmt::format("known: {}", fmt::join(known, ", "));
  return Error{ErrorCode::InvalidArgument, fmt::format("no {} `{}` in the records", kind, name), "",
               close ? fmt::format("did you mean `{}`? {}", *close, listed) : listed};
}

Result<const TierColumns*> choose_tier(const Dataset& data, const std::string& name) {
  if (name.empty()) return &data.tiers.front();
  if (const TierColumns* tier = data.find_tier(name)) return tier;
  std::vector<std::string> known;
  for (const TierColumns& tier : data.tiers) known.push_back(tier.name);
  return unknown("tier", name, known);
}

Result<std::string> choose_score(const TierColumns& tier, const std::string& name) {
  std::vector<std::string> known;
  for (const SignalColumn& signal : tier.signals) known.push_back(signal.name);
  if (name.empty() && tier.find("confidence") != nullptr) return std::string("confidence");
  if (name.empty() && known.size() == 1) return known[0];
  known.emplace_back(kPromptLength);
  if (name.empty()) {
    return Error{ErrorCode::InvalidArgument, "which score is meant is not clear", "",
                 fmt::format("name one of: {}", fmt::join(known, ", "))};
  }
  if (name == kPromptLength || tier.find(name) != nullptr) return name;
  return unknown("score", name, known);
}

// The score of each row, higher for "rather right"; NaN where it was not measured.
std::vector<double> score_column(const Dataset& data, const TierColumns& tier,
                                 const std::string& score, bool lower_is_better) {
  std::vector<double> values;
  if (score == kPromptLength && tier.find(score) == nullptr) {
    // Longer questions are harder: the direction of the literature's baseline.
    for (const PromptFeatures& prompt : data.prompts) values.push_back(-prompt[0]);
  } else {
    values = tier.find(score)->values;
  }
  if (lower_is_better) {
    for (double& value : values) value = -value;
  }
  return values;
}

}  // namespace

Result<SelectedScores> load_scores(const ScoreRequest& request) {
  DatasetOptions options{.read = request.read};
  if (!request.score.empty()) options.only_signal = request.score;
  options.prompt_features = request.score.empty() || request.score == kPromptLength;
  auto data = load_dataset(request.files, options);
  if (!data) return data.error();
  auto tier = choose_tier(*data, request.tier);
  if (!tier) return tier.error();
  auto score = choose_score(**tier, request.score);
  if (!score && !request.score.empty()) {
    // Read once more with all signals, to be able to name them.
    options.only_signal = std::nullopt;
    auto all = load_dataset(request.files, options);
    if (!all) return all.error();
    auto again = choose_tier(*all, request.tier);
    if (!again) return again.error();
    return choose_score(**again, request.score).error();
  }
  if (!score) return score.error();
  SelectedScores selected;
  selected.tier = static_cast<size_t>(*tier - data->tiers.data());
  selected.score = *score;
  selected.of_prompt = *score == kPromptLength && (*tier)->find(*score) == nullptr;
  selected.values = score_column(*data, **tier, *score, request.lower_is_better);
  for (size_t row = 0; row < data->rows(); ++row) {
    if ((*tier)->labels[row] == Label::Absent) continue;
    ++selected.records;
    if (!std::isnan(selected.values[row])) selected.rows.push_back(row);
  }
  selected.data = std::move(*data);
  if (!selected.rows.empty()) return selected;
  return Error{ErrorCode::InvalidArgument,
               fmt::format("no record has the score `{}`", selected.score),
               selected.tier_columns().name, "choose another score or tier"};
}

Scored SelectedScores::item(size_t row) const {
  return {values[row], tier_columns().labels[row] == Label::Right ? 1.0 : 0.0};
}

}  // namespace tinyarms::calibration
