#include "tiers/specialists.h"

#include <fmt/format.h>

#include <algorithm>

#include "intent/language.h"

namespace tinyarms::tiers {
namespace {

namespace signal = cascade::signal;

// What L1 took the question for; an intent that nobody gave a probability is taken as it is.
struct Told {
  std::string intent;
  std::optional<double> probability;
};

std::optional<Told> told_intent(const cascade::Request& request, const cascade::Trace& so_far) {
  if (!request.group.empty()) return Told{request.group, std::nullopt};
  for (auto step = so_far.rbegin(); step != so_far.rend(); ++step) {
    const cascade::Evidence& evidence = step->attempt.evidence;
    if (auto intent = evidence.text(signal::kIntent)) {
      return Told{std::move(*intent), evidence.number(signal::kIntentProbability)};
    }
  }
  return std::nullopt;
}

}  // namespace

Specialists::Specialists(ModelRef usual, std::vector<Specialist> models, double certainty_min)
    : usual_(std::move(usual)), models_(std::move(models)), certainty_min_(certainty_min) {
  std::erase_if(models_, [](const Specialist& one) { return !one.model.configured(); });
  by_language_ = std::any_of(models_.begin(), models_.end(), [](const Specialist& one) {
    return one.kind == kForeignRoute || one.kind.starts_with(kLanguageRoute);
  });
}

const Specialist* Specialists::find(std::string_view kind) const {
  for (const Specialist& one : models_) {
    if (one.kind == kind) return &one;
  }
  return nullptr;
}

ModelChoice Specialists::usual(std::string why) const {
  return {.model = usual_, .route = {.name = "", .why = std::move(why)}};
}

ModelChoice Specialists::take(const Specialist& specialist, std::string_view because) const {
  if (!specialist.model.problem) {
    return {.model = specialist.model,
            .route = {.name = specialist.kind,
                      .why = fmt::format("{} → {}", because, specialist.model.name)}};
  }
  ModelChoice choice = usual(fmt::format("{}, but {} cannot be used → {}", because,
                                         specialist.setting, usual_.name));
  choice.notice = fmt::format("{}: {}; {} answered instead", specialist.setting,
                              specialist.model.problem->message(), usual_.name);
  return choice;
}

const Specialist* Specialists::by_language(const std::string& language) const {
  const Specialist* own = find(std::string(kLanguageRoute) + language);
  return own != nullptr || language == "en" ? own : find(kForeignRoute);
}

ModelChoice Specialists::by_intent(const cascade::Request& request,
                                   const cascade::Trace& so_far) const {
  const auto told = told_intent(request, so_far);
  const Specialist* specialist = told ? find(told->intent) : nullptr;
  if (specialist == nullptr) {
    return usual(told ? fmt::format("{} has no specialist → {}", told->intent, usual_.name) : "");
  }
  if (!told->probability) return take(*specialist, told->intent);
  const std::string said = fmt::format("{} {:.2f}", told->intent, *told->probability);
  if (*told->probability >= certainty_min_) return take(*specialist, said);
  return usual(fmt::format("{} is below {:.2f} → {}", said, certainty_min_, usual_.name));
}

ModelChoice Specialists::choose(const cascade::Request& request,
                                const cascade::Trace& so_far) const {
  if (models_.empty() || request.prefix) return usual();
  if (by_language_) {
    const auto language = intent::language_of(request.question());
    const Specialist* one = language ? by_language(*language) : nullptr;
    if (one != nullptr) return take(*one, "language " + *language);
  }
  const Specialist* tools = request.order.may_call() ? find(kToolsRoute) : nullptr;
  if (tools != nullptr) return take(*tools, "tools are offered");
  return by_intent(request, so_far);
}

std::string Specialists::describe() const {
  std::string text = usual_.describe();
  for (const Specialist& one : models_) {
    text += fmt::format(", {} for {}", one.model.describe(), one.kind);
  }
  return text;
}

}  // namespace tinyarms::tiers
