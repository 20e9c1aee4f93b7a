#include "engine/perplexity.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "engine/perplexity_logits.h"
#include "engine/perplexity_pass.h"

namespace tinyarms::engine {
namespace {

struct Moments {
  double sum = 0;
  double squares = 0;
  size_t count = 0;

  void add(double value) {
    sum += value;
    squares += value * value;
    ++count;
  }
  double mean() const { return count == 0 ? 0 : sum / static_cast<double>(count); }
  double error() const {
    if (count < 2) return 0;
    const double variance = squares / static_cast<double>(count) - mean() * mean();
    return std::sqrt(std::max(0.0, variance) / static_cast<double>(count - 1));
  }
};

// What is gathered of one model while it reads.
class Reader {
 public:
  explicit Reader(ChunkPass& pass) : pass_(pass) {}

  Result<void> read(std::span<const llama_token> chunk, const StopFlag& stop) {
    const auto start = std::chrono::steady_clock::now();
    auto logits = pass_.run(chunk, stop);
    if (!logits) return logits.error();
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    tokens_read_ += chunk.size();
    logits_ = *logits;
    return {};
  }

  // The logits from which the `index`-th predicted token of the chunk is predicted.
  std::span<const float> logits_of(size_t index) const {
    return logits_.subspan(index * pass_.vocabulary(), pass_.vocabulary());
  }

  // −ln p(token); whether it was the first choice is counted.
  double take(const LogitSummary& summary, std::span<const float> logits, llama_token token) {
    const double surprise =
        summary.log_sum - static_cast<double>(logits[static_cast<size_t>(token)]);
    surprises_.add(surprise);
    right_ += summary.top == token;
    return surprise;
  }

  size_t right() const { return right_; }

  Likelihood result() const {
    Likelihood result;
    result.tokens = surprises_.count;
    result.perplexity = std::exp(surprises_.mean());
    result.perplexity_error = result.perplexity * surprises_.error();
    result.right = right_;
    result.tokens_per_second = seconds_ > 0 ? static_cast<double>(tokens_read_) / seconds_ : 0;
    return result;
  }

 private:
  ChunkPass& pass_;
  std::span<const float> logits_;
  Moments surprises_;
  size_t right_ = 0;
  size_t tokens_read_ = 0;
  double seconds_ = 0;
};

// A text's chunks in turn.
struct Chunks {
  std::vector<llama_token> tokens;
  size_t length = 0;
  size_t count = 0;

  std::span<const llama_token> at(size_t index) const {
    return std::span(tokens).subspan(index * length, length);
  }
};

Result<Chunks> cut(const ChunkPass& pass, std::string_view text, size_t chunks_max) {
  auto tokens = pass.tokenize(text);
  if (!tokens) return tokens.error();
  Chunks chunks;
  chunks.tokens = std::move(*tokens);
  chunks.length = pass.chunk_tokens();
  chunks.count = chunks.tokens.size() / chunks.length;
  if (chunks_max > 0) chunks.count = std::min(chunks.count, chunks_max);
  return chunks;
}

Error not_numbers(const LanguageModel& model) {
  return Error{ErrorCode::Corrupt, "the logits are not numbers", model.facts().path.string(),
               "the file is damaged or the type does not suit the model"};
}

double quantile_99(std::vector<double>& values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double at = 0.99 * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, values.size() - 1);
  const double part = at - static_cast<double>(below);
  return (1 - part) * values[below] + part * values[above];
}

// Both models over the same chunks, one pass each, so that no logits need to be kept.
class Comparer {
 public:
  Comparer(const ComparedModels& models, ChunkPass& reference, ChunkPass& candidate)
      : models_(models), pass_(reference), reference_(reference), candidate_(candidate) {}

  Result<void> read(std::span<const llama_token> chunk, const StopFlag& stop) {
    if (auto done = reference_.read(chunk, stop); !done) return done.error();
    if (auto done = candidate_.read(chunk, stop); !done) return done.error();
    ChunkCounts counts;
    const size_t reference_before = reference_.right();
    const size_t candidate_before = candidate_.right();
    for (size_t at = pass_.first(); at + 1 < chunk.size(); ++at) {
      if (auto done = compare(at - pass_.first(), chunk[at + 1]); !done) return done;
      ++counts.tokens;
    }
    counts.reference_right = reference_.right() - reference_before;
    counts.candidate_right = candidate_.right() - candidate_before;
    comparison_.chunks.push_back(counts);
    return {};
  }

  Comparison finish() {
    comparison_.reference = reference_.result();
    comparison_.candidate = candidate_.result();
    comparison_.divergence_mean = divergences_.mean();
    comparison_.divergence_error = divergences_.error();
    comparison_.divergence_99 = quantile_99(values_);
    comparison_.divergence_max = values_.empty() ? 0 : values_.back();
    comparison_.same_top = same_top_.mean();
    comparison_.log_ratio = log_ratios_.mean();
    comparison_.log_ratio_error = log_ratios_.error();
    return std::move(comparison_);
  }

 private:
  Result<void> compare(size_t index, llama_token token) {
    const auto p = reference_.logits_of(index);
    const auto q = candidate_.logits_of(index);
    const LogitSummary p_summary = summarise_logits(p);
    const LogitSummary q_summary = summarise_logits(q);
    if (!p_summary.finite) return not_numbers(models_.reference);
    if (!q_summary.finite) return not_numbers(models_.candidate);
    const double surprise = reference_.take(p_summary, p, token);
    log_ratios_.add(candidate_.take(q_summary, q, token) - surprise);
    values_.push_back(divergence({p, p_summary.log_sum}, {q, q_summary.log_sum}));
    divergences_.add(values_.back());
    same_top_.add(p_summary.top == q_summary.top ? 1 : 0);
    return {};
  }

  const ComparedModels& models_;
  const ChunkPass& pass_;
  Reader reference_;
  Reader candidate_;
  Moments divergences_;
  Moments log_ratios_;
  Moments same_top_;
  std::vector<double> values_;
  Comparison comparison_;
};

PassOptions pass_options(const LikelihoodOptions& options) {
  PassOptions pass;
  pass.chunk_tokens = options.chunk_tokens;
  pass.threads = options.threads;
  return pass;
}

}  // namespace

Result<Likelihood> measure_likelihood(const LanguageModel& model, std::string_view text,
                                      const LikelihoodOptions& options, const StopFlag& stop) {
  auto pass = ChunkPass::create(model, pass_options(options));
  if (!pass) return pass.error();
  auto chunks = cut(**pass, text, options.chunks_max);
  if (!chunks) return chunks.error();
  Reader reader(**pass);
  for (size_t i = 0; i < chunks->count; ++i) {
    const auto chunk = chunks->at(i);
    if (auto done = reader.read(chunk, stop); !done) return done.error();
    for (size_t at = (*pass)->first(); at + 1 < chunk.size(); ++at) {
      const auto logits = reader.logits_of(at - (*pass)->first());
      const LogitSummary summary = summarise_logits(logits);
      if (!summary.finite) return not_numbers(model);
      reader.take(summary, logits, chunk[at + 1]);
    }
    if (options.progress) options.progress(i + 1, chunks->count);
  }
  return reader.result();
}

Result<Comparison> compare_likelihood(const ComparedModels& models, std::string_view text,
                                      const LikelihoodOptions& options, const StopFlag& stop) {
  PassOptions same = pass_options(options);
  same.chunk_tokens = std::min({options.chunk_tokens, models.reference.facts().context_tokens,
                                models.candidate.facts().context_tokens});
  auto reference = ChunkPass::create(models.reference, same);
  if (!reference) return reference.error();
  auto candidate = ChunkPass::create(models.candidate, same);
  if (!candidate) return candidate.error();
  auto chunks = cut(**reference, text, options.chunks_max);
  if (!chunks) return chunks.error();
  auto other = cut(**candidate, text, options.chunks_max);
  if (!other) return other.error();
  const bool alike = (*reference)->vocabulary() == (*candidate)->vocabulary() &&
                     chunks->tokens == other->tokens;
  if (!alike) {
    return Error{ErrorCode::InvalidArgument,
                 "the two models do not cut the text into the same tokens",
                 models.candidate.facts().path.string(),
                 "compare models with one vocabulary, e.g. quantisations of one model"};
  }
  Comparer comparer(models, **reference, **candidate);
  for (size_t i = 0; i < chunks->count; ++i) {
    if (auto done = comparer.read(chunks->at(i), stop); !done) return done.error();
    if (options.progress) options.progress(i + 1, chunks->count);
  }
  return comparer.finish();
}

}  // namespace tinyarms::engine
