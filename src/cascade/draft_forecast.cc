#include "cascade/draft_forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tinyarms::cascade {
namespace {

constexpr double kFirstLook = 8;
// Short batches prefill more slowly than long ones, which the speed was measured on.
constexpr double kShortBatch = 1.3;
// Old drafts count less than new ones: together never more than this many partings.
constexpr double kPartingsMax = 16;

// Expected agreeing tokens before the first that does not: a + a² + … + a^n.
double expected_run(double chance, double tokens) {
  if (chance >= 1) return tokens;
  return chance * (1 - std::pow(chance, tokens)) / (1 - chance);
}

}  // namespace

void AgreementMemory::add(int agreed, bool parted) {
  agreed_ += std::max(agreed, 0);
  partings_ += parted ? 1 : 0;
  const double scale = std::min(1.0, kPartingsMax / partings_);
  agreed_ *= scale;
  partings_ *= scale;
}

// So that a model whose drafts were of no use for a while is tried again some day.
void AgreementMemory::skip() {
  constexpr double kKept = 0.95;
  agreed_ = kKept * agreed_ + (1 - kKept) * kAgreedFirst;
  partings_ = kKept * partings_ + (1 - kKept);
}

double AgreementMemory::chance() const { return agreed_ / (agreed_ + partings_); }

DraftForecast foretell(const DraftQuestion& question) {
  DraftForecast forecast;
  const Speeds& speeds = question.speeds;
  if (question.draft_tokens < 1) {
    forecast.explanation = "there is no draft to look at";
    return forecast;
  }
  if (!(speeds.prefill > 0) || !(speeds.decode > 0)) {
    forecast.worth_it = true;
    forecast.explanation = "tried: no speed has been measured yet";
    return forecast;
  }
  const double tokens = question.draft_tokens;
  forecast.agreed = expected_run(std::clamp(question.agreement, 0.0, 1.0), tokens);
  const double looked = std::min(tokens, kFirstLook + 2 * forecast.agreed);
  const double prompt = question.prompt_tokens / speeds.prefill;
  const double without = prompt + tokens / speeds.decode;
  const double with = prompt + kShortBatch * looked / speeds.prefill +
                      (tokens - forecast.agreed) / speeds.decode;
  forecast.ratio = with / without;
  forecast.worth_it = forecast.ratio <= 1;
  forecast.explanation = fmt::format(
      "{}: {:.0f} of {:.0f} tokens may stand, {:.2f} times the time (prefill {:.0f}, decode {:.0f} "
      "tokens/s)",
      forecast.worth_it ? "tried" : "not tried", forecast.agreed, tokens, forecast.ratio,
      speeds.prefill, speeds.decode);
  return forecast;
}

}  // namespace tinyarms::cascade
