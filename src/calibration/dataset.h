// Records as columns: a row a question, for each tier whether it was right, what it cost and what
// was observed. Bench records of one id are joined into one row. Holds numbers only; of texts it
// keeps a hash of the id and counts over the prompt.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "calibration/line_memory.h"
#include "calibration/prompt_features.h"
#include "calibration/record.h"
#include "calibration/record_reader.h"

namespace tinyarms::calibration {

enum class Label : uint8_t { Wrong = 0, Right = 1, Absent = 2 };

struct SignalColumn {
  std::string name{};
  std::vector<double> values{};  // NaN: not measured
};

struct TierColumns {
  std::string name{};
  std::string model_sha{};     // of the first record that says
  std::string quantization{};  //
  std::vector<Label> labels{};  // Absent: this row has no answer of this tier
  std::vector<double> costs{};  // NaN there
  std::vector<SignalColumn> signals{};
  std::vector<std::string> margin_traces{};  // empty unless asked for; "" where not recorded

  const SignalColumn* find(std::string_view signal) const;
};

struct DatasetOptions {
  ReadOptions read{};
  // Where given, other signals are left out.
  std::optional<std::string> only_signal{};
  bool prompt_features = false;
  bool margin_traces = false;
  size_t cells_max = size_t{1} << 28;  // of all columns together, traces at 8 a cell
};

class Dataset {
 public:
  explicit Dataset(DatasetOptions options = {}) : options_(std::move(options)) {}

  // Errors: InvalidArgument where the record has other tiers than the first, or a margin trace that
  // is none; OverBudget.
  Result<void> add(const Record& record);
  // After the last record: fills the columns up and puts bench tiers in order, by name where all
  // are levels (l0 … l4), else by mean cost.
  void finish();

  size_t rows() const { return keys.size(); }
  const TierColumns* find_tier(std::string_view name) const;
  std::string_view group_of(size_t row) const { return groups[group[row]]; }

  std::vector<TierColumns> tiers;  // cheapest first
  std::vector<uint64_t> keys;      // hash of the id: the same in every order of the records
  std::vector<uint32_t> group;     // index into groups
  std::vector<std::string> groups;
  std::vector<PromptFeatures> prompts;  // empty unless asked for
  size_t rows_with_prompt = 0;          // as text

 private:
  Result<size_t> row_of(const Record& record);
  Result<void> add_outcome(TierColumns& tier, const TierOutcome& outcome, size_t row);
  bool add_trace(TierColumns& tier, const std::string& trace, size_t row);
  uint32_t group_index(const std::string& name);

  DatasetOptions options_;
  LineMemory ids_;
  bool bench_ = false;
  size_t cells_ = 0;
};

// Errors: those of the reader; InvalidArgument where there is no record at all.
Result<Dataset> load_dataset(const std::vector<std::string>& files, const DatasetOptions& options);

}  // namespace tinyarms::calibration
