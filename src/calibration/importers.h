// Published result files as records: RouteLLM's response tables (CSV: prompt, one True/False column
// a model, weak model first) and pairs of evalplus result files (JSON: task → samples with
// "base_status" and "plus_status"). Neither says what an answer cost: the caller does.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "calibration/record.h"

namespace tinyarms::calibration {

struct ImportCosts {
  double small = 1;   // > 0
  double large = 10;  // > 0
};

using RecordSink = std::function<Result<void>(const Record&)>;

// RFC 4180. Rows whose prompt is in `excluded` (contamination) are left out; the id is "row N".
// Errors: Corrupt with the line (no True/False columns, a row of another length, an open quote).
Result<size_t> import_routellm(std::string_view csv, const std::string& where,
                               const std::unordered_set<std::string>& excluded,
                               const ImportCosts& costs, const RecordSink& sink);

// The eval_prompt of each line of RouteLLM's contaminated_prompts.jsonl. Errors: Corrupt.
Result<std::unordered_set<std::string>> read_contaminated(std::string_view jsonl,
                                                          const std::string& where);

struct EvalplusFiles {
  std::string_view small;
  std::string_view large;
};

// Tasks that both files have, first sample; right where base and plus tests pass. Errors: Corrupt.
Result<size_t> import_evalplus(const EvalplusFiles& files, const ImportCosts& costs,
                               const RecordSink& sink);

// One line of the interchange form.
std::string record_json(const Record& record);

}  // namespace tinyarms::calibration
