#include "scan/glob.h"

#include <fmt/format.h>

#include <algorithm>

namespace tinyarms::scan {
namespace {

Error glob_error(std::string_view pattern, std::string_view what) {
  return Error{ErrorCode::InvalidArgument, fmt::format("the glob '{}' {}", pattern, what), "",
               "write \\ before a character that shall stand for itself"};
}

unsigned char lower(unsigned char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<unsigned char>(byte + 32) : byte;
}

// Where the class that opens at `at` closes; npos where it does not. A ] right after [ or [! is
// a member.
size_t class_end(std::string_view pattern, size_t at) {
  size_t i = at + 1;
  if (i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^')) ++i;
  if (i < pattern.size() && pattern[i] == ']') ++i;
  for (; i < pattern.size(); ++i) {
    if (pattern[i] == ']') return i;
    if (pattern[i] == '\\') ++i;
  }
  return std::string_view::npos;
}

// The first {a,b} of the pattern: where it opens, its commas, where it closes.
struct Braces {
  size_t open = std::string_view::npos;
  std::vector<size_t> cuts;  // the opening brace, every comma, the closing brace
};

Result<Braces> find_braces(std::string_view pattern) {
  Braces found;
  size_t depth = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == '[' && class_end(pattern, i) != std::string_view::npos) {
      i = class_end(pattern, i);
    } else if (pattern[i] == '{') {
      if (depth++ == 0) {
        found.open = i;
        found.cuts = {i};
      }
    } else if (pattern[i] == ',' && depth == 1) {
      found.cuts.push_back(i);
    } else if (pattern[i] == '}' && depth > 0 && --depth == 0) {
      found.cuts.push_back(i);
      return found;
    }
  }
  if (depth > 0) return glob_error(pattern, "opens { without closing it");
  return Braces{};
}

Result<std::vector<std::string>> expand_braces(std::string_view pattern) {
  std::vector<std::string> open = {std::string(pattern)};
  std::vector<std::string> done;
  while (!open.empty()) {
    const std::string current = std::move(open.back());
    open.pop_back();
    auto braces = find_braces(current);
    if (!braces) return braces.error();
    if (braces->cuts.empty()) {
      done.push_back(current);
    } else {
      const size_t close = braces->cuts.back();
      for (size_t i = braces->cuts.size() - 1; i > 0; --i) {
        const size_t from = braces->cuts[i - 1] + 1;
        open.push_back(current.substr(0, braces->open) +
                       current.substr(from, braces->cuts[i] - from) + current.substr(close + 1));
      }
    }
    if (open.size() + done.size() > kGlobAlternativesMax) {
      return glob_error(pattern, fmt::format("has more than {} alternatives",
                                             kGlobAlternativesMax));
    }
  }
  return done;
}

}  // namespace

Result<Glob> Glob::compile(std::string_view pattern, GlobOptions options) {
  if (pattern.size() > kGlobBytesMax) {
    return glob_error(pattern.substr(0, 40), fmt::format("is over {} bytes long", kGlobBytesMax));
  }
  Glob glob;
  glob.text_ = pattern;
  glob.options_ = options;
  std::vector<std::string> alternatives = {glob.text_};
  if (options.alternatives) {
    auto expanded = expand_braces(pattern);
    if (!expanded) return expanded.error();
    alternatives = std::move(*expanded);
  }
  for (const std::string& alternative : alternatives) {
    auto tokens = glob.compile_one(alternative);
    if (!tokens) return tokens.error();
    glob.alternatives_.push_back(std::move(*tokens));
  }
  return glob;
}

Result<Glob::Sequence> Glob::compile_one(std::string_view pattern) {
  Sequence tokens;
  for (size_t i = 0; i < pattern.size(); ++i) {
    Token token;
    const char c = pattern[i];
    if (c == '*') {
      size_t end = i;
      while (end < pattern.size() && pattern[end] == '*') ++end;
      const bool whole_component = end - i == 2 && (i == 0 || pattern[i - 1] == '/') &&
                                   (end == pattern.size() || pattern[end] == '/');
      token.kind = Token::Kind::Star;
      if (whole_component) token.kind = Token::Kind::Everything;
      if (whole_component && end < pattern.size()) {
        token.kind = Token::Kind::Directories;
        ++end;
      }
      i = end - 1;
    } else if (c == '?') {
      token.kind = Token::Kind::Any;
    } else if (c == '[') {
      auto end = compile_class(pattern, i, token);
      if (!end) return end.error();
      i = *end;
    } else {
      if (c == '\\' && ++i == pattern.size()) return glob_error(pattern, "ends in \\");
      token.byte = static_cast<unsigned char>(pattern[i]);
      if (options_.case_insensitive) token.byte = lower(token.byte);
    }
    tokens.push_back(token);
  }
  return tokens;
}

// Gives the place of the closing bracket.
Result<size_t> Glob::compile_class(std::string_view pattern, size_t at, Token& token) {
  const size_t end = class_end(pattern, at);
  if (end == std::string_view::npos) return glob_error(pattern, "opens [ without closing it");
  size_t i = at + 1;
  const bool negated = pattern[i] == '!' || pattern[i] == '^';
  if (negated) ++i;
  std::bitset<256> set;
  while (i < end) {
    if (pattern[i] == '\\' && i + 1 < end) ++i;
    const auto low = static_cast<unsigned char>(pattern[i++]);
    unsigned char high = low;
    if (i + 1 < end && pattern[i] == '-') {
      i += pattern[i + 1] == '\\' && i + 2 < end ? 2 : 1;
      high = static_cast<unsigned char>(pattern[i++]);
    }
    for (unsigned value = low; value <= high; ++value) {
      const auto member = static_cast<unsigned char>(value);
      set.set(options_.case_insensitive ? lower(member) : member);
    }
  }
  token.kind = Token::Kind::Class;
  token.set = static_cast<uint32_t>(sets_.size());
  sets_.push_back(negated ? ~set : set);
  return end;
}

bool Glob::token_takes(const Token& token, unsigned char byte) const {
  const bool separator = byte == '/' && options_.literal_separator;
  switch (token.kind) {
    case Token::Kind::Byte: return token.byte == byte;
    case Token::Kind::Any:
    case Token::Kind::Star: return !separator;
    case Token::Kind::Class: return !separator && sets_[token.set].test(byte);
    case Token::Kind::Everything:
    case Token::Kind::Directories: return true;
  }
  return false;
}

// All states of the pattern at once, so that no pattern can make it back up.
bool Glob::matches_one(const Sequence& tokens, std::string_view path) const {
  std::vector<char> now(tokens.size() + 1, 0);
  std::vector<char> next(tokens.size() + 1, 0);
  const auto enter = [&tokens](std::vector<char>& states, size_t state, bool component_starts) {
    for (;; ++state) {
      states[state] = 1;
      if (state == tokens.size()) return;
      const Token::Kind kind = tokens[state].kind;
      const bool may_be_empty = kind == Token::Kind::Star || kind == Token::Kind::Everything ||
                                (kind == Token::Kind::Directories && component_starts);
      if (!may_be_empty) return;
    }
  };
  enter(now, 0, true);
  for (const char c : path) {
    auto byte = static_cast<unsigned char>(c);
    if (options_.case_insensitive) byte = lower(byte);
    std::fill(next.begin(), next.end(), 0);
    bool alive = false;
    for (size_t state = 0; state < tokens.size(); ++state) {
      if (!now[state] || !token_takes(tokens[state], byte)) continue;
      alive = true;
      switch (tokens[state].kind) {
        case Token::Kind::Byte:
        case Token::Kind::Any:
        case Token::Kind::Class: enter(next, state + 1, byte == '/'); break;
        case Token::Kind::Star:
        case Token::Kind::Everything: enter(next, state, byte == '/'); break;
        case Token::Kind::Directories:
          next[state] = 1;
          if (byte == '/') enter(next, state + 1, true);
          break;
      }
    }
    if (!alive) return false;
    now.swap(next);
  }
  return now[tokens.size()] != 0;
}

bool Glob::matches(std::string_view path) const {
  return std::any_of(alternatives_.begin(), alternatives_.end(),
                     [&](const Sequence& tokens) { return matches_one(tokens, path); });
}

}  // namespace tinyarms::scan
