// What a question costs, tier by tier and by this user's own use of them: seconds, energy, money;
// and what asking the largest model, or a named API, every time would. Pure computation.
//
// Of a tier whose model was measured: prompt / rate read + answer / rate written, with the answer's
// length as the log has it. Else the mean of the seconds in the log. A question costs what all
// tiers that it asks cost, so a tier counts by the share of questions that asked it. Money is
// seconds × hardware a second + energy × its price, or a remote's tokens × its price.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "storage/spending.h"
#include "telemetry/usage.h"

namespace tinyarms::telemetry {

inline constexpr double kBytesAToken = 4;  // assumed of a question's text

using storage::TokenPrice;

// What serves a tier. Rates are a second, as measured; 0: not measured.
struct TierTerms {
  std::string model{};  // for people; empty: rules, or nothing is configured
  double prompt_tokens_rate = 0;
  double answer_tokens_rate = 0;
  std::optional<double> watts{};    // measured
  bool remote = false;              // its time is waiting: no energy and no hardware of ours
  std::optional<TokenPrice> price{};  // of a remote model, where it is known
};

struct CostTerms {
  std::array<TierTerms, kTiers> tiers{};
  double watts_assumed = 0;       // where none were measured
  double dollars_a_kwh = 0;
  double dollars_a_second = 0;    // of hardware at work
  std::string api{};              // the API to compare with; empty: none
  TokenPrice api_price{};
};

struct Spent {
  double seconds = 0;
  double watt_hours = 0;
  double dollars = 0;
};

struct TierCost {
  size_t tier = 0;
  double asked_share = 0;     // of all questions
  double answer_tokens = 0;   // mean of its answers, or of all models' where it gave none
  bool measured = false;      // seconds by `models measure`; else by the log
  bool watts_measured = false;
  bool priced = true;         // false: a remote whose price is not known, counted as 0
  Spent each{};               // of asking it once
};

struct QueryCosts {
  size_t questions = 0;
  double prompt_tokens = 0;      // of a question, by its length
  double answer_tokens = 0;      // of a model's answer; kAnswerTokensAssumed where there is none
  std::vector<TierCost> tiers{};  // those that were asked, and the largest that could be
  Spent query{};                 // a question as they are answered now
  std::optional<size_t> large{};  // index into `tiers` of the largest local model
  Spent always_large{};          // a question asked of it alone
  std::optional<double> api_dollars{};  // of a question, where an API is named
};

inline constexpr double kAnswerTokensAssumed = 64;  // before a model has answered anything

QueryCosts query_costs(const Usage& usage, const CostTerms& terms);

}  // namespace tinyarms::telemetry
