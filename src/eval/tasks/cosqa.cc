// Code search: CoSQA (Huang et al. 2021). Web queries rank a corpus of Python functions by cosine;
// one function is right for each.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "eval/data_file.h"
#include "eval/embedding_task.h"

namespace tinyarms::eval {
namespace {

constexpr const char* kQueries = "cosqa/cosqa-retrieval-dev-500.json";
constexpr const char* kCorpus = "cosqa/code_idx_map.txt";

struct Query {
  std::string id;
  std::string text;
  size_t document = 0;  // index into the corpus
};

struct Search {
  std::vector<std::string> corpus;
  std::vector<Query> queries;
};

Error corrupt(const std::filesystem::path& path, std::string what) {
  return Error{ErrorCode::Corrupt, std::move(what), path.string(), "fetch the file again"};
}

// {code: id}, ids from 0 without a gap.
Result<std::vector<std::string>> read_corpus(const std::filesystem::path& data) {
  auto text = read_data_file(data, kCorpus);
  if (!text) return text.error();
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object()) return corrupt(data / kCorpus, "is no JSON object");
  std::vector<std::string> corpus(json.size());
  std::vector<bool> filled(json.size());
  for (const auto& [code, id] : json.items()) {
    if (!id.is_number_unsigned() || id.get<size_t>() >= corpus.size() || filled[id.get<size_t>()]) {
      return corrupt(data / kCorpus, fmt::format("the id {} is not one of 0 to {}, each once",
                                                 id.dump(), corpus.size() - 1));
    }
    filled[id.get<size_t>()] = true;
    corpus[id.get<size_t>()] = code;
  }
  return corpus;
}

Result<Search> read_search(const std::filesystem::path& data) {
  auto corpus = read_corpus(data);
  if (!corpus) return corpus.error();
  auto text = read_data_file(data, kQueries);
  if (!text) return text.error();
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_array()) return corrupt(data / kQueries, "is no JSON array");
  Search search{.corpus = std::move(*corpus), .queries = {}};
  for (const auto& row : json) {
    Query query;
    try {
      row.at("idx").get_to(query.id);
      row.at("doc").get_to(query.text);
      row.at("retrieval_idx").get_to(query.document);
    } catch (const nlohmann::json::exception& problem) {
      return corrupt(data / kQueries, fmt::format("row {}: {}", search.queries.size() + 1,
                                                  problem.what()));
    }
    if (query.document >= search.corpus.size()) {
      return corrupt(data / kQueries, fmt::format("row {}: no such function",
                                                  search.queries.size() + 1));
    }
    search.queries.push_back(std::move(query));
  }
  return search;
}

// 1-based; documents that score the same as the right one count as before it.
size_t rank_of(const std::vector<float>& query, const Vectors& corpus, size_t document) {
  const double right = cosine(query, corpus[document]);
  size_t rank = 1;
  for (size_t i = 0; i < corpus.size(); ++i) {
    if (i != document && cosine(query, corpus[i]) >= right) ++rank;
  }
  return rank;
}

class Cosqa final : public EmbeddingTask {
 public:
  std::string_view name() const override { return "cosqa"; }
  std::string_view description() const override {
    return "CoSQA code search: nDCG@10, MRR and recall over 6267 Python functions";
  }
  std::string_view caveat() const override {
    return "one function counts as right, others that fit too count as misses; the functions keep "
           "their docstrings";
  }
  std::vector<std::string> files() const override { return {kQueries, kCorpus}; }

  Result<EmbeddingMeasurement> measure(const std::filesystem::path& data, size_t limit,
                                       const EmbedTexts& embed) const override {
    auto search = read_search(data);
    if (!search) return search.error();
    auto& queries = search->queries;
    if (limit > 0 && limit < queries.size()) queries.resize(limit);
    std::vector<std::string> texts;
    for (const Query& query : queries) texts.push_back(query.text);
    auto asked = embed(texts);
    if (!asked) return asked.error();
    auto corpus = embed(search->corpus);
    if (!corpus) return corpus.error();
    EmbeddingMeasurement result;
    std::vector<RankFigures> ranks;
    for (size_t i = 0; i < queries.size(); ++i) {
      const size_t rank = rank_of((*asked)[i], *corpus, queries[i].document);
      ranks.push_back(rank_figures(rank));
      result.lines.push_back(
          nlohmann::ordered_json{{"id", "cosqa/" + queries[i].id}, {"rank", rank}}.dump());
    }
    add_figure("ndcg@10", ranks, &RankFigures::ndcg10, result);
    add_figure("mrr", ranks, &RankFigures::mrr, result);
    add_figure("recall@1", ranks, &RankFigures::recall1, result);
    add_figure("recall@5", ranks, &RankFigures::recall5, result);
    add_figure("recall@10", ranks, &RankFigures::recall10, result);
    return result;
  }

 private:
  static void add_figure(const char* name, const std::vector<RankFigures>& ranks,
                         double RankFigures::*field, EmbeddingMeasurement& result) {
    std::vector<double> values;
    double sum = 0;
    for (const RankFigures& rank : ranks) {
      values.push_back(rank.*field);
      sum += rank.*field;
    }
    result.figures.push_back(
        {.task = {},
         .subject = {},
         .name = name,
         .value = values.empty() ? 0 : sum / static_cast<double>(values.size()),
         .interval = bootstrap_bounded_mean(values, {0, 1}),
         .items = values.size()});
  }
};

}  // namespace

std::unique_ptr<EmbeddingTask> make_cosqa() { return std::make_unique<Cosqa>(); }

}  // namespace tinyarms::eval
