// /v1/rerank as Jina and Cohere have it (OpenAI has none): a body → RerankRequest, scores → the
// reply. Errors: InvalidArgument, with the field's name as `where`.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "openai/chat_render.h"
#include "openai/field_reader.h"

namespace tinyarms::openai {

struct RerankRequest {
  std::string model = "auto";
  std::string query;
  std::vector<std::string> documents;
  size_t top = 0;  // 0: all
  bool return_documents = true;
};

struct RerankResult {
  size_t index = 0;    // among the documents
  double relevance = 0;
  bool truncated = false;
};

struct RerankReply {
  std::string id;
  std::string model;   // that scored
  std::string method;
  std::vector<RerankResult> results;  // best first
};

inline constexpr size_t kRerankDocumentsMax = 10000;

Result<RerankRequest> parse_rerank(const Json& body);
OrderedJson rerank_json(const RerankRequest& request, const RerankReply& reply);

}  // namespace tinyarms::openai
