#include "eval/summarise.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "calibration/scored.h"

namespace tinyarms::eval {
namespace {

namespace signal = cascade::signal;
constexpr size_t kBins = 10;
constexpr size_t kCurvePoints = 41;

// The surest number that a kind of answer brings along, best known first.
constexpr std::array<std::string_view, 3> kConfidenceSignals = {
    "confidence", signal::kOptionProbability, signal::kProbabilityMean};

struct ItemSamples {
  std::string group;
  Samples samples;
};

ConfidenceResult confidence_of(std::vector<calibration::Scored> scored,
                               const std::vector<std::string_view>& signals) {
  ConfidenceResult result;
  if (scored.size() < 2) return result;
  for (const std::string_view name : signals) {
    result.signal += fmt::format("{}{}", result.signal.empty() ? "" : ", ", name);
  }
  calibration::sort_by_score(scored);
  const calibration::MetricValues values = calibration::measure(scored, kBins);
  result.auroc = values[calibration::Metric::Auroc];
  result.ece = values[calibration::Metric::EceWidth];
  result.risk_coverage = calibration::risk_coverage(scored, kCurvePoints);
  if (!std::isnan(result.ece)) {
    result.reliability =
        calibration::reliability_of_sorted(scored, kBins, calibration::Binning::EqualWidth);
  }
  return result;
}

ConfidenceResult measure_confidence(const std::vector<const BenchRecord*>& kept) {
  std::vector<calibration::Scored> scored;
  std::vector<std::string_view> signals;
  for (const BenchRecord* record : kept) {
    for (const std::string_view name : kConfidenceSignals) {
      const auto value = record->evidence.number(name);
      if (!value || !std::isfinite(*value)) continue;
      scored.push_back({.score = *value, .outcome = record->correct ? 1.0 : 0.0});
      if (std::find(signals.begin(), signals.end(), name) == signals.end()) {
        signals.push_back(name);
      }
      break;
    }
  }
  return confidence_of(std::move(scored), signals);
}

void add_tier(const BenchRecord& record, std::vector<TierResult>& tiers) {
  auto at = std::find_if(tiers.begin(), tiers.end(),
                         [&](const TierResult& tier) { return tier.name == record.tier; });
  if (at == tiers.end()) at = tiers.insert(at, TierResult{.name = record.tier});
  ++at->answered;
  at->seconds += record.seconds;
  if (record.correct) ++at->correct;
  if (!record.kept) return;
  ++at->kept;
  if (record.correct) ++at->kept_correct;
}

// k of the usual figures: 1, 10, 100, and all samples; none for a single sample.
std::vector<uint64_t> pass_ks(uint64_t samples) {
  std::vector<uint64_t> ks;
  for (const uint64_t k : {1, 10, 100}) {
    if (samples > 1 && k < samples) ks.push_back(k);
  }
  if (samples > 1) ks.push_back(samples);
  return ks;
}

void add_rates(const std::map<std::string, ItemSamples>& items, int samples, TaskResult& result) {
  std::map<std::string, Count> groups;
  std::vector<double> shares;
  for (const auto& [id, item] : items) {
    Count& group = groups[item.group];
    group.hits += item.samples.correct;
    group.trials += item.samples.drawn;
    result.correct += item.samples.correct;
    result.measured += item.samples.drawn;
    shares.push_back(static_cast<double>(item.samples.correct) /
                     static_cast<double>(item.samples.drawn));
  }
  for (const auto& [name, count] : groups) result.groups.push_back({name, count});
  if (result.measured > 0) {
    result.accuracy =
        static_cast<double>(result.correct) / static_cast<double>(result.measured);
  }
  // Samples of one item are no independent trials: items are what is drawn again.
  result.interval = samples == 1
                        ? wilson({.hits = result.correct, .trials = result.measured})
                        : bootstrap_bounded_mean(shares, {0, 1});
  for (const uint64_t k : pass_ks(static_cast<uint64_t>(samples))) {
    std::vector<double> chances;
    for (const auto& [id, item] : items) {
      if (item.samples.drawn >= k) chances.push_back(pass_at_k(item.samples, k));
    }
    if (chances.empty()) continue;
    double sum = 0;
    for (const double chance : chances) sum += chance;
    result.pass_at_k.push_back({.k = k,
                                .value = sum / static_cast<double>(chances.size()),
                                .interval = bootstrap_bounded_mean(chances, {0, 1})});
  }
}

const TaskResult* find_result(const Summary& summary, std::string_view task,
                              std::string_view subject) {
  for (const TaskResult& result : summary.results) {
    if (result.task == task && result.subject == subject) return &result;
  }
  return nullptr;
}

// The items that every one of them measured, cheapest subject first.
struct Shared {
  std::vector<std::string> subjects;
  std::vector<std::vector<double>> scores;  // of each subject, by item
};

Shared shared_items(const Summary& summary, const std::string& task) {
  Shared shared;
  const auto found = summary.scores.find(task);
  if (found == summary.scores.end()) return shared;
  for (const auto& [subject, scores] : found->second) shared.subjects.push_back(subject);
  std::sort(shared.subjects.begin(), shared.subjects.end(), [&](const auto& a, const auto& b) {
    const TaskResult* first = find_result(summary, task, a);
    const TaskResult* second = find_result(summary, task, b);
    return first != nullptr && second != nullptr &&
           first->seconds_per_item() < second->seconds_per_item();
  });
  shared.scores.resize(shared.subjects.size());
  for (const auto& [item, ignored] : found->second.begin()->second) {
    std::vector<double> row;
    for (const std::string& subject : shared.subjects) {
      const auto& scores = found->second.at(subject);
      const auto at = scores.find(item);
      if (at != scores.end()) row.push_back(at->second);
    }
    if (row.size() != shared.subjects.size()) continue;
    for (size_t i = 0; i < row.size(); ++i) shared.scores[i].push_back(row[i]);
  }
  return shared;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

}  // namespace

TaskResult summarise_task(const TaskFacts& facts, const SubjectFacts& subject, int samples,
                          const TaskRecords& records) {
  TaskResult result;
  result.task = facts.name;
  result.subject = subject.name;
  result.planned = facts.items * static_cast<uint64_t>(samples);
  std::map<std::string, ItemSamples> items;
  std::vector<const BenchRecord*> kept;
  for (const BenchRecord& record : records.records) {
    if (record.task != facts.name) continue;
    result.seconds += record.seconds;
    result.prompt_tokens += static_cast<uint64_t>(record.prompt_tokens);
    result.tokens += static_cast<uint64_t>(record.tokens);
    result.peak_memory_bytes = std::max(result.peak_memory_bytes, record.peak_memory_bytes);
    add_tier(record, result.tiers);
    if (!record.kept) continue;
    kept.push_back(&record);
    ItemSamples& item = items[record.item];
    item.group = record.group;
    ++item.samples.drawn;
    if (record.correct) ++item.samples.correct;
  }
  if (result.tiers.size() < 2) result.tiers.clear();
  add_rates(items, samples, result);
  for (const Unmeasured& failure : records.failures) {
    if (failure.task != facts.name) continue;
    ++result.unmeasured;
    ++result.failures[failure.why];
  }
  const uint64_t accounted = result.measured + result.unmeasured;
  result.not_reached = result.planned - std::min(result.planned, accounted);
  result.confidence = measure_confidence(kept);
  return result;
}

std::map<std::string, double> item_scores(const std::string& task,
                                          const std::vector<BenchRecord>& records) {
  std::map<std::string, Samples> samples;
  for (const BenchRecord& record : records) {
    if (record.task != task || !record.kept) continue;
    Samples& item = samples[record.item];
    ++item.drawn;
    if (record.correct) ++item.correct;
  }
  std::map<std::string, double> scores;
  for (const auto& [item, each] : samples) {
    scores[item] = static_cast<double>(each.correct) / static_cast<double>(each.drawn);
  }
  return scores;
}

std::vector<ScorePair> pair_up(const std::map<std::string, double>& first,
                               const std::map<std::string, double>& second) {
  std::vector<ScorePair> pairs;
  for (const auto& [item, score] : first) {
    const auto other = second.find(item);
    if (other != second.end()) pairs.push_back({score, other->second});
  }
  return pairs;
}

std::vector<Baseline> trivial_baselines(const Summary& summary) {
  std::vector<Baseline> baselines;
  for (const TaskFacts& task : summary.tasks) {
    if (task.random_option >= 0) {
      baselines.push_back({task.name, "random_option", task.random_option, "expectation"});
      baselines.push_back(
          {task.name, "majority_option", task.majority_option, "the commonest right option"});
    }
    const Shared shared = shared_items(summary, task.name);
    if (shared.subjects.size() < 2 || shared.scores.front().empty()) continue;
    baselines.push_back({task.name, "always_small", mean(shared.scores.front()),
                         shared.subjects.front()});
    baselines.push_back({task.name, "always_large", mean(shared.scores.back()),
                         shared.subjects.back()});
    std::vector<double> best = shared.scores.front();
    for (const auto& scores : shared.scores) {
      for (size_t i = 0; i < best.size(); ++i) best[i] = std::max(best[i], scores[i]);
    }
    baselines.push_back({task.name, "oracle", mean(best),
                         fmt::format("any of {} is right", shared.subjects.size())});
  }
  return baselines;
}

std::vector<Comparison> compare_subjects(const Summary& summary) {
  std::vector<Comparison> comparisons;
  for (const TaskFacts& task : summary.tasks) {
    const auto found = summary.scores.find(task.name);
    if (found == summary.scores.end()) continue;
    // In the order the user named them.
    for (size_t a = 0; a < summary.subjects.size(); ++a) {
      for (size_t b = a + 1; b < summary.subjects.size(); ++b) {
        const auto first = found->second.find(summary.subjects[a].name);
        const auto second = found->second.find(summary.subjects[b].name);
        if (first == found->second.end() || second == found->second.end()) continue;
        comparisons.push_back({task.name, first->first, second->first,
                               compare(pair_up(first->second, second->second))});
      }
    }
  }
  return comparisons;
}

std::vector<Comparison> compare_runs(const Summary& before, const Summary& now,
                                     const std::string& before_name,
                                     std::vector<std::string>& notes) {
  std::vector<Comparison> comparisons;
  for (const auto& [task, subjects] : now.scores) {
    const auto old_task = before.scores.find(task);
    if (old_task == before.scores.end()) {
      notes.push_back(fmt::format("{} was not measured in {}", task, before_name));
      continue;
    }
    const auto prompts = [&, name = task](const Summary& summary) {
      for (const TaskFacts& facts : summary.tasks) {
        if (facts.name == name) return facts.prompts_sha;
      }
      return std::string();
    };
    if (prompts(before) != prompts(now)) {
      notes.push_back(fmt::format("{}: asked otherwise in {} (other prompts, items or limits); "
                                  "only items of the same name are compared",
                                  task, before_name));
    }
    for (const auto& [subject, scores] : subjects) {
      const bool known = old_task->second.contains(subject);
      for (const auto& [old_subject, old_scores] : old_task->second) {
        if (known && old_subject != subject) continue;  // a new subject is held against all
        comparisons.push_back({task, fmt::format("{} ({})", old_subject, before_name), subject,
                               compare(pair_up(old_scores, scores))});
      }
    }
  }
  return comparisons;
}

}  // namespace tinyarms::eval
