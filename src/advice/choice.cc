#include "advice/choice.h"

#include <algorithm>
#include <tuple>

namespace tinyarms::advice {
namespace {

// At least as good in everything that any objective or limit looks at.
bool dominates(const GeneratorOption& a, const GeneratorOption& b) {
  return a.accuracy >= b.accuracy && a.seconds <= b.seconds &&
         a.load_seconds <= b.load_seconds && a.context_tokens >= b.context_tokens &&
         a.bytes <= b.bytes;
}
bool dominates(const EncoderOption& a, const EncoderOption& b) {
  return a.score >= b.score && a.bytes <= b.bytes;
}

// Of equals the first stays.
template <typename Option>
std::vector<size_t> undominated(const std::vector<Option>& options) {
  std::vector<size_t> kept;
  for (size_t i = 0; i < options.size(); ++i) {
    bool beaten = false;
    for (size_t j = 0; j < options.size() && !beaten; ++j) {
      beaten = i != j && dominates(options[j], options[i]) &&
               (!dominates(options[i], options[j]) || j < i);
    }
    if (!beaten) kept.push_back(i);
  }
  return kept;
}

std::vector<std::optional<size_t>> with_none(const std::vector<size_t>& indices) {
  std::vector<std::optional<size_t>> all = {std::nullopt};
  all.insert(all.end(), indices.begin(), indices.end());
  return all;
}

bool no_worse(const Assignment& a, const Assignment& b) {
  return a.accuracy >= b.accuracy && a.bytes <= b.bytes && a.seconds <= b.seconds;
}

}  // namespace

double share_passed_on(double small) { return (1 - small) * kCaught + small * kFalseAlarm; }

double cascade_accuracy(double small, double large) {
  if (large >= small) return small + kCaught * (large - small);
  return small * (1 - kFalseAlarm) + kFalseAlarm * large;
}

std::optional<Assignment> assess(const ChoiceProblem& problem, const Assignment& picked) {
  Assignment result = picked;
  const GeneratorOption& small = problem.l2[picked.l2];
  if (problem.l2_seconds_max && small.seconds > *problem.l2_seconds_max) return std::nullopt;
  result.accuracy = small.accuracy;
  result.seconds = small.seconds;
  result.context_tokens = small.context_tokens;
  uint64_t generators = small.bytes;
  if (picked.l3) {
    const GeneratorOption& large = problem.l3[*picked.l3];
    const double seconds = large.seconds + (picked.resident ? 0 : large.load_seconds);
    if (problem.l3_seconds_max && seconds > *problem.l3_seconds_max) return std::nullopt;
    result.accuracy = cascade_accuracy(small.accuracy, large.accuracy);
    result.seconds += share_passed_on(small.accuracy) * seconds;
    result.context_tokens = std::min(small.context_tokens, large.context_tokens);
    generators = picked.resident ? small.bytes + large.bytes : std::max(small.bytes, large.bytes);
  } else if (!picked.resident) {
    return std::nullopt;
  }
  result.bytes = generators;
  result.l1_score = 0;
  if (picked.l1) {
    result.bytes += problem.l1[*picked.l1].bytes;
    result.l1_score = problem.l1[*picked.l1].score;
  }
  if (result.bytes > problem.free_bytes) return std::nullopt;
  return result;
}

bool is_better(const Assignment& a, const Assignment& b) {
  // Smaller is better in each.
  const auto key = [](const Assignment& x) {
    return std::tuple(-x.accuracy, -x.l1_score, x.seconds, -static_cast<double>(x.context_tokens),
                      x.bytes);
  };
  return key(a) < key(b);
}

std::vector<Assignment> sensible_assignments(const ChoiceProblem& problem) {
  std::vector<Assignment> found;
  const auto encoders = with_none(undominated(problem.l1));
  const auto large = with_none(undominated(problem.l3));
  for (const size_t l2 : undominated(problem.l2)) {
    for (const auto& l3 : large) {
      for (const auto& l1 : encoders) {
        for (const bool resident : {true, false}) {
          const auto assessed = assess(problem, {.l1 = l1, .l2 = l2, .l3 = l3,
                                                 .resident = resident});
          if (assessed) found.push_back(*assessed);
        }
      }
    }
  }
  return found;
}

std::optional<Assignment> choose(const ChoiceProblem& problem) {
  std::optional<Assignment> best;
  for (const Assignment& candidate : sensible_assignments(problem)) {
    if (!best || is_better(candidate, *best)) best = candidate;
  }
  return best;
}

std::vector<Assignment> pareto_front(const ChoiceProblem& problem, std::optional<size_t> l1) {
  std::vector<Assignment> all = sensible_assignments(problem);
  std::erase_if(all, [&](const Assignment& one) { return one.l1 != l1; });
  // In this order whoever beats another comes before it.
  std::stable_sort(all.begin(), all.end(), [](const Assignment& a, const Assignment& b) {
    return std::tuple(-a.accuracy, a.seconds, a.bytes) <
           std::tuple(-b.accuracy, b.seconds, b.bytes);
  });
  std::vector<Assignment> front;
  for (const Assignment& candidate : all) {
    const bool beaten = std::any_of(front.begin(), front.end(), [&](const Assignment& other) {
      return no_worse(other, candidate);
    });
    if (!beaten) front.push_back(candidate);
  }
  return front;
}

}  // namespace tinyarms::advice
