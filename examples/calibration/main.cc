// Fits P(right) to the records named on the command line and asks it about one new answer.
#include <cstdio>
#include <optional>

#include "calibration/calibrator_file.h"
#include "calibration/dataset.h"
#include "calibration/training_set.h"

namespace calibration = tinyarms::calibration;

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s RECORDS.jsonl\n", argv[0]), 2;
  const auto fail = [](const tinyarms::Error& error) {
    std::fprintf(stderr, "%s\n", error.message().c_str());
    return 1;
  };
  const auto data = calibration::load_dataset({argv[1]}, {});
  if (!data) return fail(data.error());
  const auto set = calibration::training_set(*data, data->tiers.front(), {"confidence"});
  if (!set) return fail(set.error());
  const auto fit = calibration::fit_calibrator_set(*set, {});
  if (!fit) return fail(fit.error());

  const calibration::Calibrator& calibrator = fit->set.for_group("code");
  const double p = calibrator([](std::string_view signal) {
    return signal == "confidence" ? std::optional(0.9) : std::nullopt;
  });
  std::printf("%s, P(right) at confidence 0.9: %.3f\n",
              std::string(calibration::family_name(calibrator.family())).c_str(), p);
  return 0;
}
