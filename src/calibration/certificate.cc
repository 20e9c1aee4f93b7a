#include "calibration/certificate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "calibration/random.h"

namespace tinyarms::calibration {
namespace {

constexpr size_t kGridSize = 64;
constexpr std::array<double, 5> kStarts = {1.0 / 16, 1.0 / 8, 1.0 / 4, 1.0 / 2, 3.0 / 4};

double next_above(double value) {
  return std::nextafter(value, std::numeric_limits<double>::infinity());
}

// How many of the highest scores lie strictly above the one at `position` (counted from the top).
struct Cut {
  size_t kept = 0;
  double threshold = -std::numeric_limits<double>::infinity();
};

// `descending` by score. The cut just above the score at position `wanted`, ties dropped with it.
Cut cut_at(std::span<const Scored> descending, size_t wanted) {
  if (wanted >= descending.size()) return {descending.size(), -std::numeric_limits<double>::max()};
  const double score = descending[wanted].score;
  const auto first = std::lower_bound(
      descending.begin(), descending.end(), score,
      [](const Scored& item, double value) { return item.score > value; });
  return {static_cast<size_t>(first - descending.begin()), next_above(score)};
}

// Wrong answers among the first k, for every k.
std::vector<size_t> wrong_prefix(std::span<const Scored> descending) {
  std::vector<size_t> wrong(descending.size() + 1, 0);
  for (size_t i = 0; i < descending.size(); ++i) {
    wrong[i + 1] = wrong[i] + (descending[i].outcome < 0.5 ? 1 : 0);
  }
  return wrong;
}

void sort_descending(std::vector<Scored>& items) {
  std::sort(items.begin(), items.end(),
            [](const Scored& a, const Scored& b) { return a.score > b.score; });
}

std::optional<Certified> certify_sorted(std::span<const Scored> descending,
                                        const RiskTarget& target) {
  const std::vector<size_t> wrong = wrong_prefix(descending);
  const double share = target.delta / static_cast<double>(kStarts.size());
  const auto n = static_cast<double>(descending.size());
  std::optional<Certified> best;
  for (const double start : kStarts) {
    for (size_t step = 0; step <= kGridSize; ++step) {
      const double part = start + (1 - start) * static_cast<double>(step) / kGridSize;
      const Cut cut = cut_at(descending, static_cast<size_t>(part * n));
      if (cut.kept == 0) continue;  // nothing is tested, so nothing can fail
      const Count count{wrong[cut.kept], cut.kept};
      if (binomial_cdf(count, target.alpha) > share) break;
      if (best && cut.kept <= best->kept) continue;
      best = Certified{.threshold = cut.threshold,
                       .records = descending.size(),
                       .kept = cut.kept,
                       .wrong = wrong[cut.kept],
                       .bound = clopper_pearson_upper(count, share)};
    }
  }
  return best;
}

}  // namespace

Result<void> check_target(const RiskTarget& target) {
  const auto inside = [](double value) { return value > 0 && value < 1; };
  if (inside(target.alpha) && inside(target.delta)) return {};
  return Error{ErrorCode::InvalidArgument,
               fmt::format("alpha {} and delta {} must lie between 0 and 1", target.alpha,
                           target.delta),
               "", "for example alpha 0.1 and delta 0.05"};
}

std::optional<Certified> certify(std::span<const Scored> items, const RiskTarget& target) {
  std::vector<Scored> sorted(items.begin(), items.end());
  sort_descending(sorted);
  return certify_sorted(sorted, target);
}

const Certified* Certificate::for_group(std::string_view group) const {
  const auto found = groups.find(group);
  if (found != groups.end()) return &found->second;
  return pooled ? &*pooled : nullptr;
}

Certificate certify_groups(std::span<const GroupedItem> items, const RiskTarget& target,
                           size_t group_records_min) {
  std::map<std::string, std::vector<Scored>> groups;
  std::vector<Scored> all;
  for (const GroupedItem& grouped : items) {
    groups[grouped.group].push_back(grouped.item);
    all.push_back(grouped.item);
  }
  std::erase_if(groups, [&](const auto& group) { return group.second.size() < group_records_min; });
  if (groups.size() == 1 && groups.begin()->second.size() == all.size()) groups.clear();
  RiskTarget part = target;
  part.delta /= static_cast<double>(groups.size() + 1);
  Certificate certificate;
  certificate.target = target;
  certificate.pooled = certify(all, part);
  for (const auto& [name, members] : groups) {
    if (const auto certified = certify(members, part)) certificate.groups[name] = *certified;
  }
  return certificate;
}

Result<void> check_certificate(const Certificate& certificate,
                               const std::map<std::string, std::string, std::less<>>& serving) {
  std::string changes;
  const auto add = [&](std::string text) { changes += (changes.empty() ? "" : "; ") + text; };
  for (const auto& [name, hash] : certificate.hashes) {
    const auto now = serving.find(name);
    if (now == serving.end()) {
      add(fmt::format("{} is missing", name));
    } else if (now->second != hash) {
      add(fmt::format("{} changed from {:.12} to {:.12}", name, hash, now->second));
    }
  }
  for (const auto& [name, hash] : serving) {
    if (certificate.hashes.find(name) == certificate.hashes.end()) add(name + " is new");
  }
  if (changes.empty()) return {};
  return Error{ErrorCode::Unsupported, "the certificate is void: " + changes, "",
               "certify again with records of the present set-up"};
}

std::string certificate_text(const Certificate& certificate) {
  std::string text;
  const auto say = [&](const std::string& whose, const Certified& certified) {
    text += fmt::format(
        "{}: answers with {} >= {:.6g} are wrong at most {:.4g} of the time, with confidence "
        "{:.4g} ({} of {} records kept, {} wrong; bound {:.4f})\n",
        whose, certificate.score, certified.threshold, certificate.target.alpha,
        1 - certificate.target.delta, certified.kept, certified.records, certified.wrong,
        certified.bound);
  };
  if (certificate.pooled) say("all groups together", *certificate.pooled);
  for (const auto& [group, certified] : certificate.groups) say("group " + group, certified);
  if (text.empty()) {
    text = fmt::format("nothing can be certified at alpha {:.4g}, delta {:.4g}\n",
                       certificate.target.alpha, certificate.target.delta);
  }
  return text;
}

ResplitReport verify_by_resplits(std::span<const Scored> items, const RiskTarget& target,
                                 size_t splits, uint64_t seed) {
  ResplitReport report;
  report.splits = splits;
  const double delta = target.delta;
  report.bound = delta + 3 * std::sqrt(delta * (1 - delta) /
                                       std::max(1.0, static_cast<double>(splits)));
  std::vector<Scored> all(items.begin(), items.end());
  sort_descending(all);
  const std::vector<size_t> wrong_all = wrong_prefix(all);
  Random random(seed);
  std::vector<Scored> half;
  for (size_t split = 0; split < splits; ++split) {
    // Selection sampling keeps the order, so that nothing is sorted again.
    half.clear();
    size_t wanted = all.size() / 2;
    for (size_t i = 0; i < all.size() && wanted > 0; ++i) {
      if (random.below(all.size() - i) >= wanted) continue;
      half.push_back(all[i]);
      --wanted;
    }
    const auto certified = certify_sorted(half, target);
    if (!certified) continue;
    ++report.certified;
    const auto end = std::partition_point(all.begin(), all.end(), [&](const Scored& item) {
      return item.score >= certified->threshold;
    });
    const auto kept = static_cast<size_t>(end - all.begin());
    const auto share = [](size_t part, size_t whole) {
      return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
    };
    if (share(wrong_all[kept], kept) > target.alpha) ++report.violations;
    const size_t held_kept = kept - certified->kept;
    const size_t held_wrong = wrong_all[kept] - certified->wrong;
    if (share(held_wrong, held_kept) > target.alpha) ++report.held_out_above;
    report.coverage_mean += share(held_kept, all.size() - half.size());
  }
  if (report.certified > 0) report.coverage_mean /= static_cast<double>(report.certified);
  return report;
}

}  // namespace tinyarms::calibration
