// Path globs in the two dialects that rule projects use: those of .gitignore, where * and ? stop at
// a slash, and globset's (languages' globs, ast-grep's `files`), where they do not. Both know **,
// [a-z], [!a-z] and \x; {a,b} only the second. A path always separates by '/'.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tinyarms::scan {

inline constexpr size_t kGlobBytesMax = 4096;
inline constexpr size_t kGlobAlternativesMax = 256;  // what {a,b}{c,d}… may expand to

struct GlobOptions {
  bool literal_separator = false;  // * and ? do not match '/'
  bool case_insensitive = false;   // ASCII
  bool alternatives = true;        // {a,b}
};

// Const after compile(); matching costs pattern × path at the most, whatever the pattern.
class Glob {
 public:
  // Errors: InvalidArgument (an unclosed [ or {, a dangling \, too long, too many alternatives).
  static Result<Glob> compile(std::string_view pattern, GlobOptions options);

  bool matches(std::string_view path) const;
  const std::string& text() const { return text_; }

 private:
  struct Token {
    enum class Kind : uint8_t {
      Byte,          // this byte
      Any,           // any byte (not '/' where separators are literal)
      Class,         // one of `set` (neither)
      Star,          // any run (likewise)
      Everything,    // any run, slashes included
      Directories,   // "**/": nothing, or any run that ends in '/'
    };
    Kind kind = Kind::Byte;
    unsigned char byte = 0;
    uint32_t set = 0;  // index into sets_
  };
  using Sequence = std::vector<Token>;

  Result<Sequence> compile_one(std::string_view pattern);
  Result<size_t> compile_class(std::string_view pattern, size_t at, Token& token);
  bool matches_one(const Sequence& tokens, std::string_view path) const;
  bool token_takes(const Token& token, unsigned char byte) const;

  std::string text_;
  GlobOptions options_;
  std::vector<Sequence> alternatives_;
  std::vector<std::bitset<256>> sets_;
};

}  // namespace tinyarms::scan
