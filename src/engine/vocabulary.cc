#include "engine/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "base/sha256.h"
#include "base/utf8.h"
#include "engine/llama_backend.h"

namespace tinyarms::engine {

std::string vocabulary_fingerprint(const llama_vocab* vocabulary) {
  const int32_t size = llama_vocab_n_tokens(vocabulary);
  std::string all = fmt::format("{} {}\n", static_cast<int>(llama_vocab_type(vocabulary)), size);
  for (llama_token token = 0; token < size; ++token) {
    const char* text = llama_vocab_get_text(vocabulary, token);
    all += text != nullptr ? text : "";
    all += fmt::format("\n{}{}\n", static_cast<int>(llama_vocab_get_attr(vocabulary, token)),
                       llama_vocab_is_eog(vocabulary, token) ? " end" : "");
  }
  return sha256_hex(all);
}

DraftTokens draft_tokens(const llama_vocab* vocabulary, std::string_view fingerprint,
                         const Draft& draft) {
  DraftTokens found;
  const int32_t size = llama_vocab_n_tokens(vocabulary);
  found.same_vocabulary = !draft.trail.tokens.empty() && draft.trail.vocabulary == fingerprint;
  if (found.same_vocabulary) {
    const auto known = [size](llama_token token) { return token >= 0 && token < size; };
    if (std::all_of(draft.trail.tokens.begin(), draft.trail.tokens.end(), known)) {
      found.tokens = draft.trail.tokens;
      return found;
    }
    found.same_vocabulary = false;
  }
  if (draft.text.empty() || find_invalid_utf8(draft.text)) return found;
  try {
    found.tokens =
        tokenize_text(vocabulary, draft.text, {.special = false, .markup = false});
  } catch (const std::exception&) {
    return {};  // a guess that cannot be made is none
  }
  llama_token end = llama_vocab_eot(vocabulary);
  if (end < 0) end = llama_vocab_eos(vocabulary);
  if (draft.ended && end >= 0 && end < size) found.tokens.push_back(end);
  return found;
}

}  // namespace tinyarms::engine
