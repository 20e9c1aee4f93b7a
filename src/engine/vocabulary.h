// Whether two models mean the same by their token ids.
#pragma once

#include <llama.h>

#include <string>
#include <string_view>
#include <vector>

#include "engine/draft.h"

namespace tinyarms::engine {

// SHA-256 over kind of tokenizer, every token's text and kind, and which tokens end an answer.
// Some 10 ms for 150,000 tokens: do it once a model.
std::string vocabulary_fingerprint(const llama_vocab* vocabulary);

// The draft in tokens of `vocabulary`, whose fingerprint is given: its own where it has them, else
// its text tokenised anew. A draft that ended has an end token last. Nothing of a foreign trail is
// ever used. Empty where the text cannot be tokenised: the draft is of no use then.
struct DraftTokens {
  std::vector<llama_token> tokens;
  bool same_vocabulary = false;
};
DraftTokens draft_tokens(const llama_vocab* vocabulary, std::string_view fingerprint,
                         const Draft& draft);

}  // namespace tinyarms::engine
