// How well a language model predicts a text, and how far another's predictions are from it.
//
// The text is cut into chunks; of each chunk's second half every token but the last is predicted
// from what precedes it in the chunk, as llama.cpp's perplexity tool does, whose figures these are
// to agree with (tests labelled `peer`). Perplexity = exp(mean of −ln p(token)).
// Divergence: Kullback–Leibler, in nats, of the candidate from the reference over the whole
// vocabulary at each of those positions (docs/decisions/0057).
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"
#include "engine/language_model.h"

namespace tinyarms::engine {

struct LikelihoodOptions {
  uint32_t chunk_tokens = 512;
  size_t chunks_max = 0;  // 0: the whole text
  int threads = 0;
  // Called after every chunk with how many are done and how many there are; may be empty.
  std::function<void(size_t done, size_t count)> progress = {};
};

// Of one model on one text.
struct Likelihood {
  size_t tokens = 0;             // that were predicted
  double perplexity = 0;
  double perplexity_error = 0;   // standard error
  size_t right = 0;              // tokens that were the model's first choice
  double tokens_per_second = 0;  // of the passes alone, the chunks' first halves counted too
};

// One chunk's share, for intervals that respect that tokens of one chunk hang together.
struct ChunkCounts {
  size_t tokens = 0;
  size_t reference_right = 0;
  size_t candidate_right = 0;
};

struct Comparison {
  Likelihood reference;
  Likelihood candidate;
  double divergence_mean = 0;
  double divergence_error = 0;  // standard error of the mean
  double divergence_99 = 0;     // 99 % of the positions are below
  double divergence_max = 0;
  double same_top = 0;          // share of positions with the same first choice
  double log_ratio = 0;         // ln(candidate's perplexity / the reference's)
  double log_ratio_error = 0;   // of paired tokens
  std::vector<ChunkCounts> chunks;
};

// Errors: InvalidArgument (the text is shorter than a chunk, not UTF-8), Interrupted, Corrupt
// (logits that are not numbers), OverBudget, Internal.
Result<Likelihood> measure_likelihood(const LanguageModel& model, std::string_view text,
                                      const LikelihoodOptions& options, const StopFlag& stop);

struct ComparedModels {
  const LanguageModel& reference;
  const LanguageModel& candidate;
};

// The same, and InvalidArgument where their vocabularies differ.
Result<Comparison> compare_likelihood(const ComparedModels& models, std::string_view text,
                                      const LikelihoodOptions& options, const StopFlag& stop);

}  // namespace tinyarms::engine
