// What a sentence-transformers folder says of its BERT encoder or cross-encoder, apart from the
// weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace tinyarms::engine {

// Rank: not a vector but a score of a pair of texts, by a classifier over [CLS].
enum class Pooling { Mean, Cls, Rank };

struct BertConfig {
  uint32_t layers = 0;
  uint32_t width = 0;
  uint32_t feed_forward_width = 0;
  uint32_t heads = 0;
  uint32_t positions = 0;    // rows of the table of positions
  uint32_t window = 0;       // tokens the model is used with, ≤ positions
  uint32_t token_types = 0;  // rows of the table of token types
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
// classes, which scores nothing).
Result<BertConfig> read_bert_config(const std::filesystem::path& folder);

struct WordPieceVocabulary {
  std::vector<std::string> tokens;  // as libllama wants them: words with "▁", rests without "##"
  std::vector<int32_t> types;       // llama_token_type
  int32_t unknown = -1;
  int32_t begin = -1;  // [CLS]
  int32_t separator = -1;
  int32_t padding = -1;
  int32_t mask = -1;  // stays −1 where there is none
};

// vocab.txt, a token a line. Errors: NotFound, Io, Corrupt (not UTF-8, a token twice), Unsupported
// ([CLS], [SEP], [UNK] or [PAD] missing: not a WordPiece vocabulary of BERT).
Result<WordPieceVocabulary> read_wordpiece(const std::filesystem::path& file);

}  // namespace tinyarms::engine
