// Questions about semantic versions.
#include <fmt/format.h>

#include "base/ascii.h"
#include "questions/computation.h"
#include "questions/scan.h"
#include "questions/semantic_version.h"

namespace tinyarms::questions {
namespace {

std::optional<Variables> compare_versions(const ComputationInput& input) {
  const auto a = SemanticVersion::parse(input.get("a"));
  const auto b = SemanticVersion::parse(input.get("b"));
  if (!a || !b) return std::nullopt;
  const auto order = compare(*a, *b);
  const char* sign = order < 0 ? "<" : order > 0 ? ">" : "=";
  const std::string relation = fmt::format("{} {} {}", a->text(), sign, b->text());
  std::string verdict = order == 0 ? fmt::format("they have the same precedence")
                                   : fmt::format("{} is the newer one",
                                                 (order > 0 ? *a : *b).text());
  const std::string asked = lowered(input.get("relation"));
  if (!asked.empty()) {
    const bool less = asked == "less" || asked == "lower" || asked == "older" ||
                      asked == "smaller" || asked == "<";
    verdict = (less ? order < 0 : order > 0) ? "yes" : "no";
  }
  return Variables{{"order", relation}, {"verdict", verdict}};
}

std::optional<Variables> version_range(const ComputationInput& input) {
  const auto interval = read_version_range(input.get("range"));
  if (!interval) return std::nullopt;
  return Variables{{"range", std::string(trimmed(input.get("range"), " "))},
                   {"interval", interval->text()}};
}

std::optional<Variables> version_matches(const ComputationInput& input) {
  const auto interval = read_version_range(input.get("range"));
  const auto version = SemanticVersion::parse(input.get("version"));
  // Whether a range takes a pre-release depends on more than order.
  if (!interval || !version || !version->pre_release.empty()) return std::nullopt;
  return Variables{{"verdict", interval->contains(*version) ? "Yes" : "No"},
                   {"interval", interval->text()}};
}

std::optional<Variables> bump_version(const ComputationInput& input) {
  const auto version = SemanticVersion::parse(input.get("version"));
  const std::string part = lowered(input.get("part"));
  if (!version || !version->pre_release.empty()) return std::nullopt;
  SemanticVersion next = *version;
  if (part == "major") next = {version->major + 1, 0, 0, {}};
  if (part == "minor") next = {version->major, version->minor + 1, 0, {}};
  if (part == "patch") next = {version->major, version->minor, version->patch + 1, {}};
  return Variables{{"version", version->text()}, {"next", next.text()}};
}

}  // namespace

const std::vector<Computation>& version_computations() {
  static const std::vector<Computation> kComputations = {
      {"compare-versions", false, {"a", "b"}, {"order", "verdict"}, compare_versions},
      {"version-range", false, {"range"}, {"interval"}, version_range},
      {"version-matches", false, {"range", "version"}, {"verdict", "interval"}, version_matches},
      {"bump-version", false, {"version", "part"}, {"next"}, bump_version},
  };
  return kComputations;
}

}  // namespace tinyarms::questions
