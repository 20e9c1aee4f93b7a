#include "base/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace tinyarms {
namespace {

// Length that the lead byte announces; 0 for a byte that cannot lead.
size_t announced_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// The second byte's range excludes overlong forms, surrogates and values past U+10FFFF.
bool may_follow(unsigned char lead, unsigned char second) {
  if (lead == 0xE0 && second < 0xA0) return false;
  if (lead == 0xED && second > 0x9F) return false;
  if (lead == 0xF0 && second < 0x90) return false;
  if (lead == 0xF4 && second > 0x8F) return false;
  return is_continuation(second);
}

}  // namespace

std::optional<size_t> find_invalid_utf8(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  for (size_t i = 0; i < text.size();) {
    // Mostly it is ASCII: eight bytes at a time.
    uint64_t word = 0;
    while (i + sizeof word <= text.size()) {
      std::memcpy(&word, text.data() + i, sizeof word);
      if ((word & 0x8080808080808080ULL) != 0) break;
      i += sizeof word;
    }
    if (i == text.size()) break;
    const unsigned char lead = byte(i);
    const size_t length = announced_length(lead);
    if (length == 0 || i + length > text.size()) return i;
    for (size_t k = 1; k < length; ++k) {
      if (!is_continuation(byte(i + k))) return i;
    }
    if (length > 1 && !may_follow(lead, byte(i + 1))) return i;
    i += length;
  }
  return std::nullopt;
}

size_t complete_utf8_prefix(std::string_view text) {
  const size_t look_back = std::min<size_t>(text.size(), 3);
  for (size_t back = 1; back <= look_back; ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (is_continuation(byte)) continue;
    if (announced_length(byte) <= back) return text.size();
    // What can never become a character is not waited for.
    const bool open = back == 1 || may_follow(byte, static_cast<unsigned char>(
                                                        text[text.size() - back + 1]));
    return open ? text.size() - back : text.size();
  }
  return text.size();
}

}  // namespace tinyarms
