// What a sentence-transformers folder says of its BERT encoder or cross-encoder, or of its MPNet
// encoder, apart from the weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace tinyarms::engine {

// Rank: not a vector but a score of a pair of texts, by a classifier over [CLS].
enum class Pooling { Mean, Cls, Rank };

// Mpnet: Song et al. 2020, as the published library has it.
enum class BertFamily { Bert, Mpnet };

// As they stand in vocab.txt; BERT's.
struct SpecialTokens {
  std::string unknown = "[UNK]";
  std::string begin = "[CLS]";
  std::string separator = "[SEP]";
  std::string padding = "[PAD]";
  std::string mask = "[MASK]";
};

struct BertConfig {
  BertFamily family = BertFamily::Bert;
  SpecialTokens special;
  uint32_t layers = 0;
  uint32_t width = 0;
  uint32_t feed_forward_width = 0;
  uint32_t heads = 0;
  uint32_t positions = 0;    // rows of the table of positions
  uint32_t context = 0;      // tokens that these rows suffice for
  uint32_t window = 0;       // tokens the model is used with, ≤ context
  uint32_t token_types = 0;  // rows of the table of token types; MPNet has none
  uint32_t relative_buckets = 0;  // of MPNet's table of relative positions
  uint32_t vocabulary = 0;
  float norm_epsilon = 0;
  bool lower_case = true;
  bool strip_accents = true;
  Pooling pooling = Pooling::Mean;
  std::string licence;  // from the README's front matter, may be empty
};

// config.json, tokenizer_config.json, sentence_bert_config.json, modules.json, 1_Pooling and
// README.md; only the first must be there. Errors: NotFound, Io, Corrupt, Unsupported (another
// architecture, activation, kind of position, pooling, or a further layer; a classifier of several
// classes, which scores nothing; one of MPNet).
Result<BertConfig> read_bert_config(const std::filesystem::path& folder);

struct WordPieceVocabulary {
  std::vector<std::string> tokens;  // as libllama wants them: words with "▁", rests without "##"
  std::vector<int32_t> types;       // llama_token_type
  int32_t unknown = -1;
  int32_t begin = -1;
  int32_t separator = -1;
  int32_t padding = -1;
  int32_t mask = -1;  // stays −1 where there is none
};

// vocab.txt, a token a line. Errors: NotFound, Io, Corrupt (not UTF-8, a token twice), Unsupported
// (a special token but the mask missing: not a WordPiece vocabulary of this family).
Result<WordPieceVocabulary> read_wordpiece(const std::filesystem::path& file,
                                           const SpecialTokens& names);

// The id of MPNet's padding, fixed in the published code: positions begin at the next number.
inline constexpr int32_t kMpnetPadding = 1;
// Farther tokens fall into the last bucket of relative positions; fixed there too.
inline constexpr uint32_t kMpnetMaxDistance = 128;

}  // namespace tinyarms::engine
