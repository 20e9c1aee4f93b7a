#include "telemetry/query_cost_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace tinyarms::telemetry {
namespace {

using CostJson = nlohmann::ordered_json;

std::string spent_text(const Spent& spent) {
  return fmt::format("{:>10.3g} {:>10.3g} {:>10.3g}", spent.seconds, 1000 * spent.watt_hours,
                     1000 * spent.dollars);
}

std::string basis_text(const TierCost& cost, const TierTerms& terms, double watts_assumed) {
  if (terms.remote) {
    return cost.priced ? "its price" : "its price is not known: counted as 0";
  }
  return fmt::format("{}, {:.3g} W {}", cost.measured ? "models measure" : "the log",
                     terms.watts.value_or(watts_assumed),
                     cost.watts_measured ? "measured" : "assumed");
}

// "80 %", of what the other way takes; empty where that takes nothing.
std::string part_text(const char* verb, double now, double instead, const char* of) {
  if (!(instead > 0)) return "";
  return fmt::format("  this {} {:.0f} % of its {}", verb, 100 * now / instead, of);
}

CostJson spent_json(const Spent& spent) {
  return {{"seconds", spent.seconds},
          {"watt_hours", spent.watt_hours},
          {"dollars", spent.dollars}};
}

CostJson saved_json(double now, double instead) {
  return instead > 0 ? CostJson((instead - now) / instead) : CostJson(nullptr);
}

}  // namespace

std::string cost_text(const QueryCosts& costs, const CostTerms& terms) {
  if (costs.questions == 0) return "";
  std::string text = fmt::format(
      "\ncost of a question (about {:.0f} tokens, by its length; {:.0f} in an answer)\n"
      "{:4} {:32} {:>6} {:>10} {:>10} {:>10}  by\n",
      costs.prompt_tokens, costs.answer_tokens, "tier", "model", "asked", "seconds", "mWh",
      "$/1000");
  for (const TierCost& cost : costs.tiers) {
    const TierTerms& tier = terms.tiers[cost.tier];
    text += fmt::format("{:4} {:32} {:>4.0f} % {}  {}\n", tier_name(cost.tier), tier.model,
                        100 * cost.asked_share, spent_text(cost.each),
                        basis_text(cost, tier, terms.watts_assumed));
  }
  text += fmt::format("{:44} {}\n", "as answered now", spent_text(costs.query));
  if (costs.large) {
    const std::string name =
        fmt::format("always {}", tier_name(costs.tiers[*costs.large].tier));
    text += fmt::format("{:44} {}{}\n", name, spent_text(costs.always_large),
                        part_text("takes", costs.query.seconds, costs.always_large.seconds,
                                  "time"));
  }
  if (costs.api_dollars) {
    text += fmt::format("{:44} {:>10} {:>10} {:>10.3g}{}\n", "always " + terms.api, "-", "-",
                        1000 * *costs.api_dollars,
                        part_text("costs", costs.query.dollars, *costs.api_dollars, "price"));
  }
  return text;
}

CostJson cost_json(const QueryCosts& costs, const CostTerms& terms) {
  if (costs.questions == 0) return nullptr;
  CostJson tiers = CostJson::array();
  for (const TierCost& cost : costs.tiers) {
    const TierTerms& tier = terms.tiers[cost.tier];
    CostJson one = {{"tier", tier_name(cost.tier)},
                    {"model", tier.model.empty() ? CostJson(nullptr) : CostJson(tier.model)},
                    {"asked_share", cost.asked_share},
                    {"answer_tokens", cost.answer_tokens},
                    {"seconds_by", cost.measured ? "models measure" : "log"},
                    {"watts", tier.remote ? CostJson(nullptr)
                                          : CostJson(tier.watts.value_or(terms.watts_assumed))},
                    {"watts_by", tier.remote ? CostJson(nullptr)
                                             : CostJson(cost.watts_measured ? "rapl"
                                                                            : "assumed")},
                    {"priced", cost.priced}};
    one.update(spent_json(cost.each));
    tiers.push_back(std::move(one));
  }
  CostJson json = {{"prompt_tokens", costs.prompt_tokens},
                   {"answer_tokens", costs.answer_tokens},
                   {"dollars_a_kwh", terms.dollars_a_kwh},
                   {"dollars_a_second", terms.dollars_a_second},
                   {"tiers", std::move(tiers)},
                   {"question", spent_json(costs.query)},
                   {"always_large", nullptr},
                   {"always_api", nullptr}};
  if (costs.large) {
    CostJson large = {{"tier", tier_name(costs.tiers[*costs.large].tier)}};
    large.update(spent_json(costs.always_large));
    large["share_of_seconds_saved"] =
        saved_json(costs.query.seconds, costs.always_large.seconds);
    json["always_large"] = std::move(large);
  }
  if (costs.api_dollars) {
    json["always_api"] = {
        {"model", terms.api},
        {"dollars", *costs.api_dollars},
        {"share_of_dollars_saved", saved_json(costs.query.dollars, *costs.api_dollars)}};
  }
  return json;
}

}  // namespace tinyarms::telemetry
