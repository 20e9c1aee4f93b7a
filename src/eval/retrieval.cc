#include "eval/retrieval.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/clock.h"
#include "corpus/chunk.h"
#include "corpus/indexer.h"
#include "corpus/words.h"
#include "eval/data_file.h"

namespace tinyarms::eval {
namespace {

namespace fs = std::filesystem;

constexpr size_t kDepth = 100;
constexpr size_t kFiguresAt = 10;
constexpr size_t kRetrievalBatch = 512;

Error corrupt(const std::string& where, std::string what) {
  return Error{ErrorCode::Corrupt, std::move(what), where,
               "a line is {\"id\": …, \"text\": …}; queries also have \"relevant\": [ids]"};
}

std::string id_of(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

Result<nlohmann::json> parse_line(std::string_view line, const std::string& where) {
  auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return corrupt(where, "is no JSON object");
  if (!json.contains("id") || !json.contains("text") || !json["text"].is_string()) {
    return corrupt(where, "has no id or no text");
  }
  return json;
}

using Numbers = std::unordered_map<std::string, size_t>;

Result<Numbers> read_documents(const fs::path& folder, RetrievalSet& set) {
  auto text = read_data_file(folder, "corpus.jsonl");
  if (!text) return text.error();
  Numbers numbers;
  auto read = each_line(*text, "corpus.jsonl",
                        [&](std::string_view line, const std::string& where) -> Result<void> {
                          auto json = parse_line(line, where);
                          if (!json) return json.error();
                          RetrievalDocument document{.id = id_of((*json)["id"]),
                                                     .text = (*json)["text"].get<std::string>(),
                                                     .language = {}};
                          if (json->contains("language") && (*json)["language"].is_string()) {
                            document.language = (*json)["language"].get<std::string>();
                          }
                          if (!numbers.emplace(document.id, set.corpus.size()).second) {
                            return corrupt(where, fmt::format("the id {} comes twice",
                                                              document.id));
                          }
                          set.corpus.push_back(std::move(document));
                          return {};
                        });
  if (!read) return read.error();
  return numbers;
}

Result<RetrievalQuery> query_of(const nlohmann::json& json, const std::string& where,
                                const Numbers& numbers) {
  RetrievalQuery query{.id = id_of(json["id"]),
                       .text = json["text"].get<std::string>(),
                       .split = {},
                       .relevant = {}};
  if (json.contains("split") && json["split"].is_string()) {
    query.split = json["split"].get<std::string>();
  }
  if (!json.contains("relevant") || !json["relevant"].is_array() || json["relevant"].empty()) {
    return corrupt(where, "names no relevant document");
  }
  for (const auto& each : json["relevant"]) {
    const auto number = numbers.find(id_of(each));
    if (number == numbers.end()) {
      return corrupt(where, fmt::format("{} is no id of corpus.jsonl", id_of(each)));
    }
    query.relevant.push_back(number->second);
  }
  return query;
}

// As a passage of the index would be: with the name of what it defines.
storage::PassageStore::FileUpdate update_of(const RetrievalDocument& document, size_t number,
                                            std::string& embedded) {
  std::string symbol;
  if (!document.language.empty()) {
    for (const corpus::Passage& passage : corpus::chunk(document.text, document.language)) {
      symbol = passage.symbol;
      if (!symbol.empty()) break;
    }
  }
  embedded = symbol.empty() ? document.text : symbol + "\n" + document.text;
  storage::PassageStore::FileUpdate update;
  update.file = {.id = 0,
                 .path = fmt::format("/{}", number),
                 .stamp = {},
                 .sha256 = {},
                 .language = document.language};
  update.passages.push_back({.first_line = 1,
                             .last_line = 1,
                             .kind = "text",
                             .symbol = symbol,
                             .body = document.text,
                             .symbol_words = corpus::index_words(symbol),
                             .path_words = {},
                             .body_words = corpus::index_words(document.text)});
  return update;
}

}  // namespace

Result<RetrievalSet> read_retrieval_set(const fs::path& folder) {
  RetrievalSet set;
  auto numbers = read_documents(folder, set);
  if (!numbers) return numbers.error();
  auto text = read_data_file(folder, "queries.jsonl");
  if (!text) return text.error();
  auto read = each_line(*text, "queries.jsonl",
                        [&](std::string_view line, const std::string& where) -> Result<void> {
                          auto json = parse_line(line, where);
                          if (!json) return json.error();
                          auto query = query_of(*json, where, *numbers);
                          if (!query) return query.error();
                          set.queries.push_back(std::move(*query));
                          return {};
                        });
  if (!read) return read.error();
  return set;
}

RetrievalRun::~RetrievalRun() {
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

RetrievalRun::RetrievalRun(RetrievalRun&& other) noexcept
    : folder_(std::exchange(other.folder_, fs::path())),
      ids_(std::move(other.ids_)),
      rankings_(std::move(other.rankings_)) {}

Result<RetrievalRun> RetrievalRun::open(const RetrievalSet& set, const EmbedTexts& embed) {
  std::string pattern = (fs::temp_directory_path() / "tinyarms-retrieval-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    return Error{ErrorCode::Io, "a temporary folder cannot be made", pattern,
                 "free some space, or set TMPDIR"};
  }
  RetrievalRun run{fs::path(pattern)};
  if (auto indexed = run.index(set, embed); !indexed) return indexed.error();
  return run;
}

Result<void> RetrievalRun::index(const RetrievalSet& set, const EmbedTexts& embed) {
  std::vector<std::string> questions;
  for (const RetrievalQuery& query : set.queries) questions.push_back(query.text);
  auto asked = embed(questions);
  if (!asked) return asked.error();
  if (asked->empty()) return {};

  const SystemClock clock;
  const StopFlag stop;
  auto library = corpus::Library::open_to_write({.folder = folder_,
                                                 .wanted = {.model = "bench",
                                                            .model_id = "bench",
                                                            .dimensions = asked->front().size()}},
                                                clock, stop, nullptr);
  if (!library) return library.error();
  for (size_t at = 0; at < set.corpus.size(); at += kRetrievalBatch) {
    std::vector<storage::PassageStore::FileUpdate> updates;
    std::vector<std::string> texts;
    for (size_t i = at; i < std::min(at + kRetrievalBatch, set.corpus.size()); ++i) {
      texts.emplace_back();
      updates.push_back(update_of(set.corpus[i], i, texts.back()));
    }
    auto ids = (*library)->replace(updates);
    if (!ids) return ids.error();
    auto vectors = embed(texts);
    if (!vectors) return vectors.error();
    std::vector<float> flat;
    for (const auto& vector : *vectors) flat.insert(flat.end(), vector.begin(), vector.end());
    if (auto added = (*library)->add_vectors(*ids, flat); !added) return added.error();
    ids_.insert(ids_.end(), ids->begin(), ids->end());
  }
  for (size_t i = 0; i < set.queries.size(); ++i) {
    auto ranked = (*library)->rank({.text = set.queries[i].text, .vector = (*asked)[i]}, kDepth);
    if (!ranked) return ranked.error();
    rankings_.push_back(std::move(*ranked));
  }
  return {};
}

std::vector<size_t> RetrievalRun::ranking(size_t query, Method method,
                                          const corpus::FusionWeights& weights) const {
  const corpus::Rankings& both = rankings_[query];
  std::vector<int64_t> ids;
  switch (method) {
    case Method::Bm25:
      for (const auto& match : both.by_words) ids.push_back(match.id);
      break;
    case Method::Cosine:
      for (const auto& match : both.by_vectors) ids.push_back(match.id);
      break;
    case Method::Hybrid:
      for (const auto& fused : corpus::fuse(both, weights)) ids.push_back(fused.id);
      break;
  }
  std::vector<size_t> documents;
  for (const int64_t id : ids) {
    // Ids were given in the order of the documents.
    const auto place = std::lower_bound(ids_.begin(), ids_.end(), id);
    documents.push_back(static_cast<size_t>(place - ids_.begin()));
  }
  return documents;
}

std::string_view method_name(RetrievalRun::Method method) {
  switch (method) {
    case RetrievalRun::Method::Bm25: return "bm25";
    case RetrievalRun::Method::Cosine: return "vectors";
    case RetrievalRun::Method::Hybrid: return "hybrid";
  }
  return "hybrid";
}

RetrievalFigures retrieval_figures(const std::vector<size_t>& ranking,
                                   const std::vector<size_t>& relevant) {
  RetrievalFigures figures;
  size_t found = 0;
  double gain = 0;
  for (size_t i = 0; i < ranking.size(); ++i) {
    if (std::find(relevant.begin(), relevant.end(), ranking[i]) == relevant.end()) continue;
    if (figures.mrr == 0) figures.mrr = 1 / static_cast<double>(i + 1);
    if (i >= kFiguresAt) break;
    gain += 1 / std::log2(static_cast<double>(i) + 2);
    ++found;
  }
  double ideal = 0;
  for (size_t i = 0; i < std::min(relevant.size(), kFiguresAt); ++i) {
    ideal += 1 / std::log2(static_cast<double>(i) + 2);
  }
  if (ideal > 0) figures.ndcg10 = gain / ideal;
  if (!relevant.empty()) {
    figures.recall10 = static_cast<double>(found) / static_cast<double>(relevant.size());
  }
  return figures;
}

}  // namespace tinyarms::eval
