// How many of a few further answers, drawn with some chance, say the same (Wang et al. 2022,
// self-consistency): code by what it does, word problems by their number, texts by their words.
#include "signals/agreement.h"
#include "signals/registry.h"

namespace tinyarms::signals {
namespace {

constexpr int kSamples = 4;
constexpr double kTemperature = 0.7;

Result<std::optional<double>> measure_self_agreement(const Occasion& occasion,
                                                     const Instruments& instruments) {
  if (!instruments.sample) return std::optional<double>();
  const std::string& question = occasion.request.question();
  auto own = answer_key(question, occasion.answer, instruments.judge);
  if (!own) return own.error();
  double sum = 0;
  for (int i = 0; i < kSamples; ++i) {
    if (occasion.stop.raised()) return std::optional<double>();
    auto sample = instruments.sample(kTemperature, static_cast<uint32_t>(i + 1));
    if (!sample) return sample.error();
    auto other = answer_key(question, *sample, instruments.judge);
    if (!other) return other.error();
    sum += agreement(*own, *other);
  }
  return std::optional(sum / kSamples);
}

}  // namespace

const Signal kSelfAgreement = {.name = "self_agreement",
                               .meaning = "agreement with four further answers at temperature 0.7",
                               .low = 0,
                               .high = 1,
                               .cost = Cost::Generations,
                               .measure = measure_self_agreement};

}  // namespace tinyarms::signals
