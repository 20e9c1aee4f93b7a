#include "engine/plausible.h"

#include <fmt/format.h>

#include <string_view>
#include <unordered_set>

#include "engine/gguf_header.h"
#include "engine/mapped_file.h"

namespace tinyarms::engine {
namespace {

constexpr uint32_t kLayersMax = 512;
constexpr uint32_t kWidthMax = 1 << 20;
constexpr uint32_t kHeadsMax = 1 << 16;
constexpr uint32_t kVocabularyMax = 1 << 24;

// Empty where nothing is wrong.
std::string implausible_settings(const ModelFacts& facts) {
  if (facts.weight_bytes == 0) return "holds no weights";
  if (facts.vocabulary == 0 || facts.vocabulary > kVocabularyMax) {
    return fmt::format("claims a vocabulary of {}", facts.vocabulary);
  }
  if (facts.context_tokens < 2) return fmt::format("claims a context of {}", facts.context_tokens);
  if (facts.layers == 0 || facts.layers > kLayersMax) {
    return fmt::format("claims {} layers", facts.layers);
  }
  if (facts.embedding_width == 0 || facts.embedding_width > kWidthMax) {
    return fmt::format("claims a width of {}", facts.embedding_width);
  }
  // Recurrent models have no heads; those that have them share keys between whole groups.
  if (facts.heads > kHeadsMax || facts.kv_heads > facts.heads ||
      (facts.kv_heads != 0 && facts.heads % facts.kv_heads != 0)) {
    return fmt::format("claims {} heads over {} of keys", facts.heads, facts.kv_heads);
  }
  if (facts.key_width > kWidthMax || facts.value_width > kWidthMax) {
    return fmt::format("claims heads of {} and {}", facts.key_width, facts.value_width);
  }
  return "";
}

// What is added under the root of a variance.
std::string implausible_epsilon(const GgufHeader& header, const std::string& architecture) {
  for (const char* setting : {"layer_norm_rms_epsilon", "layer_norm_epsilon",
                              "group_norm_epsilon"}) {
    const auto epsilon = header.real(fmt::format("{}.attention.{}", architecture, setting));
    if (epsilon && !(*epsilon >= 0 && *epsilon < 1)) {
      return fmt::format("claims a {} of {}", setting, *epsilon);
    }
  }
  return "";
}

// libllama wants every token's text once. It sees a text only up to its first NUL, and names the
// empty ones itself.
std::string implausible_vocabulary(const GgufHeader& header) {
  const GgufArray* tokens = header.array("tokenizer.ggml.tokens");
  if (tokens == nullptr) return "";
  std::unordered_set<std::string_view> seen;
  seen.reserve(tokens->count);
  for (std::string_view text : tokens->texts()) {
    text = text.substr(0, text.find('\0'));
    if (!text.empty() && !seen.insert(text).second) {
      return fmt::format("its vocabulary holds '{}' twice", text);
    }
  }
  return "";
}

}  // namespace

Result<void> check_plausible(const ModelFacts& facts) {
  std::string what = implausible_settings(facts);
  if (what.empty()) {
    auto file = MappedFile::open(facts.path);
    if (!file) return file.error();
    auto header = GgufHeader::parse(file->bytes(), facts.path);
    if (!header) return header.error();
    what = implausible_epsilon(*header, facts.architecture);
    if (what.empty()) what = implausible_vocabulary(*header);
  }
  if (what.empty()) return {};
  return Error{ErrorCode::Corrupt, std::move(what), facts.path.string(),
               "fetch or import the model again"};
}

}  // namespace tinyarms::engine
