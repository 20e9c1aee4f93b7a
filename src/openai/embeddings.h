// /v1/embeddings: a body → EmbeddingsRequest, vectors → the reply. Errors: InvalidArgument, with
// the field's name as `where`; Unsupported (token numbers instead of texts).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "openai/chat_render.h"
#include "openai/field_reader.h"

namespace tinyarms::openai {

struct EmbeddingsRequest {
  std::string model;
  std::vector<std::string> texts;
  size_t dimensions = 0;  // 0: the model's
  bool base64 = false;    // little-endian floats, as openai-node asks for
  std::string purpose;    // `input_type` as other servers have it: "query", "document", or nothing
};

inline constexpr size_t kEmbeddingTextsMax = 2048;  // OpenAI's own limit

Result<EmbeddingsRequest> parse_embeddings(const Json& body);

OrderedJson embeddings_json(const EmbeddingsRequest& request,
                            std::span<const std::vector<float>> vectors, int64_t prompt_tokens);

}  // namespace tinyarms::openai
