// The fields of one record line, in either form (record.h). Knows nothing of other lines.
#pragma once

#include <string_view>

#include "base/result.h"
#include "calibration/record.h"
#include "calibration/record_reader.h"

namespace tinyarms::calibration {

// Fills `record` (its strings are reused). The error's `where` is left to the caller.
Result<void> parse_record(std::string_view line, CostUnit unit, Record& record);

}  // namespace tinyarms::calibration
