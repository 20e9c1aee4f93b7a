#include "calibration/json_scanner.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <system_error>

#include "base/ascii.h"

namespace tinyarms::calibration {
namespace {

constexpr int kDepthMax = 64;

void append_utf8(std::string& text, unsigned code) {
  const auto byte = [&](unsigned value) { text.push_back(static_cast<char>(value)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | code >> 6), byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 0x3F));
    byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F));
  }
}

// Where a quote, a backslash or a control character stands next. Eight bytes at a time: a byte of
// `x ^ quote` is zero where it is a quote, and (v − 0x01…) & ~v & 0x80… marks zero bytes (Mycroft).
size_t plain_end(std::string_view text, size_t at) {
  constexpr uint64_t kOnes = 0x0101010101010101ULL;
  constexpr uint64_t kHighs = 0x8080808080808080ULL;
  const auto zeros = [](uint64_t v) { return (v - kOnes) & ~v & kHighs; };
  for (; at + sizeof(uint64_t) <= text.size(); at += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof word);
    const uint64_t control = (word - kOnes * 0x20) & ~word & kHighs;
    if ((zeros(word ^ kOnes * '"') | zeros(word ^ kOnes * '\\') | control) != 0) break;
  }
  while (at < text.size() && text[at] != '"' && text[at] != '\\' &&
         static_cast<unsigned char>(text[at]) >= 0x20) {
    ++at;
  }
  return at;
}

// Where the number beginning at `begin` ends by JSON's grammar; `begin` where there is none.
size_t number_end(std::string_view text, size_t begin) {
  size_t at = begin;
  const auto digits = [&] {
    const size_t first = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at > first;
  };
  if (at < text.size() && text[at] == '-') ++at;
  if (at < text.size() && text[at] == '0') {
    ++at;
  } else if (!digits()) {
    return begin;
  }
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digits()) return begin;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!digits()) return begin;
  }
  return at;
}

}  // namespace

bool JsonScanner::fail(std::string what) {
  if (problem_.empty()) problem_ = std::move(what);
  return false;
}

void JsonScanner::skip_space() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' ||
                                text_[at_] == '\r')) {
    ++at_;
  }
}

bool JsonScanner::take(char wanted) {
  skip_space();
  if (failed() || at_ >= text_.size() || text_[at_] != wanted) return false;
  ++at_;
  return true;
}

bool JsonScanner::take_word(std::string_view word) {
  if (text_.substr(at_, word.size()) != word) return false;
  at_ += word.size();
  return true;
}

JsonKind JsonScanner::peek() {
  skip_space();
  if (failed() || at_ >= text_.size()) return JsonKind::Invalid;
  const char c = text_[at_];
  if (c == '{') return JsonKind::Object;
  if (c == '[') return JsonKind::Array;
  if (c == '"') return JsonKind::String;
  if (c == '-' || is_digit(c)) return JsonKind::Number;
  if (c == 't' || c == 'f') return JsonKind::Boolean;
  if (c == 'n') return JsonKind::Null;
  return JsonKind::Invalid;
}

bool JsonScanner::open_object() {
  if (!take('{')) return fail(fmt::format("an object is needed at byte {}", at_ + 1));
  if (++depth_ > kDepthMax) return fail("is nested too deeply");
  if (take('}')) {
    --depth_;
    return false;
  }
  return read_key();
}

bool JsonScanner::next_member() {
  if (failed()) return false;
  if (take(',')) return read_key();
  if (!take('}')) return fail(fmt::format("`,` or `}}` is missing at byte {}", at_ + 1));
  --depth_;
  return false;
}

bool JsonScanner::read_key() {
  skip_space();
  const size_t begin = at_ + 1;
  const size_t end = plain_end(text_, begin);
  if (!failed() && end < text_.size() && text_[at_] == '"' && text_[end] == '"') {
    key_ = text_.substr(begin, end - begin);
    at_ = end + 1;
  } else {
    unescaped_key_.clear();
    if (!scan_string(&unescaped_key_)) return false;
    key_ = unescaped_key_;
  }
  return take(':') || fail(fmt::format("`:` is missing at byte {}", at_ + 1));
}

bool JsonScanner::open_array() {
  if (!take('[')) return fail(fmt::format("an array is needed at byte {}", at_ + 1));
  if (++depth_ > kDepthMax) return fail("is nested too deeply");
  if (take(']')) {
    --depth_;
    return false;
  }
  return true;
}

bool JsonScanner::next_element() {
  if (failed()) return false;
  if (take(',')) return true;
  if (!take(']')) return fail(fmt::format("`,` or `]` is missing at byte {}", at_ + 1));
  --depth_;
  return false;
}

bool JsonScanner::read_hex(unsigned& code) {
  const char* first = text_.data() + at_;
  if (at_ + 4 > text_.size()) return fail("ends inside an escape");
  const auto [end, error] = std::from_chars(first, first + 4, code, 16);
  if (error != std::errc() || end != first + 4) return fail("has a malformed \\u escape");
  at_ += 4;
  return true;
}

bool JsonScanner::read_escape(std::string* value) {
  if (at_ >= text_.size()) return fail("ends inside an escape");
  const char c = text_[at_++];
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
  if (const size_t found = kNames.find(c); found != std::string_view::npos) {
    if (value) value->push_back(kValues[found]);
    return true;
  }
  if (c != 'u') return fail("has an unknown escape in a string");
  unsigned code = 0;
  if (!read_hex(code)) return false;
  if (code >= 0xDC00 && code < 0xE000) return fail("has half of a surrogate pair");
  if (code >= 0xD800 && code < 0xDC00) {
    unsigned low = 0;
    if (!take_word("\\u")) return fail("has half of a surrogate pair");
    if (!read_hex(low)) return false;
    if (low < 0xDC00 || low >= 0xE000) return fail("has half of a surrogate pair");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  if (value) append_utf8(*value, code);
  return true;
}

bool JsonScanner::scan_string(std::string* value) {
  if (failed()) return false;
  if (at_ >= text_.size() || text_[at_] != '"') {
    return fail(fmt::format("a string is needed at byte {}", at_ + 1));
  }
  ++at_;
  while (true) {
    const size_t begin = at_;
    at_ = plain_end(text_, at_);
    if (value) value->append(text_, begin, at_ - begin);
    if (at_ >= text_.size()) return fail("ends inside a string");
    const char c = text_[at_++];
    if (c == '"') return true;
    if (c != '\\') return fail("has a control character in a string");
    if (!read_escape(value)) return false;
  }
}

bool JsonScanner::read_string(std::string& value) {
  value.clear();
  skip_space();
  return scan_string(&value);
}

bool JsonScanner::read_number(double& value) {
  if (peek() != JsonKind::Number) {
    return fail(fmt::format("a finite number is needed at byte {}", at_ + 1));
  }
  const size_t end = number_end(text_, at_);
  if (end == at_) return fail(fmt::format("a malformed number at byte {}", at_ + 1));
  double number = 0;
  const char* first = text_.data() + at_;
  const auto [rest, error] = std::from_chars(first, text_.data() + end, number);
  if (error != std::errc()) return fail(fmt::format("a number out of range at byte {}", at_ + 1));
  at_ = end;
  value = number;
  return true;
}

bool JsonScanner::read_boolean(bool& value) {
  skip_space();
  if (failed()) return false;
  if (take_word("true")) {
    value = true;
  } else if (take_word("false")) {
    value = false;
  } else {
    return fail(fmt::format("true or false is needed at byte {}", at_ + 1));
  }
  return true;
}

bool JsonScanner::skip_value() {
  double number = 0;
  bool boolean = false;
  switch (peek()) {
    case JsonKind::Object:
      for (bool more = open_object(); more; more = next_member()) skip_value();
      return !failed();
    case JsonKind::Array:
      for (bool more = open_array(); more; more = next_element()) skip_value();
      return !failed();
    case JsonKind::String: return scan_string(nullptr);
    case JsonKind::Number: return read_number(number);
    case JsonKind::Boolean: return read_boolean(boolean);
    case JsonKind::Null: return take_word("null") || fail("has a malformed word");
    case JsonKind::Invalid: break;
  }
  if (failed()) return false;
  const std::string_view rest = text_.substr(at_, 9);
  if (rest.starts_with("NaN") || rest.starts_with("Infinity")) {
    return fail(fmt::format("NaN or Infinity at byte {}: only finite numbers count", at_ + 1));
  }
  return fail(fmt::format("a value is missing at byte {}", at_ + 1));
}

bool JsonScanner::finish() {
  skip_space();
  if (failed()) return false;
  if (depth_ != 0) return fail("ends too early");
  return at_ == text_.size() || fail(fmt::format("has something after its end, byte {}", at_ + 1));
}

}  // namespace tinyarms::calibration
