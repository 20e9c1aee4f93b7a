// One line of a run's records: what one tier made of one item, whether it was right, what it cost.
// Schema 1 (docs/bench.md); src/calibration reads these lines as its bench form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cascade/evidence.h"

namespace tinyarms::eval {

inline constexpr int kRecordSchema = 1;

struct BenchRecord {
  std::string id;  // task/item, "#2" after it from the second sample on
  std::string task;
  std::string item;
  std::string group;
  int sample = 0;
  std::string subject;
  std::string prompt_sha;
  std::string tier;
  std::string model_sha;
  std::string quantization;
  std::string answer;
  cascade::Evidence evidence;
  bool correct = false;
  std::string reason;
  bool kept = false;  // the subject's answer; earlier tiers' drafts come before it
  int64_t prompt_tokens = 0;
  int64_t tokens = 0;  // generated
  // Measurements: all else is the same in two runs at temperature 0 and one thread.
  double seconds = 0;  // > 0
  uint64_t peak_memory_bytes = 0;  // of this process since the subject was loaded
};

// Ends with a newline. Invalid UTF-8 in the answer is replaced.
std::string record_line(const BenchRecord& record);

// Errors: Corrupt (not JSON, a field missing or of the wrong kind), Unsupported (another schema);
// the caller knows where.
Result<BenchRecord> parse_bench_record(std::string_view line);

// An item that could not be measured, and why. Not an outcome: calibration never sees it.
struct Unmeasured {
  std::string id;
  std::string task;
  std::string group;
  std::string code;  // error_code_name
  std::string why;
};

std::string unmeasured_line(const Unmeasured& failure);
Result<Unmeasured> parse_unmeasured(std::string_view line);

}  // namespace tinyarms::eval
