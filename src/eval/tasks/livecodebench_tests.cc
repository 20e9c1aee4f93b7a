#include "eval/tasks/livecodebench_tests.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/ascii.h"
#include "base/utf8.h"
#include "eval/inflate.h"

namespace tinyarms::eval {
namespace {

using Json = nlohmann::json;

constexpr size_t kTestsBytesMax = size_t{512} << 20;

Error corrupt(const char* what) {
  return {ErrorCode::Corrupt, what, "", "fetch the file again"};
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    uint32_t value = 0;
    if (c >= 'A' && c <= 'Z') value = static_cast<uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z') value = static_cast<uint32_t>(c - 'a' + 26);
    else if (c >= '0' && c <= '9') value = static_cast<uint32_t>(c - '0' + 52);
    else if (c == '+') value = 62;
    else if (c == '/') value = 63;
    else if (c == '=' || c == '\n' || c == '\r') continue;
    else return std::nullopt;
    bits = bits << 6 | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> count & 0xFF);
    }
  }
  return bytes;
}

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    value |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  }
  return value;
}

// The one string that a pickle (protocols 2 to 5) holds. Nothing is executed: only the opcodes
// that such a file consists of are known here.
std::optional<std::string> unpickled_string(std::string_view bytes) {
  size_t at = 0;
  while (at < bytes.size()) {
    const unsigned char code = static_cast<unsigned char>(bytes[at++]);
    size_t skipped = 0, width = 0;
    if (code == 0x80) skipped = 1;         // protocol
    else if (code == 0x95) skipped = 8;    // frame
    else if (code == 0x8C) width = 1;      // string, by the width of its length
    else if (code == 'X') width = 4;
    else if (code == 0x8D) width = 8;
    else return std::nullopt;
    if (skipped + width > bytes.size() - at) return std::nullopt;
    if (width == 0) {
      at += skipped;
      continue;
    }
    const uint64_t length = little_endian(bytes.substr(at, width));
    at += width;
    if (length > bytes.size() - at) return std::nullopt;
    return std::string(bytes.substr(at, length));
  }
  return std::nullopt;
}

std::vector<std::string_view> pieces(std::string_view text, char separator) {
  std::vector<std::string_view> found;
  while (true) {
    const size_t end = text.find(separator);
    const std::string_view piece = trimmed(text.substr(0, end));
    if (separator == '\n' || !piece.empty()) found.push_back(piece);
    if (end == std::string_view::npos) return found;
    text.remove_prefix(end + 1);
  }
}

// A number, and nothing else, whose value a double holds exactly enough.
std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.size() > 17) {
    return std::nullopt;
  }
  return value;
}

bool same_line(std::string_view printed, std::string_view expected) {
  if (printed == expected) return true;
  const auto left = pieces(printed, ' ');
  const auto right = pieces(expected, ' ');
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (left[i] == right[i]) continue;
    const auto a = number(left[i]);
    const auto b = number(right[i]);
    if (!a || !b || *a != *b) return false;
  }
  return true;
}

}  // namespace

Result<std::vector<LiveTest>> parse_live_tests(std::string_view text) {
  std::string unpacked;
  if (trimmed(text).substr(0, 1) != "[") {
    const auto bytes = from_base64(text);
    if (!bytes) return corrupt("tests that are neither JSON nor base64");
    auto pickle = inflate(*bytes, kTestsBytesMax);
    if (!pickle) return pickle.error();
    auto json = unpickled_string(*pickle);
    if (!json || find_invalid_utf8(*json)) return corrupt("packed tests of an unknown form");
    unpacked = *std::move(json);
    text = unpacked;
  }
  const Json rows = Json::parse(text, nullptr, false);
  if (!rows.is_array()) return corrupt("tests that are no JSON array");
  std::vector<LiveTest> tests;
  for (const Json& row : rows) {
    LiveTest test;
    for (const auto& [key, value] : {std::pair{"input", &test.input}, {"output", &test.output}}) {
      if (!row.is_object() || !row.contains(key) || !row[key].is_string()) {
        return corrupt("a test without input or output");
      }
      *value = row[key].get<std::string>();
    }
    test.functional = row.value("testtype", "stdin") == "functional";
    tests.push_back(std::move(test));
  }
  return tests;
}

bool same_live_output(std::string_view printed, std::string_view expected) {
  const auto left = pieces(trimmed(printed), '\n');
  const auto right = pieces(trimmed(expected), '\n');
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (!same_line(left[i], right[i])) return false;
  }
  return true;
}

}  // namespace tinyarms::eval
