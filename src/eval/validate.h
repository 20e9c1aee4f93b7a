// What quantising costs: a reference model against smaller copies of it, on the same text, the same
// sentence pairs, the same tasks. Differences come with paired 95 % intervals, and a verdict.
// Method and figures: docs/quantisation.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"
#include "engine/perplexity.h"
#include "eval/statistics.h"
#include "eval/task.h"

namespace tinyarms::eval {

struct ModelFile {
  std::string name;  // "q4_k_m"; "self" for the file as it ships
  std::filesystem::path path;
  std::string sha256;
  int fallback_tensors = 0;  // engine::QuantizeReport's
};

// Within: the interval lies above −margin. Worse: it lies below −margin. NotShown: neither.
enum class Finding { Within, NotShown, Worse };

// In points (hundredths): candidate − reference.
struct Difference {
  std::string measure;  // "next token", "spearman", or a task's name
  double reference = 0;
  double candidate = 0;
  double difference = 0;
  Interval interval;
  uint64_t items = 0;       // that both were measured on
  uint64_t unmeasured = 0;  // that one of them could not answer
  Finding finding = Finding::NotShown;
};

struct EncoderAgreement {
  double spearman = 0;
  Interval spearman_interval;
  double cosine_mean = 1;  // between the candidate's vector of a sentence and the reference's
  double cosine_min = 1;
  double sentences_per_second = 0;
};

struct ModelResult {
  ModelFile file;
  std::string quantization;  // what the file says of itself
  uint64_t file_bytes = 0;
  uint64_t memory_bytes = 0;  // planned, for a context of 4096 tokens
  double decode_tokens_per_second = 0;  // 0: not measured
  std::optional<engine::Comparison> language;  // of a generator; the reference against itself: none
  std::optional<engine::Likelihood> likelihood;
  std::optional<EncoderAgreement> encoder;
  std::vector<Difference> differences;
};

struct Validation {
  ModelResult reference;
  std::vector<ModelResult> candidates;
  std::string text_sha256;  // of the text, or the file of pairs
  double margin = 1;        // points
  int threads = 0;
};

struct SentencePair {
  std::string first;
  std::string second;
  double score = 0;  // people's, larger is more alike
};

struct ValidateOptions {
  double margin = 1;  // points
  int threads = 0;
  uint32_t chunk_tokens = 512;
  size_t chunks_max = 0;
  size_t items_max = 0;  // of each task; 0: all
  std::function<void(const std::string& what, size_t done, size_t count)> progress = {};
};

struct TaskItems {
  const Task* task = nullptr;
  std::vector<Item> items;
};

struct ValidateInput {
  ModelFile reference;
  std::vector<ModelFile> candidates;
  std::string_view text;               // generators
  std::vector<TaskItems> tasks = {};   // generators; may be empty
  sandbox::Judge* judge = nullptr;     // not null where there are tasks
  std::vector<SentencePair> pairs = {};  // encoders
};

// Errors: of loading and measuring, the file named; Interrupted.
Result<Validation> validate_generator(const ValidateInput& input, const ValidateOptions& options,
                                      const StopFlag& stop);
Result<Validation> validate_encoder(const ValidateInput& input, const ValidateOptions& options,
                                    const StopFlag& stop);

// The tab-separated file of the STS benchmark: score in the fifth field, sentences in the sixth and
// seventh. Errors: Corrupt (where = "place:line").
Result<std::vector<SentencePair>> parse_sentence_pairs(std::string_view text,
                                                       std::string_view place);

Finding find(const Interval& difference_in_points, double margin);
// Of the difference of two right-or-wrong rates over the same items, in points: Agresti and Min
// (2005), half an item added to each discordant cell, so that few items without a difference do not
// count as a proof that there is none.
Interval paired_interval(const Paired& paired);
std::string_view finding_text(Finding finding);  // "within", "not shown", "worse"

std::string_view validation_text();  // ours, bundled: prose and code, 20 kB and more

std::string validation_as_text(const Validation& validation);
std::string validation_as_json(const Validation& validation);
// Divergence (of encoders: correlation) over the size of the file, as a picture of its own.
std::string validation_as_svg(const Validation& validation);

}  // namespace tinyarms::eval
