// What is done to a literal: encodings, digests, characters. A literal counts only as it was
// typed, in quotes: normalising a question may have changed it.
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "questions/computation.h"
#include "questions/scan.h"
#include "questions/text_codec.h"

namespace tinyarms::questions {
namespace {

constexpr size_t kLiteralBytesMax = 500;

// The capture, where the question as typed has it between quotes of one kind.
std::optional<std::string> literal(const ComputationInput& input, const char* name) {
  constexpr std::string_view kQuotes[][2] = {
      {"\"", "\""}, {"'", "'"}, {"`", "`"}, {"“", "”"}, {"‘", "’"}};
  std::string text = input.get(name);
  if (text.empty() || text.size() > kLiteralBytesMax) return std::nullopt;
  for (const auto& [open, close] : kQuotes) {
    const std::string quoted = std::string(open) + text + std::string(close);
    const size_t at = input.question.find(quoted);
    if (at == std::string_view::npos) continue;
    // "a" and "b" are two literals, not one with quotes inside.
    if (text.find(open) != std::string::npos || text.find(close) != std::string::npos) break;
    return text;
  }
  return std::nullopt;
}

bool is_printable_ascii(std::string_view text) {
  for (const char c : text) {
    if (c < 0x20 || c > 0x7e) return false;
  }
  return true;
}

// Text that can be shown: UTF-8 without control characters.
bool is_showable(std::string_view text) {
  if (text.empty() || find_invalid_utf8(text)) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

template <std::string (*kTransform)(std::string_view)>
std::optional<Variables> encode(const ComputationInput& input) {
  const auto text = literal(input, "text");
  if (!text) return std::nullopt;
  return Variables{{"text", *text}, {"result", kTransform(*text)}};
}

template <std::string (*kTransform)(std::string_view)>
std::optional<Variables> encode_ascii(const ComputationInput& input) {
  const auto text = literal(input, "text");
  if (!text || !is_printable_ascii(*text)) return std::nullopt;
  return Variables{{"text", *text}, {"result", kTransform(*text)}};
}

// Encoded text needs no quotes where it could not be a word of the question's.
template <std::optional<std::string> (*kTransform)(std::string_view)>
std::optional<Variables> decode(const ComputationInput& input) {
  const std::string text = input.get("text");
  const bool quoted = literal(input, "text").has_value();
  const bool coded = text.find_first_of("0123456789=%") != std::string::npos;
  if (!quoted && (!coded || input.question.find(text) == std::string_view::npos)) {
    return std::nullopt;
  }
  const auto decoded = kTransform(text);
  if (!decoded || !is_showable(*decoded)) return std::nullopt;
  return Variables{{"text", text}, {"result", *decoded}};
}

std::string count_characters(std::string_view text) { return std::to_string(text.size()); }
std::string reverse(std::string_view text) { return {text.rbegin(), text.rend()}; }
std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return result;
}

// One character, quoted or bare; "a space" and the like by name.
std::optional<Variables> character_code(const ComputationInput& input) {
  struct Named {
    std::string_view name;
    std::string_view character;
  };
  constexpr Named kNamed[] = {{"space", " "},        {"a space", " "},       {"newline", "\n"},
                              {"line feed", "\n"},   {"tab", "\t"},          {"a newline", "\n"},
                              {"a tab", "\t"},       {"carriage return", "\r"},
                              {"null", std::string_view("\0", 1)},
                              {"nul", std::string_view("\0", 1)},
                              {"escape", "\x1b"},    {"backspace", "\b"},    {"delete", "\x7f"}};
  std::string text = input.get("character");
  std::string shown = "'" + text + "'";
  for (const auto& [name, character] : kNamed) {
    if (lowered(text) != name) continue;
    shown = name.substr(0, 2) == "a " ? name.substr(2) : name;
    text = character;
  }
  const auto code = single_code_point(text);
  if (!code) return std::nullopt;
  // "the ASCII code of é" has no answer.
  if (lowered(input.get("set")) == "ascii" && *code > 127) return std::nullopt;
  std::string bytes;
  for (const char c : text) bytes += fmt::format(" {:02X}", static_cast<unsigned char>(c));
  return Variables{{"character", shown},
                   {"decimal", std::to_string(*code)},
                   {"hex", fmt::format("0x{:02X}", *code)},
                   {"point", fmt::format("U+{:04X}", *code)},
                   {"utf8", bytes.substr(1)}};
}

std::optional<Variables> code_character(const ComputationInput& input) {
  const std::string text = lowered(input.get("code"));
  const bool hex = text.substr(0, 2) == "0x" || text.substr(0, 2) == "u+";
  const std::string digits = hex ? text.substr(2) : text;
  if (digits.empty() || digits.size() > 7) return std::nullopt;
  const size_t end = digits.find_first_not_of(hex ? "0123456789abcdef" : "0123456789");
  if (end != std::string::npos) return std::nullopt;
  const auto code = static_cast<uint32_t>(std::stoul(digits, nullptr, hex ? 16 : 10));
  const auto character = show_code_point(code);
  if (!character || (lowered(input.get("set")) == "ascii" && code > 127)) return std::nullopt;
  return Variables{{"code", input.get("code")},
                   {"character", *character},
                   {"decimal", std::to_string(code)},
                   {"point", fmt::format("U+{:04X}", code)}};
}

}  // namespace

const std::vector<Computation>& text_computations() {
  static const std::vector<Computation> kComputations = {
      {"base64-encode", false, {"text"}, {"result"}, encode<base64_encode>},
      {"base64-decode", false, {"text"}, {"result"}, decode<base64_decode>},
      {"hex-encode", false, {"text"}, {"result"}, encode<hex_encode>},
      {"hex-decode", false, {"text"}, {"result"}, decode<hex_decode>},
      {"url-encode", false, {"text"}, {"result"}, encode<url_encode>},
      {"url-decode", false, {"text"}, {"result"}, decode<url_decode>},
      {"rot13", false, {"text"}, {"result"}, encode_ascii<rot13>},
      {"sha256", false, {"text"}, {"result"}, encode<sha256_hex>},
      {"count-characters", false, {"text"}, {"result"}, encode_ascii<count_characters>},
      {"reverse-text", false, {"text"}, {"result"}, encode_ascii<reverse>},
      {"upper-case", false, {"text"}, {"result"}, encode_ascii<upper>},
      {"lower-case", false, {"text"}, {"result"}, encode_ascii<lowered>},
      {"character-code", false, {"character"}, {"decimal", "hex", "point", "utf8"},
       character_code},
      {"code-character", false, {"code"}, {"character", "decimal", "point"}, code_character},
  };
  return kComputations;
}

}  // namespace tinyarms::questions
