// Any bytes as a calibrator file, a certificate or a measurement of jitter: what is accepted gives
// probabilities strictly between 0 and 1 for any evidence, and comes back the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "calibration/calibrator_file.h"
#include "calibration/certificate.h"
#include "calibration/jitter.h"

using namespace tinyarms::calibration;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto certificate = parse_certificate(text, "fuzzed")) {
    if (!parse_certificate(certificate_json(*certificate), "again")) std::abort();
  }
  if (const auto jitter = parse_jitter(text, "fuzzed")) {
    if (!parse_jitter(jitter_json(*jitter), "again")) std::abort();
  }
  const auto set = parse_calibrators(text, "fuzzed");
  if (!set) return 0;
  for (const double value : {-1e300, -1.0, 0.0, 0.5, 1.0, 1e300}) {
    const double p = set->pooled.calibrator(
        [&](std::string_view) { return std::optional<double>(value); });
    if (!(p > 0 && p < 1)) std::abort();
  }
  const double p = set->pooled.calibrator([](std::string_view) { return std::nullopt; });
  if (!(p > 0 && p < 1)) std::abort();
  if (!parse_calibrators(calibrators_json(*set), "again")) std::abort();
  return 0;
}
