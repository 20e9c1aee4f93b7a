// Names from one case to another: split into words, then joined.
#include <string>
#include <utility>
#include <vector>

#include "rules/transform.h"

namespace tinyarms::rules {
namespace {

struct Character {
  char32_t code = 0;
  size_t size = 0;
};

Character decode(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (size > text.size()) size = 1;
  if (size == 1) return {first, 1};
  char32_t code = first & (0xFFu >> (size + 1));
  for (size_t i = 1; i < size; ++i) code = code << 6 | (byte(i) & 0x3Fu);
  return {code, size};
}

void encode(char32_t code, std::string& out) {
  const auto put = [&](char32_t bits) { out += static_cast<char>(bits); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

// The simple case mappings of ASCII, Latin-1, Latin Extended-A, Greek, Cyrillic and full-width
// Latin.
char32_t to_lower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 32;
  if (c >= 0x100 && c <= 0x137) return c | 1;
  if (c >= 0x14A && c <= 0x177) return c | 1;
  if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return c + (c & 1);
  if (c >= 0x391 && c <= 0x3A9 && c != 0x3A2) return c + 32;
  if (c >= 0x410 && c <= 0x42F) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  if (c >= 0xFF21 && c <= 0xFF3A) return c + 32;
  return c;
}

char32_t to_upper(char32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z' ? c - 32 : c;
  if (c >= 0xE0 && c <= 0xFE && c != 0xF7) return c - 32;
  if ((c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177)) return c & ~char32_t{1};
  if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return c - 1 + (c & 1);
  if (c >= 0x3B1 && c <= 0x3C9 && c != 0x3C2) return c - 32;
  if (c >= 0x430 && c <= 0x44F) return c - 32;
  if (c >= 0x450 && c <= 0x45F) return c - 80;
  if (c >= 0xFF41 && c <= 0xFF5A) return c - 32;
  return c;
}

bool is_upper(char32_t c) { return to_lower(c) != c; }
bool is_lower(char32_t c) { return to_upper(c) != c; }

template <typename Map>
std::string mapped(std::string_view text, Map map) {
  std::string out;
  while (!text.empty()) {
    const Character c = decode(text);
    const char32_t changed = map(c.code);
    if (changed == c.code) {
      out.append(text.substr(0, c.size));
    } else {
      encode(changed, out);
    }
    text.remove_prefix(c.size);
  }
  return out;
}

std::string capitalize(std::string_view text) {
  if (text.empty()) return "";
  const size_t first = decode(text).size;
  return mapped(text.substr(0, first), to_upper).append(text.substr(first));
}

// "XMLHttpRequest" → XML, Http, Request: before an upper letter after a lower one, and before the
// last of several upper ones where a lower one follows.
std::vector<std::string_view> split_words(std::string_view text, const WordSplit& split) {
  enum class State { Lower, OneUpper, ManyUpper, Ignore };
  std::vector<std::string_view> words;
  const State rest = split.case_change ? State::Lower : State::Ignore;
  State state = rest;
  size_t left = 0;
  size_t right = 0;
  size_t last_size = 0;
  const auto cut = [&](size_t end) {
    if (end > left) words.push_back(text.substr(left, end - left));
    left = end;
  };
  while (right < text.size()) {
    const Character c = decode(text.substr(right));
    if (c.code < 0x80 && split.delimiters.find(static_cast<char>(c.code)) != std::string::npos) {
      cut(right);
      left = right + c.size;
      state = rest;
    } else if (state == State::Ignore) {
    } else if (state == State::Lower && is_upper(c.code)) {
      cut(right);
      state = State::OneUpper;
    } else if (state == State::ManyUpper && is_lower(c.code)) {
      cut(right - last_size);
      state = State::Lower;
    } else if (is_lower(c.code)) {
      state = State::Lower;
    } else {
      state = state == State::Lower ? State::OneUpper : State::ManyUpper;
    }
    last_size = c.size;
    right += c.size;
  }
  cut(text.size());
  return words;
}

std::string joined(const std::vector<std::string_view>& words, std::string_view separator) {
  std::string out;
  for (const std::string_view word : words) {
    if (!out.empty()) out.append(separator);
    out += mapped(word, to_lower);
  }
  return out;
}

}  // namespace

std::optional<StringCase> find_string_case(std::string_view name) {
  constexpr std::pair<std::string_view, StringCase> kNames[] = {
      {"lowerCase", StringCase::Lower},   {"upperCase", StringCase::Upper},
      {"capitalize", StringCase::Capitalize}, {"camelCase", StringCase::Camel},
      {"snakeCase", StringCase::Snake},   {"kebabCase", StringCase::Kebab},
      {"pascalCase", StringCase::Pascal}};
  for (const auto& [known, value] : kNames) {
    if (known == name) return value;
  }
  return std::nullopt;
}

bool add_separator(std::string_view name, WordSplit& split) {
  constexpr std::pair<std::string_view, char> kNames[] = {
      {"dash", '-'}, {"dot", '.'}, {"slash", '/'}, {"space", ' '}, {"underscore", '_'}};
  if (name == "caseChange") {
    split.case_change = true;
    return true;
  }
  for (const auto& [known, delimiter] : kNames) {
    if (known != name) continue;
    split.delimiters += delimiter;
    return true;
  }
  return false;
}

std::string convert_case(std::string_view text, StringCase to, const WordSplit& split) {
  switch (to) {
    case StringCase::Lower:
      return mapped(text, to_lower);
    case StringCase::Upper:
      return mapped(text, to_upper);
    case StringCase::Capitalize:
      return capitalize(text);
    case StringCase::Snake:
      return joined(split_words(text, split), "_");
    case StringCase::Kebab:
      return joined(split_words(text, split), "-");
    case StringCase::Camel:
    case StringCase::Pascal:
      break;
  }
  std::string out;
  for (const std::string_view word : split_words(text, split)) {
    const bool lower = to == StringCase::Camel && out.empty();
    out += lower ? mapped(word, to_lower) : capitalize(word);
  }
  return out;
}

}  // namespace tinyarms::rules
