#include "corpus/words.h"

#include <functional>
#include <unordered_set>
#include <vector>

#include "base/ascii.h"

namespace tinyarms::corpus {
namespace {

// Longer runs are data (base64, hashes in a row), not words anybody searches for.
constexpr size_t kWordBytesMax = 64;

bool is_beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool is_word_byte(char c) {
  return is_lower(c) || is_upper(c) || is_digit(c) || c == '_' || is_beyond_ascii(c);
}

// Whether a part of an identifier ends before `at`: someName, HTTPServer.
bool begins_part(std::string_view word, size_t at) {
  if (!is_upper(word[at])) return false;
  const char before = word[at - 1];
  if (is_lower(before) || is_digit(before)) return true;
  return is_upper(before) && at + 1 < word.size() && is_lower(word[at + 1]);
}

using Sink = std::function<void(const std::string&)>;

void each_part(std::string_view word, const Sink& sink) {
  std::string whole;
  std::string part;
  size_t parts = 0;
  const auto finish = [&] {
    if (part.empty()) return;
    ++parts;
    whole += part;
    sink(part);
    part.clear();
  };
  for (size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '_') {
      finish();
      continue;
    }
    if (i > 0 && begins_part(word, i)) finish();
    part += lower_case(word[i]);
  }
  finish();
  if (parts > 1) sink(whole);
}

void each_word(std::string_view text, const Sink& sink) {
  size_t at = 0;
  while (at < text.size()) {
    if (!is_word_byte(text[at])) {
      ++at;
      continue;
    }
    const size_t start = at;
    while (at < text.size() && is_word_byte(text[at])) ++at;
    if (at - start <= kWordBytesMax) each_part(text.substr(start, at - start), sink);
  }
}

const std::unordered_set<std::string_view>& empty_words() {
  static const std::unordered_set<std::string_view> words = {
      "a",     "an",    "the",   "is",    "are",   "was",   "were",  "be",    "been",  "of",
      "to",    "in",    "on",    "at",    "by",    "for",   "with",  "and",   "or",    "how",
      "what",  "where", "which", "who",   "when",  "why",   "do",    "does",  "did",   "can",
      "could", "should", "would", "i",    "you",   "we",    "it",    "its",   "this",  "that",
      "these", "those", "my",    "our",   "me",    "us",    "there", "from",  "as",    "into",
      "s",     "t",     "if",    "has",   "have",  "will",  "use",   "used",  "using",
      "python", "javascript", "typescript", "java", "rust", "cpp", "golang", "ruby", "php",
      "code",  "function", "implemented", "defined"};
  return words;
}

}  // namespace

std::string index_words(std::string_view text) {
  std::string words;
  words.reserve(text.size());
  each_word(text, [&](const std::string& word) {
    if (!words.empty()) words += ' ';
    words += word;
  });
  return words;
}

std::string query_words(std::string_view question, size_t count_max) {
  std::vector<std::string> telling;
  std::vector<std::string> empty;
  std::unordered_set<std::string> seen;
  each_word(question, [&](const std::string& word) {
    if (telling.size() >= count_max || !seen.insert(word).second) return;
    (empty_words().count(word) > 0 ? empty : telling).push_back(word);
  });
  if (telling.empty()) telling = std::move(empty);
  std::string words;
  for (size_t i = 0; i < telling.size() && i < count_max; ++i) {
    if (i > 0) words += ' ';
    words += telling[i];
  }
  return words;
}

}  // namespace tinyarms::corpus
