#include "questions/text_codec.h"

#include <fmt/format.h>

#include "base/utf8.h"

namespace tinyarms::questions {
namespace {

constexpr const char* kControlNames[] = {
    "NUL (null)",
    "SOH (start of heading)",
    "STX (start of text)",
    "ETX (end of text)",
    "EOT (end of transmission)",
    "ENQ (enquiry)",
    "ACK (acknowledge)",
    "BEL (bell)",
    "BS (backspace)",
    "HT (horizontal tab)",
    "LF (line feed)",
    "VT (vertical tab)",
    "FF (form feed)",
    "CR (carriage return)",
    "SO (shift out)",
    "SI (shift in)",
    "DLE (data link escape)",
    "DC1 (device control 1)",
    "DC2 (device control 2)",
    "DC3 (device control 3)",
    "DC4 (device control 4)",
    "NAK (negative acknowledge)",
    "SYN (synchronous idle)",
    "ETB (end of transmission block)",
    "CAN (cancel)",
    "EM (end of medium)",
    "SUB (substitute)",
    "ESC (escape)",
    "FS (file separator)",
    "GS (group separator)",
    "RS (record separator)",
    "US (unit separator)",
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::string utf8_of(uint32_t code) {
  const auto byte = [](uint32_t value) { return static_cast<char>(value); };
  std::string text;
  if (code < 0x80) {
    text = byte(code);
  } else if (code < 0x800) {
    text = {byte(0xc0 | code >> 6), byte(0x80 | (code & 63))};
  } else if (code < 0x10000) {
    text = {byte(0xe0 | code >> 12), byte(0x80 | (code >> 6 & 63)), byte(0x80 | (code & 63))};
  } else {
    text = {byte(0xf0 | code >> 18), byte(0x80 | (code >> 12 & 63)),
            byte(0x80 | (code >> 6 & 63)), byte(0x80 | (code & 63))};
  }
  return text;
}

}  // namespace

std::string hex_encode(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::optional<std::string> hex_decode(std::string_view text) {
  if (text.substr(0, 2) == "0x") text.remove_prefix(2);
  if (text.empty() || text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

std::string url_encode(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    if (is_unreserved(c)) {
      text += c;
    } else {
      text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return text;
}

std::optional<std::string> url_decode(std::string_view text) {
  if (text.find('+') != text.npos || text.find('%') == text.npos) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      bytes += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return bytes;
}

std::string rot13(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    const char base = c >= 'a' && c <= 'z' ? 'a' : c >= 'A' && c <= 'Z' ? 'A' : '\0';
    if (base != '\0') c = static_cast<char>(base + (c - base + 13) % 26);
  }
  return result;
}

std::optional<uint32_t> single_code_point(std::string_view text) {
  if (text.empty() || text.size() > 4 || find_invalid_utf8(text)) return std::nullopt;
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (text.size() != length) return std::nullopt;
  uint32_t code = length == 1 ? lead : lead & (0x7fu >> length);
  for (const char c : text.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 63u);
  return code;
}

std::optional<std::string> show_code_point(uint32_t code) {
  if (code < 32) return std::string(kControlNames[code]);
  if (code == 32) return "a space";
  if (code == 127) return "DEL (delete)";
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  const bool nothing = code > 0x10ffff || (code & 0xfffe) == 0xfffe ||
                       (code >= 0xfdd0 && code <= 0xfdef);
  // C1 controls, spaces, joiners, marks of direction, private use, tags: nothing to see.
  const bool unseen = (code >= 0x80 && code <= 0xa0) || code == 0xad ||
                      (code >= 0x300 && code <= 0x36f) || (code >= 0x2000 && code <= 0x200f) ||
                      (code >= 0x2028 && code <= 0x202f) || (code >= 0x205f && code <= 0x206f) ||
                      code == 0x3000 || code == 0xfeff || (code >= 0xfe00 && code <= 0xfe0f) ||
                      (code >= 0xe000 && code <= 0xf8ff) || code >= 0xe0000;
  if (surrogate || nothing || unseen) return std::nullopt;
  return "'" + utf8_of(code) + "'";
}

}  // namespace tinyarms::questions
