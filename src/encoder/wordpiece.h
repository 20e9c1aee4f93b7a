// Text → token ids as BERT's tokenizer makes them: accents stripped, lower case, words split at
// white space, punctuation and Chinese characters, each word into the longest pieces of the
// vocabulary. Method: Devlin et al. 2018 and its published tokenizer; Hangul syllables are
// decomposed whole as there (libllama keeps their first letter only).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tinyarms::encoder {

struct WordPieceOptions {
  bool lower_case = true;
  bool strip_accents = true;
  int32_t unknown = -1;
};

// Const after construction, so for any number of threads.
class WordPiece {
 public:
  // `pieces` as GGUF keeps them, by id: "▁word" begins a word, anything else continues one. Errors:
  // Corrupt (no pieces, too many, no such id for unknown words).
  static Result<WordPiece> create(const std::vector<std::string_view>& pieces,
                                  WordPieceOptions options);

  // Without special tokens. Errors: InvalidArgument (not UTF-8; `what` says at which byte).
  Result<std::vector<int32_t>> tokenize(std::string_view text) const;

 private:
  struct Slot {
    uint64_t hash = 0;
    uint32_t offset = 0;  // of the piece in `letters_`
    uint32_t length = 0;
    int32_t id = -1;
  };

  int32_t find(uint64_t hash, std::string_view piece) const;
  void insert(std::string_view piece, int32_t id);
  void add_word(std::string_view word, std::vector<int32_t>& ids) const;

  WordPieceOptions options_;
  std::string letters_;
  std::vector<Slot> slots_;  // open addressing, a power of two
  size_t piece_bytes_max_ = 0;
};

}  // namespace tinyarms::encoder
