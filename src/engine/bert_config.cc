#include "engine/bert_config.h"

#include <fmt/format.h>
#include <llama.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/file.h"
#include "base/utf8.h"

namespace tinyarms::engine {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr size_t kConfigMax = 1 << 20;
constexpr size_t kVocabularyMax = 32 << 20;

Error error(ErrorCode code, std::string what, const fs::path& place) {
  return Error{code, std::move(what), place.string(),
               code == ErrorCode::Unsupported
                   ? "import a BERT or MPNet encoder as sentence-transformers publishes it"
                   : "fetch the folder again"};
}

Result<json> read_object(const fs::path& file) {
  auto text = read_file(file, kConfigMax);
  if (!text) return text.error();
  json object = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return error(ErrorCode::Corrupt, "is not a JSON object", file);
  return object;
}

// An empty object where there is no such file.
Result<json> read_optional_object(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return json::object();
  return read_object(file);
}

struct Bounds {
  uint32_t low = 1;
  uint32_t high = 1 << 20;
};

Result<uint32_t> read_count(const json& object, const char* key, Bounds bounds,
                            const fs::path& place) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned() ||
      found->get<uint64_t>() < bounds.low || found->get<uint64_t>() > bounds.high) {
    return error(ErrorCode::Corrupt,
                 fmt::format("{} is missing or not between {} and {}", key, bounds.low,
                             bounds.high), place);
  }
  return found->get<uint32_t>();
}

std::string text_or(const json& object, const char* key, std::string otherwise) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

// A token is published as its text, or as an object with its "content".
std::string token_or(const json& object, const char* key, std::string otherwise) {
  const auto found = object.find(key);
  if (found != object.end() && found->is_object()) {
    return text_or(*found, "content", std::move(otherwise));
  }
  return text_or(object, key, std::move(otherwise));
}

bool flag_or(const json& object, const char* key, bool otherwise) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() ? found->get<bool>() : otherwise;
}

// A classifier with one output is a cross-encoder.
Result<bool> read_ranks(const json& object, const fs::path& file) {
  const auto architectures = object.find("architectures");
  if (architectures == object.end() || !architectures->is_array() || architectures->empty() ||
      !architectures->front().is_string() ||
      !architectures->front().get<std::string>().ends_with("ForSequenceClassification")) {
    return false;
  }
  size_t classes = 2;  // what the published library takes where nothing is said
  const auto labels = object.find("id2label");
  const auto count = object.find("num_labels");
  if (labels != object.end() && labels->is_object()) {
    classes = labels->size();
  } else if (count != object.end() && count->is_number_unsigned()) {
    classes = count->get<size_t>();
  }
  if (classes == 1) return true;
  return error(ErrorCode::Unsupported,
               fmt::format("a classifier of {} classes; a reranker has one output", classes), file);
}

Result<void> read_sizes(const json& object, const fs::path& file, BertConfig& config) {
  struct Field {
    const char* key;
    uint32_t* value;
    Bounds bounds;
  };
  const Field fields[] = {
      {"num_hidden_layers", &config.layers, {1, 512}},
      {"hidden_size", &config.width, {1, 1 << 16}},
      {"intermediate_size", &config.feed_forward_width, {1, 1 << 18}},
      {"num_attention_heads", &config.heads, {1, 1 << 10}},
      {"max_position_embeddings", &config.positions, {2, 1 << 16}},
      {"vocab_size", &config.vocabulary, {1, 1 << 22}},
  };
  for (const Field& field : fields) {
    auto count = read_count(object, field.key, field.bounds, file);
    if (!count) return count.error();
    *field.value = *count;
  }
  config.context = config.positions;
  if (config.family == BertFamily::Bert) {
    auto types = read_count(object, "type_vocab_size", {1, 1 << 10}, file);
    if (!types) return types.error();
    config.token_types = *types;
  }
  if (config.width % config.heads != 0) {
    return error(ErrorCode::Corrupt, "hidden_size does not divide by num_attention_heads", file);
  }
  return {};
}

// Rows of the table of positions up to padding's own are never used.
Result<void> read_mpnet(const json& object, const fs::path& file, BertConfig& config) {
  const auto padding = object.find("pad_token_id");
  if (padding != object.end() && !padding->is_null() && *padding != kMpnetPadding) {
    return error(ErrorCode::Unsupported,
                 fmt::format("pad_token_id is not {}, after which MPNet's positions begin",
                             kMpnetPadding), file);
  }
  auto buckets = read_count(object, "relative_attention_num_buckets", {4, 256}, file);
  if (!buckets) return buckets.error();
  constexpr uint32_t kUnused = kMpnetPadding + 1;
  if (*buckets % 4 != 0 || config.positions < kUnused + 3) {
    return error(ErrorCode::Corrupt,
                 "relative_attention_num_buckets does not divide by 4, or there are fewer than 5 "
                 "max_position_embeddings", file);
  }
  config.relative_buckets = *buckets;
  config.context = config.positions - kUnused;
  config.special = {.unknown = "[UNK]", .begin = "<s>", .separator = "</s>", .padding = "<pad>",
                    .mask = "<mask>"};
  return {};
}

Result<void> read_shape(const fs::path& file, BertConfig& config) {
  auto object = read_object(file);
  if (!object) return object.error();
  const auto unsupported = [&](const char* key, const char* wanted) -> Result<void> {
    const std::string value = text_or(*object, key, wanted);
    if (value == wanted) return {};
    return error(ErrorCode::Unsupported, fmt::format("{} is '{}', not '{}'", key, value, wanted),
                 file);
  };
  const std::string model_type = text_or(*object, "model_type", "unknown");
  if (model_type != "bert" && model_type != "mpnet") {
    return error(ErrorCode::Unsupported,
                 fmt::format("the architecture is '{}', not 'bert' or 'mpnet'", model_type), file);
  }
  const bool mpnet = model_type == "mpnet";
  if (mpnet) config.family = BertFamily::Mpnet;
  if (auto plain = unsupported("hidden_act", "gelu"); !plain) return plain;
  if (auto plain = unsupported("position_embedding_type", "absolute"); !plain) return plain;
  auto ranks = read_ranks(*object, file);
  if (!ranks) return ranks.error();
  if (*ranks && mpnet) {
    return error(ErrorCode::Unsupported, "a reranker of MPNet's architecture, not of BERT's", file);
  }
  if (*ranks) config.pooling = Pooling::Rank;
  if (auto read = read_sizes(*object, file, config); !read) return read;
  const auto epsilon = object->find("layer_norm_eps");
  config.norm_epsilon =
      epsilon != object->end() && epsilon->is_number() ? epsilon->get<float>() : 1e-12f;
  if (!(config.norm_epsilon > 0 && config.norm_epsilon < 1)) {
    return error(ErrorCode::Corrupt, "layer_norm_eps is not a small positive number", file);
  }
  return mpnet ? read_mpnet(*object, file, config) : Result<void>();
}

Result<void> read_tokenizer(const fs::path& folder, BertConfig& config) {
  auto tokenizer = read_optional_object(folder / "tokenizer_config.json");
  if (!tokenizer) return tokenizer.error();
  config.lower_case = flag_or(*tokenizer, "do_lower_case", true);
  config.strip_accents = flag_or(*tokenizer, "strip_accents", config.lower_case);
  if (config.family == BertFamily::Mpnet) {
    config.special.unknown = token_or(*tokenizer, "unk_token", config.special.unknown);
  }
  config.window = config.context;
  const fs::path file = folder / "sentence_bert_config.json";
  auto sentence = read_optional_object(file);
  if (!sentence) return sentence.error();
  if (sentence->contains("max_seq_length") && !(*sentence)["max_seq_length"].is_null()) {
    auto window = read_count(*sentence, "max_seq_length", {2, config.context}, file);
    if (!window) return window.error();
    config.window = *window;
  }
  return {};
}

// A transformer, its pooling, and (since every embedding is normalised here) a normalisation.
Result<void> read_pooling(const fs::path& folder, BertConfig& config) {
  if (config.pooling == Pooling::Rank) return {};
  const fs::path modules_file = folder / "modules.json";
  std::error_code ignored;
  if (fs::exists(modules_file, ignored)) {
    auto text = read_file(modules_file, kConfigMax);
    if (!text) return text.error();
    const json modules = json::parse(*text, nullptr, /*allow_exceptions=*/false);
    if (!modules.is_array()) return error(ErrorCode::Corrupt, "is not a JSON list", modules_file);
    for (const json& module : modules) {
      const std::string type = module.is_object() ? text_or(module, "type", "") : "";
      const std::string kind = type.substr(type.rfind('.') + 1);
      if (kind == "Transformer" || kind == "Pooling" || kind == "Normalize") continue;
      return error(ErrorCode::Unsupported, fmt::format("a further layer '{}'", type),
                   modules_file);
    }
  }
  const fs::path file = folder / "1_Pooling" / "config.json";
  auto object = read_optional_object(file);
  if (!object) return object.error();
  const bool cls = flag_or(*object, "pooling_mode_cls_token", false);
  const bool mean = flag_or(*object, "pooling_mode_mean_tokens", object->empty());
  if (cls == mean) {
    return error(ErrorCode::Unsupported, "pooling is neither by mean nor by [CLS]", file);
  }
  config.pooling = cls ? Pooling::Cls : Pooling::Mean;
  return {};
}

// "license: apache-2.0" between the first two "---" lines.
std::string read_licence(const fs::path& readme) {
  auto text = read_file(readme, kConfigMax);
  if (!text || text->rfind("---\n", 0) != 0) return "";
  const std::string_view front = std::string_view(*text).substr(0, text->find("\n---", 4));
  const std::string_view key = "\nlicense:";
  const size_t at = front.find(key);
  if (at == std::string_view::npos) return "";
  std::string_view value = front.substr(at + key.size());
  value = value.substr(0, value.find('\n'));
  const size_t first = value.find_first_not_of(" \"'");
  if (first == std::string_view::npos) return "";
  return std::string(value.substr(first, value.find_last_not_of(" \"'\r") - first + 1));
}

}  // namespace

Result<BertConfig> read_bert_config(const fs::path& folder) {
  BertConfig config;
  if (auto read = read_shape(folder / "config.json", config); !read) return read.error();
  if (auto read = read_tokenizer(folder, config); !read) return read.error();
  if (auto read = read_pooling(folder, config); !read) return read.error();
  config.licence = read_licence(folder / "README.md");
  return config;
}

Result<WordPieceVocabulary> read_wordpiece(const fs::path& file, const SpecialTokens& names) {
  auto text = read_file(file, kVocabularyMax);
  if (!text) return text.error();
  if (find_invalid_utf8(*text)) return error(ErrorCode::Corrupt, "is not UTF-8", file);

  WordPieceVocabulary vocabulary;
  std::set<std::string_view> seen;
  const auto special = [&](std::string_view token) -> int32_t* {
    if (token == names.unknown) return &vocabulary.unknown;
    if (token == names.begin) return &vocabulary.begin;
    if (token == names.separator) return &vocabulary.separator;
    if (token == names.padding) return &vocabulary.padding;
    if (token == names.mask) return &vocabulary.mask;
    return nullptr;
  };
  std::string_view rest = *text;
  while (!rest.empty()) {
    std::string_view token = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), token.size() + 1));
    if (!token.empty() && token.back() == '\r') token.remove_suffix(1);
    const auto id = static_cast<int32_t>(vocabulary.tokens.size());
    if (token.empty() || token.find('\0') != std::string_view::npos || !seen.insert(token).second) {
      return error(ErrorCode::Corrupt, fmt::format("line {} is empty, malformed or there already",
                                                   id + 1), file);
    }
    int32_t* role = special(token);
    if (role != nullptr) {
      *role = id;
      vocabulary.tokens.emplace_back(token);
    } else if (token.size() > 2 && token.substr(0, 2) == "##") {
      vocabulary.tokens.emplace_back(token.substr(2));
    } else {
      vocabulary.tokens.push_back("\xE2\x96\x81" + std::string(token));
    }
    vocabulary.types.push_back(role != nullptr ? LLAMA_TOKEN_TYPE_CONTROL
                                               : LLAMA_TOKEN_TYPE_NORMAL);
  }
  if (vocabulary.unknown < 0 || vocabulary.begin < 0 || vocabulary.separator < 0 ||
      vocabulary.padding < 0) {
    return error(ErrorCode::Unsupported,
                 fmt::format("{}, {}, {} or {} is missing", names.unknown, names.begin,
                             names.separator, names.padding), file);
  }
  // libllama asserts that all texts differ; "##▁x" and "x" would come out the same.
  if (std::set<std::string>(vocabulary.tokens.begin(), vocabulary.tokens.end()).size() !=
      vocabulary.tokens.size()) {
    return error(ErrorCode::Corrupt, "two tokens become the same text", file);
  }
  return vocabulary;
}

}  // namespace tinyarms::engine
