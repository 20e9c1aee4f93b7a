// A question cut into what the gate compares: words, which may be folded, and exact things, which
// may not (identifiers, numbers, versions, paths, flags, operators, quoted text and code).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tinyarms::gate {

enum class TokenKind {
  Word,        // letters only; `folded` is lower case
  Number,      // "1000", "3.5", "-1"; thousands' commas are gone
  Version,     // "3.10.2", "v2", "2024-01-31": digits with more than a number has
  Unit,        // what stands right behind a number: "ms", "GB", "%"
  Identifier,  // "parse_config", "camelCase", "sort()", "--force", "a.b"
  Path,        // "src/main.cc", "C:\x", "/etc/hosts", "http://…"
  Quote,       // what stood in backticks, a code fence or quotation marks
  Symbol,      // "+", "&&", "=="
};

struct Token {
  TokenKind kind = TokenKind::Word;
  std::string text;    // as it stood, without punctuation around it
  std::string folded;  // of a word: lower case (ASCII); of anything else: as `text`
};

// Any bytes are taken. Linear in the text. `is_known` tells of a lower-case text with other
// characters than letters whether it is one word after all ("c++", "node.js", "k8s").
template <typename IsKnown>
std::vector<Token> tokenize(std::string_view text, const IsKnown& is_known);

// The same with the predicate as a function.
using KnownWord = bool (*)(const void* context, std::string_view word);
std::vector<Token> tokenize_with(std::string_view text, KnownWord known, const void* context);

template <typename IsKnown>
std::vector<Token> tokenize(std::string_view text, const IsKnown& is_known) {
  return tokenize_with(
      text,
      [](const void* context, std::string_view word) {
        return (*static_cast<const IsKnown*>(context))(word);
      },
      &is_known);
}

}  // namespace tinyarms::gate
