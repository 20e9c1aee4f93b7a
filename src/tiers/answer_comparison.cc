#include "tiers/answer_comparison.h"

#include "signals/agreement.h"
#include "signals/probing.h"
#include "signals/registry.h"

namespace tinyarms::tiers {
namespace {

using signals::AnswerKey;

// Without the question's own examples the code itself would have to be the same.
Result<std::optional<double>> agreement_of(const std::string& question, const std::string& first,
                                           const std::string& second, sandbox::Judge* judge) {
  auto one = signals::answer_key(question, first, judge);
  if (!one) return one.error();
  auto two = signals::answer_key(question, second, judge);
  if (!two) return two.error();
  const bool code = one->kind == AnswerKey::Kind::Code && two->kind == AnswerKey::Kind::Code;
  if (judge != nullptr && code && one->text != two->text) {
    auto probed = signals::agreement_on_probes(question, first, second, *judge);
    if (!probed || *probed) return probed;
  }
  return std::optional(signals::agreement(*one, *two));
}

// What an answer does of the question's examples; nothing where there are none, or no code.
std::optional<double> holds(const cascade::Request& request, const std::string& answer,
                            sandbox::Judge* judge, std::string& problem) {
  const cascade::Trace nothing;
  const StopFlag never;
  const auto share = signals::kExamplesPass.measure(
      {.request = request, .so_far = nothing, .answer = answer, .stop = never}, {.judge = judge});
  if (share) return *share;
  problem = share.error().message();
  return std::nullopt;
}

}  // namespace

cascade::CompareAnswers compare_answers(sandbox::Judge* judge) {
  return [judge](const cascade::Request& request, const cascade::Attempt& first,
                 const cascade::Attempt& second) {
    cascade::Likeness likeness;
    auto agreement = agreement_of(request.question(), first.answer, second.answer, judge);
    if (agreement) {
      likeness.agreement = *agreement;
    } else {
      likeness.problem = agreement.error().message();
    }
    likeness.first_holds = holds(request, first.answer, judge, likeness.problem);
    if (!likeness.first_holds) return likeness;
    likeness.second_holds = holds(request, second.answer, judge, likeness.problem);
    // An answer without any code keeps to none of them.
    if (!likeness.second_holds && likeness.problem.empty()) likeness.second_holds = 0.0;
    return likeness;
  };
}

}  // namespace tinyarms::tiers
