// One question, what each tier answered to it, and whether that was right: the input of all that
// is fitted, measured or certified. Two forms are read, one JSON object a line (docs/
// calibration-method.md has the full description):
//
//   interchange  {"id", "group", "prompt", "tiers": [{"name", "correct", "cost", "evidence": {}}]}
//                tiers cheapest first; a tier may add "model_sha" and "quantization"
//   bench        {"id", "task", "group", "prompt_sha", "tier", "model_sha", "quantization",
//                 "answer", "evidence": {}, "correct", "seconds", "tokens"}: one tier a line
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tinyarms::calibration {

struct TierOutcome {
  std::string name{};
  bool correct = false;
  double cost = 0;  // > 0; seconds, dollars or tokens, the same for all records
  // Numbers and booleans (as 0 and 1); texts are left out but for the margin trace, null counts as
  // not measured.
  std::vector<std::pair<std::string, double>> evidence{};
  std::string margin_trace{};  // of its tokens (calibration/margin_trace.h); empty: not recorded
  std::string model_sha{};     // empty where the record does not say
  std::string quantization{};  //
  uint64_t answer_key = 0;     // filled in by the reader: of what tells this answer from others
};

struct Record {
  std::string file{};
  uint64_t line = 0;  // 1-based, in its file
  std::string id{};
  std::string group{};       // "" where the record does not say
  std::string prompt{};      // the text, or what stands for it (prompt_sha); may be empty
  bool prompt_is_text = false;
  bool bench = false;  // one tier only; the other tiers' lines share its id
  uint64_t answer_hash = 0;  // bench records: of the answer's text; 0 where there is none
  std::vector<TierOutcome> tiers{};
  uint64_t id_key = 0;  // filled in by the reader: of the id, and of a bench record's tier
};

}  // namespace tinyarms::calibration
