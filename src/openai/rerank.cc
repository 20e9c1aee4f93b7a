#include "openai/rerank.h"

#include <fmt/format.h>

namespace tinyarms::openai {
namespace {

// A text, or an object with one: both of them take both.
void read_documents(FieldReader& reader, std::vector<std::string>& documents) {
  const Json* list = reader.list("documents");
  if (list == nullptr || list->empty() || list->size() > kRerankDocumentsMax) {
    return reader.fail(fmt::format("must be a list of 1 to {} texts", kRerankDocumentsMax),
                       "documents");
  }
  for (size_t i = 0; i < list->size(); ++i) {
    const Json& one = (*list)[i];
    const std::string path = fmt::format("documents[{}]", i);
    if (one.is_string()) {
      documents.push_back(one.get<std::string>());
    } else if (one.is_object() && one.contains("text") && one["text"].is_string()) {
      documents.push_back(one["text"].get<std::string>());
    } else {
      return reader.fail("must be a text, or an object with a \"text\"", path);
    }
    if (documents.back().find('\0') != std::string::npos) {
      return reader.fail("contains a NUL character", path);
    }
  }
}

}  // namespace

Result<RerankRequest> parse_rerank(const Json& body) {
  FieldReader reader(body, "");
  RerankRequest request;
  request.model = reader.text("model").value_or("auto");
  request.query = reader.text("query").value_or("");
  if (request.query.empty()) reader.fail("is missing", "query");
  if (request.query.find('\0') != std::string::npos) {
    reader.fail("contains a NUL character", "query");
  }
  read_documents(reader, request.documents);
  const auto top = reader.integer("top_n", 1, static_cast<int64_t>(kRerankDocumentsMax));
  request.top = static_cast<size_t>(top.value_or(0));
  request.return_documents = reader.flag("return_documents").value_or(true);
  if (reader.error()) return *reader.error();
  return request;
}

OrderedJson rerank_json(const RerankRequest& request, const RerankReply& reply) {
  OrderedJson results = OrderedJson::array();
  for (const RerankResult& one : reply.results) {
    OrderedJson json = {{"index", one.index}, {"relevance_score", one.relevance}};
    if (request.return_documents) json["document"] = {{"text", request.documents[one.index]}};
    if (one.truncated) json["truncated"] = true;
    results.push_back(std::move(json));
  }
  return {{"id", reply.id},
          {"object", "list"},
          {"model", request.model},
          {"results", std::move(results)},
          {"tinyarms", {{"model", reply.model}, {"method", reply.method}}}};
}

}  // namespace tinyarms::openai
