// Semantic Versioning 2.0.0 (semver.org): versions, their order (§ 11), and ranges as npm writes
// them (^ ~ x - || and comparators, node-semver's grammar) over versions without pre-release.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyarms::questions {

struct SemanticVersion {
  int64_t major = 0;
  int64_t minor = 0;
  int64_t patch = 0;
  std::vector<std::string> pre_release;

  // Strict: three numbers without leading zeros; build metadata is read and dropped.
  static std::optional<SemanticVersion> parse(std::string_view text);
  std::string text() const;
};

// Order of precedence.
std::strong_ordering compare(const SemanticVersion& a, const SemanticVersion& b);

// One interval [from, below): `below` missing means no upper bound.
struct VersionInterval {
  SemanticVersion from;
  std::optional<SemanticVersion> below;

  bool contains(const SemanticVersion& version) const;
  std::string text() const;  // ">=1.2.3 <2.0.0"
};

// One interval for one of: ^1.2.3, ~1.2.3, 1.2.x, 1.x, ^1.2, >=1.2.3 <2.0.0, 1.2.3 - 2.3.4, >=1.2.
// Nothing for anything else, pre-releases included.
std::optional<VersionInterval> read_version_range(std::string_view text);

}  // namespace tinyarms::questions
