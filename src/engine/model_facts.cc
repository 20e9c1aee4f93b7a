#include "engine/model_facts.h"

#include <fmt/format.h>
#include <ggml.h>
#include <llama.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "engine/gguf_header.h"
#include "engine/mapped_file.h"

namespace tinyarms::engine {
namespace {

// Short names as in file names; general.file_type counts as libllama's llama_ftype does.
std::string file_type_name(uint64_t type) {
  switch (type) {
    case LLAMA_FTYPE_ALL_F32: return "F32";
    case LLAMA_FTYPE_MOSTLY_F16: return "F16";
    case LLAMA_FTYPE_MOSTLY_BF16: return "BF16";
    case LLAMA_FTYPE_MOSTLY_Q4_0: return "Q4_0";
    case LLAMA_FTYPE_MOSTLY_Q4_1: return "Q4_1";
    case LLAMA_FTYPE_MOSTLY_Q5_0: return "Q5_0";
    case LLAMA_FTYPE_MOSTLY_Q5_1: return "Q5_1";
    case LLAMA_FTYPE_MOSTLY_Q8_0: return "Q8_0";
    case LLAMA_FTYPE_MOSTLY_Q2_K: return "Q2_K";
    case LLAMA_FTYPE_MOSTLY_Q2_K_S: return "Q2_K_S";
    case LLAMA_FTYPE_MOSTLY_Q3_K_S: return "Q3_K_S";
    case LLAMA_FTYPE_MOSTLY_Q3_K_M: return "Q3_K_M";
    case LLAMA_FTYPE_MOSTLY_Q3_K_L: return "Q3_K_L";
    case LLAMA_FTYPE_MOSTLY_Q4_K_S: return "Q4_K_S";
    case LLAMA_FTYPE_MOSTLY_Q4_K_M: return "Q4_K_M";
    case LLAMA_FTYPE_MOSTLY_Q5_K_S: return "Q5_K_S";
    case LLAMA_FTYPE_MOSTLY_Q5_K_M: return "Q5_K_M";
    case LLAMA_FTYPE_MOSTLY_Q6_K: return "Q6_K";
    case LLAMA_FTYPE_MOSTLY_IQ4_NL: return "IQ4_NL";
    case LLAMA_FTYPE_MOSTLY_IQ4_XS: return "IQ4_XS";
    default: return "";
  }
}

std::string commonest_tensor_type(const GgufHeader& header) {
  std::map<int, uint64_t> elements;
  for (const GgufTensor& tensor : header.tensors()) elements[tensor.type] += tensor.elements();
  if (elements.empty()) return "";
  const auto most = std::max_element(elements.begin(), elements.end(), [](const auto& a,
                                     const auto& b) { return a.second < b.second; });
  std::string name = ggml_type_name(static_cast<ggml_type>(most->first));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

// What ggml's CPU backend repacks on x86-64 with AVX2 or AVX-512, and on ARM.
bool is_rearranged(int type) {
  switch (type) {
    case GGML_TYPE_Q4_0:
    case GGML_TYPE_Q4_K:
    case GGML_TYPE_Q2_K:
    case GGML_TYPE_IQ4_NL:
    case GGML_TYPE_MXFP4: return true;
#if defined(__aarch64__)
    case GGML_TYPE_Q5_K:
    case GGML_TYPE_Q6_K:
    case GGML_TYPE_Q8_0: return true;
#endif
    default: return false;
  }
}

// Settings live under "<architecture>.<setting>".
class Settings {
 public:
  Settings(const GgufHeader& header, const std::string& architecture)
      : header_(header), prefix_(architecture + ".") {}

  // A number, or the largest of a list with one for each layer.
  uint32_t number(const char* setting, uint32_t otherwise = 0) const {
    const std::string key = prefix_ + setting;
    if (const auto value = header_.integer(key)) return clip(*value);
    const GgufArray* list = header_.array(key);
    if (list == nullptr || list->integers.empty()) return otherwise;
    return clip(*std::max_element(list->integers.begin(), list->integers.end()));
  }
  std::optional<bool> flag(const char* setting) const { return header_.flag(prefix_ + setting); }

 private:
  static uint32_t clip(uint64_t value) {
    return static_cast<uint32_t>(
        std::min<uint64_t>(value, std::numeric_limits<uint32_t>::max()));
  }

  const GgufHeader& header_;
  std::string prefix_;
};

// An encoder attends both ways, or says how its outputs are pooled into one vector.
bool is_encoder(const std::string& architecture, const Settings& settings) {
  constexpr std::array kEncoders = {"bert",         "modern-bert", "nomic-bert", "nomic-bert-moe",
                                    "neo-bert",     "eurobert",    "jina-bert-v2",
                                    "jina-bert-v3", "gemma-embedding", "t5encoder"};
  if (std::find(kEncoders.begin(), kEncoders.end(), architecture) != kEncoders.end()) return true;
  if (settings.flag("attention.causal") == false) return true;
  return settings.number("pooling_type", LLAMA_POOLING_TYPE_NONE) != LLAMA_POOLING_TYPE_NONE;
}

void read_shape(const GgufHeader& header, const Settings& settings, ModelFacts& facts) {
  facts.layers = settings.number("block_count");
  facts.embedding_width = settings.number("embedding_length");
  facts.feed_forward_width = settings.number("feed_forward_length");
  facts.heads = settings.number("attention.head_count");
  facts.kv_heads = settings.number("attention.head_count_kv", facts.heads);
  const uint32_t head_width = facts.heads != 0 ? facts.embedding_width / facts.heads : 0;
  facts.key_width = settings.number("attention.key_length", head_width);
  facts.value_width = settings.number("attention.value_length", head_width);
  facts.context_tokens = settings.number("context_length");
  if (const auto window = header.integer(kWindowKey)) {
    facts.context_tokens =
        static_cast<uint32_t>(std::min<uint64_t>(facts.context_tokens, *window));
  }
  const GgufArray* tokens = header.array("tokenizer.ggml.tokens");
  facts.vocabulary = tokens != nullptr ? static_cast<uint32_t>(tokens->count)
                                       : settings.number("vocab_size");
}

}  // namespace

Result<ModelFacts> inspect_model(const std::filesystem::path& path) {
  auto file = MappedFile::open(path);
  if (!file) return file.error();
  auto header = GgufHeader::parse(file->bytes(), path);
  if (!header) return header.error();
  return facts_of(*header, path, file->bytes().size());
}

Result<ModelFacts> facts_of(const GgufHeader& header, const std::filesystem::path& path,
                            uint64_t file_bytes) {
  ModelFacts facts;
  facts.path = path;
  facts.file_bytes = file_bytes;
  facts.architecture = header.text("general.architecture").value_or("");
  if (facts.architecture.empty()) {
    return Error{ErrorCode::Corrupt, "does not say which architecture it is", path.string(),
                 "fetch or import the model again"};
  }
  facts.name = header.text("general.name").value_or("");
  if (facts.name.empty()) facts.name = path.stem().string();
  facts.licence = header.text("general.license").value_or("");
  if (const auto type = header.integer("general.file_type")) {
    facts.quantization = file_type_name(*type);
  }
  if (facts.quantization.empty()) facts.quantization = commonest_tensor_type(header);
  for (const GgufTensor& tensor : header.tensors()) {
    facts.weight_bytes += tensor.bytes;
    if (is_rearranged(tensor.type)) facts.rearranged_bytes += tensor.bytes;
    facts.parameters += tensor.elements();
  }
  const Settings settings(header, facts.architecture);
  read_shape(header, settings, facts);
  facts.encoder = is_encoder(facts.architecture, settings);
  facts.reranker = settings.number("pooling_type") == LLAMA_POOLING_TYPE_RANK;
  return facts;
}

}  // namespace tinyarms::engine
