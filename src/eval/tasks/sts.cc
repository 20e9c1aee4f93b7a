// Semantic textual similarity (STS benchmark, Cer et al. 2017): Spearman's correlation of cosine
// similarity and human scores, as its leaderboards give it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "eval/data_file.h"
#include "eval/embedding_task.h"
#include "eval/validate.h"

namespace tinyarms::eval {
namespace {

constexpr const char* kStsFile = "stsb/sts-dev.csv";

class Sts final : public EmbeddingTask {
 public:
  std::string_view name() const override { return "sts"; }
  std::string_view description() const override {
    return "STS benchmark, development set: Spearman's correlation with human scores";
  }
  std::string_view caveat() const override {
    return "the development set, which encoders may have been chosen on";
  }
  std::vector<std::string> files() const override { return {kStsFile}; }

  Result<EmbeddingMeasurement> measure(const std::filesystem::path& data, size_t limit,
                                       const EmbedTexts& embed) const override {
    auto text = read_data_file(data, kStsFile);
    if (!text) return text.error();
    auto pairs = parse_sentence_pairs(*text, (data / kStsFile).string());
    if (!pairs) return pairs.error();
    if (limit > 0 && limit < pairs->size()) pairs->resize(limit);
    std::vector<std::string> sentences;
    for (const SentencePair& pair : *pairs) {
      sentences.push_back(pair.first);
      sentences.push_back(pair.second);
    }
    auto vectors = embed(sentences);
    if (!vectors) return vectors.error();
    EmbeddingMeasurement result;
    std::vector<Point> points;
    for (size_t i = 0; i < pairs->size(); ++i) {
      const double similarity = cosine((*vectors)[2 * i], (*vectors)[2 * i + 1]);
      points.push_back({similarity, (*pairs)[i].score});
      result.lines.push_back(nlohmann::ordered_json{{"id", fmt::format("sts/{}", i)},
                                                    {"similarity", similarity},
                                                    {"score", (*pairs)[i].score}}
                                 .dump());
    }
    result.figures.push_back({.task = {},
                              .subject = {},
                              .name = "spearman",
                              .value = spearman(points),
                              .interval = bootstrap_spearman(points, {.resamples = 500}),
                              .items = points.size()});
    return result;
  }
};

}  // namespace

std::unique_ptr<EmbeddingTask> make_sts() { return std::make_unique<Sts>(); }

}  // namespace tinyarms::eval
