#include "openai/embeddings.h"

#include <fmt/format.h>

#include <bit>

#include "base/base64.h"

namespace tinyarms::openai {
namespace {

static_assert(std::endian::native == std::endian::little, "clients read little-endian floats");

void read_texts(FieldReader& reader, std::vector<std::string>& texts) {
  const Json* input = reader.find("input");
  if (input == nullptr) return reader.fail("is missing", "input");
  const bool numbers = input->is_array() && !input->empty() &&
                       (input->front().is_number() || input->front().is_array());
  if (numbers) {
    return reader.fail("token numbers are those of another model: send texts", "input",
                       ErrorCode::Unsupported);
  }
  texts = reader.texts("input", kEmbeddingTextsMax);
  if (texts.empty()) reader.fail("must hold at least one text", "input");
  for (const std::string& text : texts) {
    if (text.empty()) return reader.fail("may not hold an empty text", "input");
    if (text.find('\0') != std::string::npos) {
      return reader.fail("contains a NUL character", "input");
    }
  }
}

std::string purpose_of(const std::string& type) {
  if (type == "query" || type == "search_query") return "query";
  if (type == "document" || type == "search_document" || type == "passage") return "document";
  return "";
}

OrderedJson vector_json(const std::vector<float>& vector, bool base64) {
  if (!base64) return vector;
  return base64_encode({reinterpret_cast<const char*>(vector.data()),
                        vector.size() * sizeof(float)});
}

}  // namespace

Result<EmbeddingsRequest> parse_embeddings(const Json& body) {
  FieldReader reader(body, "");
  EmbeddingsRequest request;
  request.model = reader.text("model").value_or("");
  if (request.model.empty()) reader.fail("you must provide a model", "model");
  read_texts(reader, request.texts);
  request.dimensions =
      static_cast<size_t>(reader.integer("dimensions", 1, 1 << 16).value_or(0));
  const std::string format = reader.text("encoding_format").value_or("float");
  if (format != "float" && format != "base64") {
    reader.fail("must be 'float' or 'base64'", "encoding_format");
  }
  request.base64 = format == "base64";
  request.purpose = purpose_of(reader.text("input_type").value_or(""));
  if (reader.error()) return *reader.error();
  return request;
}

OrderedJson embeddings_json(const EmbeddingsRequest& request,
                            std::span<const std::vector<float>> vectors, int64_t prompt_tokens) {
  OrderedJson data = OrderedJson::array();
  for (size_t i = 0; i < vectors.size(); ++i) {
    data.push_back({{"object", "embedding"},
                    {"index", i},
                    {"embedding", vector_json(vectors[i], request.base64)}});
  }
  return {{"object", "list"},
          {"data", std::move(data)},
          {"model", request.model},
          {"usage", {{"prompt_tokens", prompt_tokens}, {"total_tokens", prompt_tokens}}}};
}

}  // namespace tinyarms::openai
