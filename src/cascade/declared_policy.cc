#include "cascade/declared_policy.h"

#include <fmt/format.h>

#include <algorithm>

namespace tinyarms::cascade {
namespace {

constexpr double kDefaultThreshold = 0.5;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool contains_folded(const std::string& text, const std::string& words) {
  return std::search(text.begin(), text.end(), words.begin(), words.end(),
                     [](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

std::optional<double> smaller(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

// Rules and caches stand below the models: a floor is about which model is asked.
bool is_model(Level level) { return level >= Level::L2; }

// An answer from the cache counts as that of the tier that gave it first.
Level answering_level(Level level, const Attempt& attempt) {
  if (auto first = attempt.evidence.text(signal::kCachedLevel)) {
    return parse_level(*first).value_or(level);
  }
  return level;
}

bool is_exact(const Attempt& attempt) {
  return attempt.evidence.flag(signal::kExact).value_or(false);
}

std::string standing(const Confidence& confidence) {
  std::string text = confidence.calibrated ? "calibrated" : "uncalibrated";
  if (!confidence.certificate.empty()) {
    text += fmt::format(", {}", confidence.certificate);
  }
  return fmt::format("{}; {}", text, confidence.formula);
}

}  // namespace

bool PolicyRule::matches(const std::string& question, const std::string& question_group) const {
  if (group.empty() && words.empty()) return false;
  if (!group.empty() && group != question_group) return false;
  return words.empty() || std::any_of(words.begin(), words.end(), [&](const std::string& word) {
           return contains_folded(question, word);
         });
}

DeclaredPolicy::DeclaredPolicy(const Estimator& estimator, PolicyTerms terms,
                               std::function<double()> chance)
    : estimator_(estimator), terms_(std::move(terms)), chance_(std::move(chance)) {}

const TierTerms* DeclaredPolicy::terms_of(Level level) const {
  const auto known = terms_.tiers.find(level);
  return known == terms_.tiers.end() ? nullptr : &known->second;
}

std::vector<const PolicyRule*> DeclaredPolicy::rules_for(const Situation& at) const {
  const std::string group = group_of(at.request.group, at.so_far);
  std::vector<const PolicyRule*> matching;
  for (const PolicyRule& rule : terms_.rules) {
    if (rule.matches(at.request.question(), group)) matching.push_back(&rule);
  }
  return matching;
}

std::optional<std::string> DeclaredPolicy::skip_reason(const Situation& at) const {
  for (const PolicyRule* rule : rules_for(at)) {
    if (rule->at_least && is_model(at.level) && at.level < *rule->at_least) {
      return fmt::format("“{}” asks for at least {}", rule->name, level_name(*rule->at_least));
    }
    if (rule->at_most && at.level > *rule->at_most) {
      return fmt::format("“{}” allows at most {}", rule->name, level_name(*rule->at_most));
    }
  }
  const TierTerms* terms = terms_of(at.level);
  const auto seconds_max = smaller(at.request.seconds_max, terms_.seconds_max);
  const double takes = terms != nullptr ? terms->seconds.value_or(0) : 0;
  if (seconds_max && is_model(at.level) && at.seconds_spent + takes > *seconds_max) {
    return fmt::format("{:.1f} s of {:.1f} s are spent, and it takes about {:.1f} s",
                       at.seconds_spent, *seconds_max, takes);
  }
  const auto cost_max = smaller(at.request.cost_max, terms_.cost_max);
  if (!cost_max || terms == nullptr) return std::nullopt;
  double spent = 0;
  for (const Step& step : at.so_far) {
    const TierTerms* other = step.decision == Decision::Skip ? nullptr : terms_of(step.level);
    if (other != nullptr) spent += other->price.value_or(0);
  }
  const double price = terms->price.value_or(0);
  if (spent + price <= *cost_max) return std::nullopt;
  return fmt::format("its price of {:.4g} is over the budget: {:.4g} of {:.4g} are spent", price,
                     spent, *cost_max);
}

// Climbing gains accuracy_next − P right answers and costs price_next.
std::optional<DeclaredPolicy::Bar> DeclaredPolicy::threshold_by_worth(Level level) const {
  if (!terms_.worth_of_right || !is_model(level)) return std::nullopt;
  const auto next = terms_.tiers.upper_bound(level);
  if (next == terms_.tiers.end() || !next->second.price || !next->second.accuracy) {
    return std::nullopt;
  }
  const double gain = *next->second.accuracy - *next->second.price / *terms_.worth_of_right;
  return Bar{.value = std::clamp(gain, 0.0, 1.0),
             .owner = fmt::format("what {} would gain ({:.2f} right for {:.4g})",
                                  level_name(next->first), *next->second.accuracy,
                                  *next->second.price)};
}

DeclaredPolicy::Bar DeclaredPolicy::threshold_for(const Situation& at) const {
  const Request& request = at.request;
  const auto routes = request.route_thresholds.find(at.level);
  if (routes != request.route_thresholds.end()) {
    if (auto own = routes->second.find(at.route); own != routes->second.end()) {
      return {.value = own->second, .owner = at.route, .binding = true};
    }
  }
  if (auto own = request.level_thresholds.find(at.level); own != request.level_thresholds.end()) {
    return {.value = own->second, .owner = "", .binding = true};
  }
  if (request.threshold) return {.value = *request.threshold, .owner = "", .binding = true};

  Bar bar;
  bool found = false;
  for (const PolicyRule* rule : rules_for(at)) {
    const auto own = rule->thresholds.find(at.level);
    const auto value = own != rule->thresholds.end() ? std::optional(own->second) : rule->threshold;
    if (!value || (found && *value <= bar.value)) continue;
    bar = {.value = *value, .owner = fmt::format("“{}”", rule->name), .binding = true};
    found = true;
  }
  if (!found) {
    const TierTerms* terms = terms_of(at.level);
    const auto by_worth = threshold_by_worth(at.level);
    bar = by_worth ? *by_worth
                   : Bar{.value = terms != nullptr ? terms->threshold.value_or(kDefaultThreshold)
                                                   : kDefaultThreshold,
                         .owner = ""};
  }
  if (terms_.safe_mode && bar.value < terms_.safe_threshold) {
    return {.value = terms_.safe_threshold, .owner = "the safe setting", .binding = true};
  }
  return bar;
}

// Chance turns a decision that could have gone either way: both ways then have a known propensity.
void DeclaredPolicy::explore(const Situation& at, Verdict& verdict) const {
  if (terms_.explore <= 0 || !chance_ || !at.may_climb) return;
  verdict.propensity = 1 - terms_.explore;
  if (chance_() >= terms_.explore) return;
  verdict.propensity = terms_.explore;
  verdict.action = verdict.action == Action::Keep ? Action::Climb : Action::Keep;
  verdict.reason += fmt::format("; {} by chance, to learn",
                                verdict.action == Action::Keep ? "kept" : "escalated");
}

Verdict DeclaredPolicy::judge(const Situation& at, const Attempt& attempt) const {
  Verdict verdict;
  verdict.confidence = estimator_.estimate(at.level, attempt);
  const Confidence& confidence = verdict.confidence;
  const Bar bar = threshold_for(at);
  verdict.threshold = bar.value;
  const bool reached = confidence.value - confidence.band >= bar.value;
  verdict.action = reached ? Action::Keep : Action::Climb;
  const bool by_luck = !reached && confidence.value >= bar.value;
  verdict.reason = fmt::format("confidence {:.3f} {} threshold {:.3f}{} ({})", confidence.value,
                               reached   ? "reaches"
                               : by_luck ? fmt::format("lies in the guard band of {:.3g} above",
                                                       confidence.band)
                                         : "is below",
                               bar.value,
                               bar.owner.empty() ? "" : fmt::format(" of {}", bar.owner),
                               standing(confidence));
  if (is_exact(attempt)) return verdict;

  if (!(confidence.value >= terms_.withhold_below)) {
    verdict.action = Action::Withhold;
    verdict.reason = fmt::format("confidence {:.3f} is below {:.3f}: no answer is better ({})",
                                 confidence.value, terms_.withhold_below, standing(confidence));
    return verdict;
  }
  for (const PolicyRule* rule : rules_for(at)) {
    const Level level = answering_level(at.level, attempt);
    if (!rule->at_least || level >= *rule->at_least) continue;
    verdict.action = Action::Climb;
    verdict.reason = fmt::format("“{}” asks for at least {}, and this is an answer of {}",
                                 rule->name, level_name(*rule->at_least), level_name(level));
    return verdict;
  }
  if (terms_.certified_only && reached && !confidence.certified) {
    verdict.action = Action::Climb;
    verdict.reason += "; only answers under a certificate are kept";
    return verdict;
  }
  if (!bar.binding) explore(at, verdict);
  return verdict;
}

}  // namespace tinyarms::cascade
