#include "service/jitter_measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/jitter.h"
#include "engine/language_model.h"
#include "eval/task_registry.h"
#include "service/calibrated_estimator.h"
#include "tiers/answer_evidence.h"

namespace tinyarms::service {
namespace {

constexpr uint32_t kContextTokens = 2048;

std::vector<engine::ChatMessage> chat_of(const eval::Item& item) {
  std::vector<engine::ChatMessage> messages;
  for (const cascade::Message& message : item.messages) {
    messages.push_back({message.role == cascade::Role::System ? "system" : "user",
                        message.content});
  }
  return messages;
}

using Differences = std::map<std::string, std::vector<double>, std::less<>>;

void add_differences(const engine::JitterSample& sample, Differences& differences) {
  const auto evidence = [&](size_t way) {
    engine::Generation generation;
    generation.statistics = sample.ways[way].statistics;
    return tiers::evidence_of(generation);
  };
  const cascade::Evidence reference = evidence(0);
  for (size_t way = 1; way < sample.ways.size(); ++way) {
    const cascade::Evidence moved = evidence(way);
    for (const auto& [name, value] : reference.items()) {
      const double* number = std::get_if<double>(&value);
      if (number == nullptr || name == cascade::signal::kTokens) continue;
      differences[name].push_back(std::abs(moved.number(name).value_or(*number) - *number));
    }
  }
}

calibration::SignalJitter summarise(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  calibration::SignalJitter jitter;
  for (const double value : values) jitter.mean += value / static_cast<double>(values.size());
  const auto at = static_cast<size_t>(std::ceil(0.95 * static_cast<double>(values.size()))) - 1;
  jitter.q95 = values[at];
  jitter.most = values.back();
  return jitter;
}

}  // namespace

Result<calibration::JitterFile> measure_jitter(const catalog::ModelStore& store,
                                               const catalog::InstalledModel& model,
                                               const JitterOptions& options,
                                               const StopFlag& stop) {
  auto sha = store.sha256_of(model);
  if (!sha) return sha.error();
  auto weights = engine::LanguageModel::load(model.path);
  if (!weights) return weights.error();
  auto probe = engine::JitterProbe::create(
      **weights, {.context_tokens = kContextTokens, .threads = options.threads});
  if (!probe) return probe.error();
  auto items = eval::make_tiny()->read({});
  if (!items) return items.error();
  std::erase_if(*items, [](const eval::Item& item) { return item.mode != eval::Mode::Generate; });

  calibration::JitterFile jitter;
  jitter.identity = {*sha, model.quantization, engine_build(), "greedy"};
  Differences differences;
  const size_t total = std::min(options.prompts, items->size());
  for (size_t i = 0; i < total; ++i) {
    const eval::Item& item = (*items)[i * items->size() / total];
    auto sample = (*probe)->measure(chat_of(item), options.tokens_max, stop);
    if (!sample) return sample.error();
    add_differences(*sample, differences);
    ++jitter.prompts;
    for (size_t way = 1; way < sample->ways.size(); ++way) {
      ++jitter.comparisons;
      jitter.tokens += static_cast<size_t>(sample->answer_tokens);
      jitter.other_choices += static_cast<size_t>(sample->ways[way].other_choices);
    }
    if (options.progress) options.progress(i + 1, total);
  }
  for (auto& [name, values] : differences) jitter.signals[name] = summarise(values);
  return jitter;
}

std::string jitter_text(const std::string& model, const calibration::JitterFile& jitter) {
  std::string text = fmt::format(
      "{} ({}): {} prompts, {} comparisons with the answer computed cold and alone; {} of {} "
      "tokens would have been chosen otherwise\n  {:22} {:>10} {:>10} {:>10}\n",
      model, jitter.identity.quantization, jitter.prompts, jitter.comparisons,
      jitter.other_choices, jitter.tokens, "signal moves by", "mean", "95 %", "most");
  for (const auto& [name, each] : jitter.signals) {
    text += fmt::format("  {:22} {:>10.3g} {:>10.3g} {:>10.3g}\n", name, each.mean, each.q95,
                        each.most);
  }
  return text;
}

}  // namespace tinyarms::service
