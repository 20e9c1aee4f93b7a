// The best assignment of models to tiers under a memory limit: pure arithmetic over options, which
// knows nothing of catalogues.
//
// What a cascade is expected to get right: the larger model is taken to solve what the smaller one
// solves and more, a wrong answer of the small one is passed on with kCaught, a right one with
// kFalseAlarm. With p2 < p3 that is p2 + kCaught × (p3 − p2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tinyarms::advice {

inline constexpr double kCaught = 0.7;
inline constexpr double kFalseAlarm = 0.2;

struct EncoderOption {
  std::string model{};
  std::string quantisation{};
  uint64_t bytes = 0;
  double score = 0;  // larger is better
};

struct GeneratorOption {
  std::string model{};
  std::string quantisation{};
  uint32_t context_tokens = 0;
  uint64_t bytes = 0;
  double accuracy = 0;      // share of questions it gets right by itself
  double seconds = 0;       // an answer takes
  double load_seconds = 0;  // where it is not resident
};

struct ChoiceProblem {
  std::vector<EncoderOption> l1{};
  std::vector<GeneratorOption> l2{};
  std::vector<GeneratorOption> l3{};
  uint64_t free_bytes = 0;
  std::optional<double> l2_seconds_max{};
  std::optional<double> l3_seconds_max{};  // with loading, where it is swapped
};

// Indices into the problem's options; nothing: the tier stays empty.
struct Assignment {
  std::optional<size_t> l1{};
  size_t l2 = 0;
  std::optional<size_t> l3{};
  bool resident = true;  // l2 and l3 together in memory; else they take turns
  uint64_t bytes = 0;
  double accuracy = 0;
  double seconds = 0;  // expected, of a question that reaches l2
  double l1_score = 0;
  uint32_t context_tokens = 0;  // the shorter of the two
};

double cascade_accuracy(double small, double large);
double share_passed_on(double small);

// Nothing where it breaks a limit.
std::optional<Assignment> assess(const ChoiceProblem& problem, const Assignment& picked);

// More accuracy, then a better l1, then fewer seconds, longer context, fewer bytes.
bool is_better(const Assignment& a, const Assignment& b);

// Every assignment of undominated options that keeps the limits.
std::vector<Assignment> sensible_assignments(const ChoiceProblem& problem);

// Nothing where no l2 fits.
std::optional<Assignment> choose(const ChoiceProblem& problem);

// With that l1: those that no other beats in accuracy, seconds and bytes; the most accurate first.
std::vector<Assignment> pareto_front(const ChoiceProblem& problem, std::optional<size_t> l1);

}  // namespace tinyarms::advice
