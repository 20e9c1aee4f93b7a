// Any bytes as a record file: what is read has the promised properties and can be written again.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "calibration/dataset.h"
#include "calibration/importers.h"
#include "calibration/record_reader.h"

using tinyarms::Result;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::istringstream input(text);
  tinyarms::calibration::RecordReader reader;
  tinyarms::calibration::Dataset dataset({.prompt_features = true});
  (void)reader.read(input, "fuzzed", [&](const tinyarms::calibration::Record& record) {
    if (record.id.empty() || record.tiers.empty()) std::abort();
    for (const auto& tier : record.tiers) {
      if (!(tier.cost > 0) || !std::isfinite(tier.cost)) std::abort();
      for (const auto& [name, value] : tier.evidence) {
        if (!std::isfinite(value)) std::abort();
      }
    }
    tinyarms::calibration::RecordReader again;
    if (!again.read_line(tinyarms::calibration::record_json(record), 1, "again")) std::abort();
    return dataset.add(record);
  });
  dataset.finish();
  const auto nothing = [](const tinyarms::calibration::Record&) { return Result<void>(); };
  (void)tinyarms::calibration::import_routellm(text, "fuzzed", {}, {}, nothing);
  (void)tinyarms::calibration::import_evalplus({text, text}, {}, nothing);
  return 0;
}
