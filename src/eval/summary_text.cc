// The summary for people.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "eval/summary.h"
#include "eval/statistics.h"

namespace tinyarms::eval {
namespace {

void add_failures(const TaskResult& result, std::string& text) {
  if (result.unmeasured + result.not_reached == 0) return;
  text += fmt::format("      of {}: {} measured, {} could not be measured, {} not reached\n",
                      result.planned, result.measured, result.unmeasured, result.not_reached);
  for (const auto& [why, count] : result.failures) {
    text += fmt::format("      {} × {}\n", count, why);
  }
}

void add_result(const TaskResult& result, size_t width, std::string& text) {
  if (result.measured == 0) {
    text += fmt::format("  {:<{}}  nothing measured\n", result.subject, width);
    add_failures(result, text);
    return;
  }
  text += fmt::format("  {:<{}}  {:5.1f} %  [{:.1f}, {:.1f}]  {}/{}  {:.2f} s/item", result.subject,
                      width, percent(result.accuracy), percent(result.interval.low),
                      percent(result.interval.high), result.correct, result.measured,
                      result.seconds_per_item());
  if (result.peak_memory_bytes > 0) {
    text += fmt::format("  {:.0f} MB", static_cast<double>(result.peak_memory_bytes) / 1e6);
  }
  if (!result.confidence.signal.empty() && !std::isnan(result.confidence.auroc)) {
    text += fmt::format("  AUROC {:.3f} ({})", result.confidence.auroc, result.confidence.signal);
  }
  text += "\n";
  if (result.groups.size() > 1) {
    std::vector<std::string> groups;
    for (const GroupResult& group : result.groups) {
      groups.push_back(fmt::format("{} {:.0f} % of {}", group.name,
                                   percent(static_cast<double>(group.count.hits) /
                                           static_cast<double>(group.count.trials)),
                                   group.count.trials));
    }
    text += fmt::format("      {}\n", fmt::join(groups, " · "));
  }
  for (const PassAtK& pass : result.pass_at_k) {
    text += fmt::format("      pass@{} {:.1f} %  [{:.1f}, {:.1f}]\n", pass.k, percent(pass.value),
                        percent(pass.interval.low), percent(pass.interval.high));
  }
  for (const TierResult& tier : result.tiers) {
    text += fmt::format("      {:<4} answered {}, kept {}, right where kept {}\n", tier.name,
                        tier.answered, tier.kept, tier.kept_correct);
  }
  add_failures(result, text);
}

void add_comparisons(const Summary& summary, const std::string& task, std::string& text) {
  for (const Comparison& comparison : summary.comparisons) {
    if (comparison.task != task || comparison.paired.items == 0) continue;
    const Paired& paired = comparison.paired;
    text += fmt::format("  {} → {}: {:+.1f} points [{:+.1f}, {:+.1f}], {} against {} items only "
                        "one got right, McNemar p = {:.3g}\n",
                        comparison.first, comparison.second, percent(paired.difference),
                        percent(paired.interval.low), percent(paired.interval.high),
                        paired.only_second, paired.only_first, paired.p_value);
  }
}

}  // namespace

std::string summary_text(const Summary& summary) {
  std::string text;
  size_t width = 0;
  for (const SubjectFacts& subject : summary.subjects) {
    width = std::max(width, subject.name.size());
    if (!subject.problem.empty()) {
      text += fmt::format("{}: not measured: {}\n", subject.name, subject.problem);
    }
    if (!subject.note.empty()) text += fmt::format("{}: {}\n", subject.name, subject.note);
  }
  for (const TaskFacts& task : summary.tasks) {
    if (!task.problem.empty()) {
      text += fmt::format("\n{}  not measured: {}\n", task.name, task.problem);
      continue;
    }
    text += fmt::format("\n{}  {} of {} items", task.name, task.items, task.available);
    if (!task.caveat.empty()) text += fmt::format("  ({})", task.caveat);
    text += "\n";
    for (const TaskResult& result : summary.results) {
      if (result.task == task.name) add_result(result, width, text);
    }
    for (const EmbeddingFigure& figure : summary.figures) {
      if (figure.task != task.name) continue;
      text += fmt::format("  {:<{}}  {} {:.4f}  [{:.4f}, {:.4f}]  {} items\n", figure.subject,
                          width, figure.name, figure.value, figure.interval.low,
                          figure.interval.high, figure.items);
    }
    for (const Baseline& baseline : summary.baselines) {
      if (baseline.task != task.name) continue;
      text += fmt::format("  {:<{}}  {:5.1f} %  {}\n", baseline.name, width,
                          percent(baseline.accuracy), baseline.what);
    }
    add_comparisons(summary, task.name, text);
  }
  text += fmt::format("\nintervals: 95 %. {}\n{}\n", summary.engine, summary.machine);
  if (!summary.complete) text += "not complete: go on with --resume\n";
  return text;
}

}  // namespace tinyarms::eval
