// One climb of the cascade, reduced to what is counted: small enough to hold many thousands of
// them in memory. Made from what the decision log keeps; no text of a question is in it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/decision_log.h"

namespace tinyarms::telemetry {

inline constexpr size_t kTiers = 5;
inline constexpr size_t kFirstModelTier = 2;  // those before it write nothing of their own
std::string_view tier_name(size_t tier);  // "l0" … "l4"

enum class Verdict { Accept, Escalate, Abstain, Fail, Skip, Interrupt };
enum class Remembered { No, Exact, Similar };  // whether L1's answer was given before

struct CountedStep {
  size_t tier = 0;  // < kTiers
  Verdict verdict = Verdict::Skip;
  bool answered = false;
  bool calibrated = false;
  Remembered remembered = Remembered::No;
  std::string source{};
  std::optional<double> confidence{};
  std::optional<double> threshold{};
  double seconds = 0;
  int64_t tokens = 0;
  bool stopped_early = false;      // given up by a running test
  std::optional<bool> finished{};  // nothing: not measured
  std::optional<bool> parses{};
  std::optional<bool> good{};      // the last outcome told
};

struct Counted {
  std::string id{};
  double at = 0;            // seconds since 1970 UTC
  std::string question{};   // a prefix of its hash: equal where the same was asked
  int64_t question_bytes = 0;
  std::string group{};      // kind of question; empty: not known
  std::optional<size_t> winner{};  // of the steps
  bool sure = false;
  std::vector<CountedStep> steps{};

  double seconds() const;    // of all steps
  bool escalated() const;    // a model's answer was not kept and the next tier was asked
};

// Steps of levels that are none are left out.
Counted counted(const storage::LoggedDecision& logged);

}  // namespace tinyarms::telemetry
