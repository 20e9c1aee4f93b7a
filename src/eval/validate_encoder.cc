#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>

#include "base/sha256.h"
#include "calibration/random.h"
#include "engine/embedder.h"
#include "engine/memory_plan.h"
#include "eval/validate.h"

namespace tinyarms::eval {
namespace {

constexpr size_t kResamples = 1000;
constexpr size_t kTextsAtOnce = 64;

using Vectors = std::vector<std::vector<float>>;  // of each pair's first and second sentence

struct Embedded {
  Vectors vectors;
  ModelResult result;
};

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

std::vector<Point> points_of(const Vectors& vectors, const std::vector<SentencePair>& pairs) {
  std::vector<Point> points;
  for (size_t i = 0; i < pairs.size(); ++i) {
    points.push_back({dot(vectors[2 * i], vectors[2 * i + 1]), pairs[i].score});
  }
  return points;
}

Result<Embedded> embed_all(const ModelFile& file, const std::vector<SentencePair>& pairs,
                           const ValidateOptions& options, const StopFlag& stop) {
  auto embedder = engine::Embedder::load(file.path, options.threads);
  if (!embedder) return embedder.error();
  const engine::ModelFacts& facts = (*embedder)->facts();
  Embedded embedded;
  embedded.result.file = file;
  embedded.result.quantization = facts.quantization;
  embedded.result.file_bytes = facts.file_bytes;
  embedded.result.memory_bytes = engine::plan_memory(facts, facts.context_tokens, 512).total();
  std::vector<std::string> texts;
  for (const SentencePair& pair : pairs) {
    texts.push_back(pair.first);
    texts.push_back(pair.second);
  }
  const auto start = std::chrono::steady_clock::now();
  for (size_t begin = 0; begin < texts.size(); begin += kTextsAtOnce) {
    if (stop.raised()) return Error{ErrorCode::Interrupted, "stopped", "", ""};
    const size_t count = std::min(kTextsAtOnce, texts.size() - begin);
    auto vectors = (*embedder)->embed(std::span(texts).subspan(begin, count));
    if (!vectors) return vectors.error();
    for (engine::Embedding& vector : *vectors) embedded.vectors.push_back(std::move(vector.values));
    if (options.progress) options.progress(file.name, begin + count, texts.size());
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const std::vector<Point> points = points_of(embedded.vectors, pairs);
  EncoderAgreement agreement;
  agreement.spearman = spearman(points);
  agreement.spearman_interval = bootstrap_spearman(points, {.resamples = kResamples});
  agreement.sentences_per_second = static_cast<double>(texts.size()) / seconds;
  embedded.result.encoder = agreement;
  return embedded;
}

void compare_vectors(Embedded& candidate, const Embedded& reference) {
  double sum = 0;
  double least = 1;
  for (size_t i = 0; i < candidate.vectors.size(); ++i) {
    const double cosine = dot(candidate.vectors[i], reference.vectors[i]);
    sum += cosine;
    least = std::min(least, cosine);
  }
  candidate.result.encoder->cosine_mean = sum / static_cast<double>(candidate.vectors.size());
  candidate.result.encoder->cosine_min = least;
}

// The bootstrap draws pairs once for both models.
Difference spearman_difference(const std::vector<Point>& reference,
                               const std::vector<Point>& candidate, double margin) {
  calibration::Random random(1);
  std::vector<double> replicates;
  std::vector<Point> drawn_reference(reference.size());
  std::vector<Point> drawn_candidate(reference.size());
  for (size_t i = 0; i < kResamples; ++i) {
    for (size_t k = 0; k < reference.size(); ++k) {
      const size_t at = random.below(reference.size());
      drawn_reference[k] = reference[at];
      drawn_candidate[k] = candidate[at];
    }
    const double difference = 100 * (spearman(drawn_candidate) - spearman(drawn_reference));
    if (!std::isnan(difference)) replicates.push_back(difference);
  }
  std::sort(replicates.begin(), replicates.end());
  Difference result;
  result.measure = "spearman";
  result.items = reference.size();
  result.reference = 100 * spearman(reference);
  result.candidate = 100 * spearman(candidate);
  result.difference = result.candidate - result.reference;
  result.interval = {-100, 100};
  if (replicates.size() >= 40) {
    const auto tail = static_cast<size_t>(0.025 * static_cast<double>(replicates.size()));
    result.interval = {replicates[tail], replicates[replicates.size() - 1 - tail]};
  }
  result.finding = find(result.interval, margin);
  return result;
}

}  // namespace

Result<Validation> validate_encoder(const ValidateInput& input, const ValidateOptions& options,
                                    const StopFlag& stop) {
  auto reference = embed_all(input.reference, input.pairs, options, stop);
  if (!reference) return reference.error();
  const std::vector<Point> reference_points = points_of(reference->vectors, input.pairs);
  Validation validation;
  validation.margin = options.margin;
  validation.threads = options.threads;
  std::string pairs;
  for (const SentencePair& pair : input.pairs) pairs += pair.first + '\t' + pair.second + '\n';
  validation.text_sha256 = sha256_hex(pairs);
  validation.reference = reference->result;
  for (const ModelFile& file : input.candidates) {
    auto candidate = embed_all(file, input.pairs, options, stop);
    if (!candidate) return candidate.error();
    compare_vectors(*candidate, *reference);
    candidate->result.differences.push_back(spearman_difference(
        reference_points, points_of(candidate->vectors, input.pairs), options.margin));
    validation.candidates.push_back(std::move(candidate->result));
  }
  return validation;
}

}  // namespace tinyarms::eval
