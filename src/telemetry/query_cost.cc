#include "telemetry/query_cost.h"

#include <algorithm>

namespace tinyarms::telemetry {
namespace {

double ratio(double part, double whole, double otherwise) {
  return whole > 0 ? part / whole : otherwise;
}

// Tokens without an answer are those of one that failed: they tell no length.
double answer_length(int64_t tokens, size_t answers, double otherwise) {
  if (tokens == 0 || answers == 0) return otherwise;
  return static_cast<double>(tokens) / static_cast<double>(answers);
}

void add(Spent& sum, const Spent& each, double share) {
  sum.seconds += share * each.seconds;
  sum.watt_hours += share * each.watt_hours;
  sum.dollars += share * each.dollars;
}

// Local tiers compute: time, energy, the machine's wear. Remote ones are waited for, and paid.
class Costing {
 public:
  Costing(const Usage& usage, const CostTerms& terms) : usage_(usage), terms_(terms) {
    const Totals& all = usage.all;
    const double questions = static_cast<double>(all.decisions);
    costs_.questions = all.decisions;
    costs_.prompt_tokens = ratio(all.question_bytes, questions * kBytesAToken, 0);
    int64_t tokens = 0;
    size_t answers = 0;
    for (size_t i = kFirstModelTier; i < kTiers; ++i) {
      tokens += all.tiers[i].tokens;
      answers += all.tiers[i].answered;
    }
    costs_.answer_tokens = answer_length(tokens, answers, kAnswerTokensAssumed);
  }

  QueryCosts run() {
    const auto large = largest();
    for (size_t i = 0; i < kTiers; ++i) {
      if (usage_.all.tiers[i].asked == 0 && i != large) continue;
      const TierCost cost = tier_cost(i);
      add(costs_.query, cost.each, cost.asked_share);
      if (i == large) {
        costs_.large = costs_.tiers.size();
        costs_.always_large = cost.each;
      }
      costs_.tiers.push_back(cost);
    }
    if (!terms_.api.empty()) {
      costs_.api_dollars = money(terms_.api_price, costs_.answer_tokens);
    }
    return std::move(costs_);
  }

 private:
  // The highest local tier of models that was measured or has answered.
  std::optional<size_t> largest() const {
    for (size_t i = kTiers; i-- > kFirstModelTier;) {
      const TierTerms& terms = terms_.tiers[i];
      const bool used = usage_.all.tiers[i].answered > 0;
      if (!terms.remote && (used || terms.answer_tokens_rate > 0)) return i;
    }
    return std::nullopt;
  }

  double money(const TokenPrice& price, double answer_tokens) const {
    return price.of(costs_.prompt_tokens, answer_tokens);
  }

  TierCost tier_cost(size_t index) const {
    const TierTerms& terms = terms_.tiers[index];
    const TierUsage& used = usage_.all.tiers[index];
    TierCost cost{.tier = index};
    cost.asked_share = ratio(static_cast<double>(used.asked),
                             static_cast<double>(usage_.all.decisions), 0);
    if (index >= kFirstModelTier) {
      cost.answer_tokens = answer_length(used.tokens, used.answered, costs_.answer_tokens);
    }
    cost.each.seconds = seconds_of(terms, used, cost);
    if (terms.remote) {
      cost.priced = terms.price.has_value();
      if (terms.price) cost.each.dollars = money(*terms.price, cost.answer_tokens);
      return cost;
    }
    cost.watts_measured = terms.watts.has_value();
    cost.each.watt_hours =
        cost.each.seconds * terms.watts.value_or(terms_.watts_assumed) / 3600;
    cost.each.dollars = cost.each.seconds * terms_.dollars_a_second +
                        cost.each.watt_hours / 1000 * terms_.dollars_a_kwh;
    return cost;
  }

  double seconds_of(const TierTerms& terms, const TierUsage& used, TierCost& cost) const {
    cost.measured = true;
    if (terms.prompt_tokens_rate > 0 && terms.answer_tokens_rate > 0) {
      return costs_.prompt_tokens / terms.prompt_tokens_rate +
             cost.answer_tokens / terms.answer_tokens_rate;
    }
    cost.measured = false;
    return used.seconds.mean;
  }

  const Usage& usage_;
  const CostTerms& terms_;
  QueryCosts costs_;
};

}  // namespace

QueryCosts query_costs(const Usage& usage, const CostTerms& terms) {
  return Costing(usage, terms).run();
}

}  // namespace tinyarms::telemetry
