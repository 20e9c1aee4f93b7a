#include "engine/plausible.h"

#include <fmt/format.h>
#include <gguf.h>

#include <string_view>
#include <unordered_set>

#include "engine/mapped_file.h"

namespace tinyarms::engine {
namespace {

constexpr uint32_t kLayersMax = 512;
constexpr uint32_t kWidthMax = 1 << 20;
constexpr uint32_t kHeadsMax = 1 << 16;
constexpr uint32_t kVocabularyMax = 1 << 24;

// What was found, empty where nothing is wrong.
struct Implausible {
  const char* kind = "";
  std::string name{};  // of the key or tensor
  std::string what{};
};

Implausible settings_of(const ModelFacts& facts) {
  if (facts.weight_bytes == 0) return {"no_weights", "", "holds no weights"};
  if (facts.vocabulary == 0 || facts.vocabulary > kVocabularyMax) {
    return {"vocabulary_size", "tokenizer.ggml.tokens",
            fmt::format("claims a vocabulary of {}", facts.vocabulary)};
  }
  const auto key = [&](const char* setting) { return facts.architecture + "." + setting; };
  if (facts.context_tokens < 2) {
    return {"context_length", key("context_length"),
            fmt::format("claims a context of {}", facts.context_tokens)};
  }
  if (facts.layers == 0 || facts.layers > kLayersMax) {
    return {"layers", key("block_count"), fmt::format("claims {} layers", facts.layers)};
  }
  if (facts.embedding_width == 0 || facts.embedding_width > kWidthMax) {
    return {"width", key("embedding_length"),
            fmt::format("claims a width of {}", facts.embedding_width)};
  }
  // Recurrent models have no heads; those that have them share keys between whole groups.
  if (facts.heads > kHeadsMax || facts.kv_heads > facts.heads ||
      (facts.kv_heads != 0 && facts.heads % facts.kv_heads != 0)) {
    return {"heads", key("attention.head_count"),
            fmt::format("claims {} heads over {} of keys", facts.heads, facts.kv_heads)};
  }
  if (facts.key_width > kWidthMax || facts.value_width > kWidthMax) {
    return {"head_width", key("attention.key_length"),
            fmt::format("claims heads of {} and {}", facts.key_width, facts.value_width)};
  }
  return {};
}

// What is added under the root of a variance.
Implausible epsilon_of(const GgufHeader& header, const std::string& architecture) {
  for (const char* setting : {"layer_norm_rms_epsilon", "layer_norm_epsilon",
                              "group_norm_epsilon"}) {
    const std::string key = fmt::format("{}.attention.{}", architecture, setting);
    const auto epsilon = header.real(key);
    if (epsilon && !(*epsilon >= 0 && *epsilon < 1)) {
      return {"epsilon", key, fmt::format("claims a {} of {}", setting, *epsilon)};
    }
  }
  return {};
}

// libllama wants every token's text once. It sees a text only up to its first NUL, and names the
// empty ones itself. It reads as many scores and types as there are tokens, without looking how
// many there are.
Implausible vocabulary_of(const GgufHeader& header) {
  constexpr const char* kTokens = "tokenizer.ggml.tokens";
  const GgufArray* tokens = header.array(kTokens);
  if (tokens == nullptr) return {};
  if (tokens->element_type != GGUF_TYPE_STRING) {
    return {"vocabulary_type", kTokens, "its vocabulary is no list of texts"};
  }
  for (const char* key : {"tokenizer.ggml.scores", "tokenizer.ggml.token_type"}) {
    const GgufArray* list = header.array(key);
    if (list != nullptr && list->count != tokens->count) {
      return {"vocabulary_lists", key, fmt::format("'{}' has {} elements for {} tokens", key,
                                                   list->count, tokens->count)};
    }
    const bool scores = std::string_view(key).ends_with("scores");
    if (list != nullptr && (scores ? list->element_type != GGUF_TYPE_FLOAT32
                                   : list->element_type != GGUF_TYPE_INT32 &&
                                         list->element_type != GGUF_TYPE_UINT32)) {
      return {"vocabulary_type", key, fmt::format("'{}' is a list of another type", key)};
    }
  }
  std::unordered_set<std::string_view> seen;
  seen.reserve(tokens->count);
  for (std::string_view text : tokens->texts()) {
    text = text.substr(0, text.find('\0'));
    if (!text.empty() && !seen.insert(text).second) {
      return {"duplicate_token", kTokens, fmt::format("its vocabulary holds '{}' twice", text)};
    }
  }
  return {};
}

Implausible table_of(const GgufHeader& header, const ModelFacts& facts) {
  constexpr const char* kTable = "token_embd.weight";
  const GgufTensor* table = header.tensor(kTable);
  // The decoder of a speech codec has a width of its own for its inputs.
  if (table == nullptr || facts.architecture == "wavtokenizer-dec") return {};
  if (table->shape[0] != facts.embedding_width || table->shape[1] != facts.vocabulary) {
    return {"table_shape", kTable,
            fmt::format("'{}' is of {} × {}, not of a width of {} and {} tokens", kTable,
                        table->shape[0], table->shape[1], facts.embedding_width,
                        facts.vocabulary)};
  }
  return {};
}

}  // namespace

Result<void> check_plausible(const ModelFacts& facts, const GgufHeader& header,
                             FileFault* fault) {
  const uint64_t parts = header.integer("split.count").value_or(1);
  if (parts > 1) {
    if (fault != nullptr) *fault = {.kind = "part_of_several", .byte = 0, .name = "split.count"};
    return Error{ErrorCode::Unsupported,
                 fmt::format("is one of the {} parts of a model", parts), facts.path.string(),
                 "join them: tinyarms pull FIRST_PART"};
  }
  Implausible found = settings_of(facts);
  if (found.what.empty()) found = epsilon_of(header, facts.architecture);
  if (found.what.empty()) found = vocabulary_of(header);
  if (found.what.empty()) found = table_of(header, facts);
  if (found.what.empty()) return {};
  if (fault != nullptr) {
    *fault = {.kind = found.kind, .byte = 0, .name = std::move(found.name)};
  }
  return Error{ErrorCode::Corrupt, std::move(found.what), facts.path.string(),
               "fetch or import the model again"};
}

Result<void> check_plausible(const ModelFacts& facts) {
  auto file = MappedFile::open(facts.path);
  if (!file) return file.error();
  auto header = GgufHeader::parse(file->bytes(), facts.path);
  if (!header) return header.error();
  return check_plausible(facts, *header, nullptr);
}

}  // namespace tinyarms::engine
