#include "questions/semantic_version.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "questions/scan.h"

namespace tinyarms::questions {
namespace {

constexpr int64_t kNumberMax = 999'999'999;

std::optional<int64_t> read_part(std::string_view text) {
  if (text.size() > 1 && text[0] == '0') return std::nullopt;
  return scan_number(text, kNumberMax);
}

bool is_number(std::string_view text) {
  return text.find_first_not_of("0123456789") == text.npos;
}

bool is_identifier(std::string_view text) {
  const bool known = text.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz"
                                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == text.npos;
  return !text.empty() && known;
}

std::strong_ordering compare_identifiers(const std::string& a, const std::string& b) {
  const bool a_number = is_number(a);
  const bool b_number = is_number(b);
  if (a_number && b_number) {
    if (a.size() != b.size()) return a.size() <=> b.size();  // no leading zeros
    return a.compare(b) <=> 0;
  }
  if (a_number != b_number) {
    return a_number ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  return a.compare(b) <=> 0;
}

// "1", "1.2", "1.2.x", "1.2.3": the numbers that are said.
std::optional<std::vector<int64_t>> read_partial(std::string_view text) {
  if (!text.empty() && text[0] == 'v') text.remove_prefix(1);
  std::vector<int64_t> numbers;
  bool open = false;
  const auto parts = split(text, '.');
  if (parts.size() > 3) return std::nullopt;
  for (const std::string_view part : parts) {
    if (part == "x" || part == "X" || part == "*") {
      open = true;
      continue;
    }
    const auto number = read_part(part);
    if (!number || open) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

SemanticVersion floor_of(const std::vector<int64_t>& numbers) {
  const auto at = [&](size_t i) { return i < numbers.size() ? numbers[i] : 0; };
  return {at(0), at(1), at(2), {}};
}

// The first version above all that share the first `kept` numbers.
SemanticVersion above(const SemanticVersion& version, size_t kept) {
  if (kept == 1) return {version.major + 1, 0, 0, {}};
  if (kept == 2) return {version.major, version.minor + 1, 0, {}};
  return {version.major, version.minor, version.patch + 1, {}};
}

std::optional<VersionInterval> read_caret(const std::vector<int64_t>& numbers) {
  const SemanticVersion from = floor_of(numbers);
  size_t kept = 1;
  if (from.major == 0) kept = numbers.size() == 1 ? 1 : 2;
  if (from.major == 0 && from.minor == 0 && numbers.size() == 3) kept = 3;
  return VersionInterval{from, above(from, kept)};
}

// ">=1.2.3", "<2": a bound of the interval; false where it is none.
bool narrow(std::string_view comparator, VersionInterval& interval) {
  const size_t length = comparator.size() > 1 && comparator[1] == '=' ? 2 : 1;
  const auto numbers = read_partial(comparator.substr(length));
  if (!numbers || numbers->empty()) return false;
  const SemanticVersion version = floor_of(*numbers);
  const SemanticVersion next = above(version, numbers->size());
  const bool lower = comparator[0] == '>';
  if (lower) {
    const SemanticVersion& bound = length == 2 ? version : next;
    if (compare(bound, interval.from) > 0) interval.from = bound;
    return true;
  }
  const SemanticVersion& bound = length == 2 ? next : version;
  if (!interval.below || compare(bound, *interval.below) < 0) interval.below = bound;
  return true;
}

}  // namespace

std::optional<SemanticVersion> SemanticVersion::parse(std::string_view text) {
  if (!text.empty() && (text[0] == 'v' || text[0] == 'V')) text.remove_prefix(1);
  const size_t plus = text.find('+');
  if (plus != text.npos) {
    for (const std::string_view piece : split(text.substr(plus + 1), '.')) {
      if (!is_identifier(piece)) return std::nullopt;
    }
    text = text.substr(0, plus);
  }
  SemanticVersion version;
  const size_t dash = text.find('-');
  if (dash != text.npos) {
    for (const std::string_view piece : split(text.substr(dash + 1), '.')) {
      const bool zeros = piece.size() > 1 && piece[0] == '0' && is_number(piece);
      if (!is_identifier(piece) || zeros) return std::nullopt;
      version.pre_release.emplace_back(piece);
    }
    text = text.substr(0, dash);
  }
  const auto parts = split(text, '.');
  if (parts.size() != 3) return std::nullopt;
  int64_t* numbers[] = {&version.major, &version.minor, &version.patch};
  for (size_t i = 0; i < 3; ++i) {
    const auto number = read_part(parts[i]);
    if (!number) return std::nullopt;
    *numbers[i] = *number;
  }
  return version;
}

std::string SemanticVersion::text() const {
  std::string result = fmt::format("{}.{}.{}", major, minor, patch);
  if (!pre_release.empty()) result += fmt::format("-{}", fmt::join(pre_release, "."));
  return result;
}

std::strong_ordering compare(const SemanticVersion& a, const SemanticVersion& b) {
  if (auto order = a.major <=> b.major; order != 0) return order;
  if (auto order = a.minor <=> b.minor; order != 0) return order;
  if (auto order = a.patch <=> b.patch; order != 0) return order;
  if (a.pre_release.empty() != b.pre_release.empty()) {
    return a.pre_release.empty() ? std::strong_ordering::greater : std::strong_ordering::less;
  }
  const size_t shared = std::min(a.pre_release.size(), b.pre_release.size());
  for (size_t i = 0; i < shared; ++i) {
    const auto order = compare_identifiers(a.pre_release[i], b.pre_release[i]);
    if (order != 0) return order;
  }
  return a.pre_release.size() <=> b.pre_release.size();
}

bool VersionInterval::contains(const SemanticVersion& version) const {
  return compare(version, from) >= 0 && (!below || compare(version, *below) < 0);
}

std::string VersionInterval::text() const {
  return below ? fmt::format(">={} <{}", from.text(), below->text())
               : fmt::format(">={}", from.text());
}

std::optional<VersionInterval> read_version_range(std::string_view text) {
  text = trimmed(text, " ");
  if (text.empty() || text.size() > 60) return std::nullopt;
  if (text[0] == '^' || text[0] == '~') {
    const auto numbers = read_partial(text.substr(1));
    if (!numbers || numbers->empty()) return std::nullopt;
    if (text[0] == '^') return read_caret(*numbers);
    const SemanticVersion from = floor_of(*numbers);
    return VersionInterval{from, above(from, std::min<size_t>(numbers->size(), 2))};
  }
  if (const size_t dash = text.find(" - "); dash != text.npos) {
    const auto low = read_partial(text.substr(0, dash));
    const auto high = read_partial(text.substr(dash + 3));
    if (!low || !high || low->empty() || high->empty()) return std::nullopt;
    return VersionInterval{floor_of(*low), above(floor_of(*high), high->size())};
  }
  if (text[0] == '>' || text[0] == '<') {
    VersionInterval interval;
    for (const std::string_view piece : split(text, ' ')) {
      const bool bound = !piece.empty() && (piece[0] == '>' || piece[0] == '<');
      if (!bound || !narrow(piece, interval)) return std::nullopt;
    }
    return interval;
  }
  // 1.2.x, 1.x, 1.2: only what leaves a number open is a range.
  const auto numbers = read_partial(text);
  if (!numbers || numbers->empty() || numbers->size() == 3) return std::nullopt;
  const SemanticVersion from = floor_of(*numbers);
  return VersionInterval{from, above(from, numbers->size())};
}

}  // namespace tinyarms::questions
