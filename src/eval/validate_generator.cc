#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/sha256.h"
#include "engine/generator.h"
#include "engine/memory_plan.h"
#include "eval/model_subject.h"
#include "eval/validate.h"
#include "sandbox/judge.h"

namespace tinyarms::eval {
namespace {

constexpr uint32_t kPlannedContext = 4096;
constexpr uint32_t kPlannedBatch = 512;
constexpr int kDecodedTokens = 64;
// Resampling fewer chunks than this would show an interval that the data do not have.
constexpr size_t kChunksMin = 8;

ModelResult describe(const ModelFile& file, const engine::ModelFacts& facts) {
  ModelResult result;
  result.file = file;
  result.quantization = facts.quantization;
  result.file_bytes = facts.file_bytes;
  result.memory_bytes = engine::plan_memory(facts, kPlannedContext, kPlannedBatch).total();
  return result;
}

// Greedy tokens a second after the first; 0 for a model that cannot chat.
Result<double> decode_speed(const engine::LanguageModel& model, int threads,
                            const StopFlag& stop) {
  auto generator = engine::Generator::create(model, {.context_tokens = 512, .threads = threads});
  if (!generator) return generator.error();
  const std::vector<engine::ChatMessage> messages = {
      {"user", "Tell a long story about a lighthouse keeper and a storm."}};
  auto generation =
      (*generator)->generate(messages, {.tokens_max = kDecodedTokens}, stop, {});
  if (!generation && generation.error().code == ErrorCode::Unsupported) return 0.0;
  if (!generation) return generation.error();
  return generation->decode_seconds > 0 && generation->completion_tokens > 1
             ? (generation->completion_tokens - 1) / generation->decode_seconds
             : 0.0;
}

// How often the text's next token was the first choice, in points. The interval is the bootstrap
// over chunks: tokens of one chunk hang together.
Difference next_token(const engine::Comparison& comparison, double margin) {
  Difference result;
  result.measure = "next token";
  std::vector<double> differences;
  size_t tokens = 0;
  size_t reference = 0;
  size_t candidate = 0;
  for (const engine::ChunkCounts& chunk : comparison.chunks) {
    differences.push_back(100 * (static_cast<double>(chunk.candidate_right) -
                                 static_cast<double>(chunk.reference_right)) /
                          static_cast<double>(chunk.tokens));
    tokens += chunk.tokens;
    reference += chunk.reference_right;
    candidate += chunk.candidate_right;
  }
  result.items = tokens;
  result.reference = 100 * static_cast<double>(reference) / static_cast<double>(tokens);
  result.candidate = 100 * static_cast<double>(candidate) / static_cast<double>(tokens);
  result.difference = result.candidate - result.reference;
  result.interval = differences.size() < kChunksMin ? Interval{-100, 100}
                                                    : bootstrap_mean(differences);
  result.finding = find(result.interval, margin);
  return result;
}

class GeneratorValidator {
 public:
  GeneratorValidator(const ValidateInput& input, const ValidateOptions& options,
                     const StopFlag& stop)
      : input_(input), options_(options), stop_(stop) {}

  Result<Validation> run() {
    auto reference = engine::LanguageModel::load(input_.reference.path);
    if (!reference) return reference.error();
    Validation validation;
    validation.margin = options_.margin;
    validation.threads = options_.threads;
    validation.text_sha256 = sha256_hex(input_.text);
    validation.reference = describe(input_.reference, (*reference)->facts());
    auto speed = decode_speed(**reference, options_.threads, stop_);
    if (!speed) return speed.error();
    validation.reference.decode_tokens_per_second = *speed;
    auto scores = task_scores(input_.reference);
    if (!scores) return scores.error();
    reference_scores_ = std::move(*scores);
    for (const ModelFile& file : input_.candidates) {
      auto result = candidate(file, **reference);
      if (!result) return result.error();
      validation.reference.likelihood = result->language->reference;
      validation.candidates.push_back(std::move(*result));
    }
    return validation;
  }

 private:
  // One list a task, one entry an item; what the model could not answer has no score.
  using Scores = std::vector<std::vector<std::optional<double>>>;

  Result<ModelResult> candidate(const ModelFile& file, const engine::LanguageModel& reference) {
    auto model = engine::LanguageModel::load(file.path);
    if (!model) return model.error();
    ModelResult result = describe(file, (*model)->facts());
    auto comparison = engine::compare_likelihood({reference, **model}, input_.text,
                                                 likelihood_options(file.name), stop_);
    if (!comparison) return comparison.error();
    auto speed = decode_speed(**model, options_.threads, stop_);
    if (!speed) return speed.error();
    result.decode_tokens_per_second = *speed;
    result.likelihood = comparison->candidate;
    result.differences.push_back(next_token(*comparison, options_.margin));
    result.language = std::move(*comparison);
    model->reset();
    auto scores = task_scores(file);
    if (!scores) return scores.error();
    for (size_t i = 0; i < input_.tasks.size(); ++i) {
      result.differences.push_back(
          task_difference(*input_.tasks[i].task, reference_scores_[i], (*scores)[i]));
    }
    return result;
  }

  engine::LikelihoodOptions likelihood_options(const std::string& name) const {
    engine::LikelihoodOptions options;
    options.chunk_tokens = options_.chunk_tokens;
    options.chunks_max = options_.chunks_max;
    options.threads = options_.threads;
    if (options_.progress) {
      options.progress = [this, name](size_t done, size_t count) {
        options_.progress(name + " against the reference", done, count);
      };
    }
    return options;
  }

  Result<Scores> task_scores(const ModelFile& file) const {
    Scores scores;
    if (input_.tasks.empty()) return scores;
    ModelSubjectOptions subject_options;
    subject_options.name = file.name;
    subject_options.path = file.path;
    subject_options.sha256 = file.sha256;
    subject_options.threads = options_.threads;
    auto subject = open_model_subject(subject_options);
    if (!subject) return subject.error();
    for (const TaskItems& entry : input_.tasks) {
      auto list = scores_of(entry, **subject, file.name);
      if (!list) return list.error();
      scores.push_back(std::move(*list));
    }
    return scores;
  }

  Result<std::vector<std::optional<double>>> scores_of(const TaskItems& entry, Subject& subject,
                                                       const std::string& name) const {
    const size_t count =
        options_.items_max > 0 ? std::min(options_.items_max, entry.items.size())
                               : entry.items.size();
    std::vector<std::optional<double>> scores;
    for (size_t i = 0; i < count; ++i) {
      auto response = subject.answer(entry.items[i], Sampling{}, stop_);
      if (stop_.raised()) return Error{ErrorCode::Interrupted, "stopped", "", ""};
      std::optional<double> score;
      if (response) {
        // What cannot be judged at all (no sandbox) is no item's fault.
        auto verdict =
            entry.task->score(entry.items[i], response->tiers.back().answer, *input_.judge);
        if (!verdict) return verdict.error();
        score = verdict->correct ? 1 : 0;
      }
      scores.push_back(score);
      if (options_.progress) {
        options_.progress(fmt::format("{}: {}", name, entry.task->name()), i + 1, count);
      }
    }
    return scores;
  }

  // Over the items that both could be measured on.
  Difference task_difference(const Task& task, const std::vector<std::optional<double>>& reference,
                             const std::vector<std::optional<double>>& candidate) const {
    std::vector<ScorePair> pairs;
    for (size_t i = 0; i < reference.size(); ++i) {
      if (reference[i] && candidate[i]) pairs.push_back({*reference[i], *candidate[i]});
    }
    const Paired paired = compare(pairs);
    Difference result;
    result.measure = task.name();
    result.items = paired.items;
    result.unmeasured = reference.size() - paired.items;
    result.reference = 100 * paired.first;
    result.candidate = 100 * paired.second;
    result.difference = 100 * paired.difference;
    result.interval = paired_interval(paired);
    result.finding = find(result.interval, options_.margin);
    return result;
  }

  const ValidateInput& input_;
  const ValidateOptions& options_;
  const StopFlag& stop_;
  Scores reference_scores_;
};

}  // namespace

Result<Validation> validate_generator(const ValidateInput& input, const ValidateOptions& options,
                                      const StopFlag& stop) {
  return GeneratorValidator(input, options, stop).run();
}

}  // namespace tinyarms::eval
