#include "scan/fixer.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "rules/code.h"
#include "rules/scan.h"

namespace tinyarms::scan {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
// To find which of the fixes breaks the code, each is tried alone; beyond this many it is simpler
// to apply none.
constexpr size_t kTriedAloneMax = 64;

bool uses_carriage_returns(std::string_view text) {
  const size_t newline = text.find('\n');
  return newline != std::string_view::npos && newline > 0 && text[newline - 1] == '\r';
}

std::string with_carriage_returns(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) result += '\r';
    result += text[i];
  }
  return result;
}

std::string name_of(const ChosenFix& chosen) {
  return fmt::format("{} at {}:{}", chosen.finding->rule->id, chosen.finding->start.line + 1,
                     chosen.finding->start.column + 1);
}

// `fixes` are in order and do not overlap.
std::string spliced(std::string_view text, std::span<const ChosenFix> fixes) {
  const bool returns = uses_carriage_returns(text);
  const size_t body = text.substr(0, 3) == kByteOrderMark ? kByteOrderMark.size() : 0;
  std::string result;
  size_t at = 0;
  for (const ChosenFix& chosen : fixes) {
    const size_t start = std::max<size_t>(chosen.fix->range.start, body);
    result += text.substr(at, start - at);
    std::string_view replacement = chosen.fix->replacement;
    if (body > 0 && chosen.fix->range.start < body &&
        replacement.substr(0, body) == kByteOrderMark) {
      replacement.remove_prefix(body);
    }
    result += returns ? with_carriage_returns(replacement) : std::string(replacement);
    at = std::max<size_t>(chosen.fix->range.end, start);
  }
  result += text.substr(at);
  return result;
}

// How many ERROR nodes a text of any size has.
size_t count_errors(std::string_view text, const rules::Language& language) {
  const std::string rule =
      fmt::format("{{id: e, language: {}, rule: {{kind: ERROR}}}}", language.name);
  const rules::RuleSet rules = rules::RuleSet::load({.rules = {{"", rule}}, .utils = {}});
  rules::Scratch scratch;
  return rules::scan(rules, text, {.path = "", .language = &language, .severities = {},
                                   .details = false},
                     scratch)
      .findings.size();
}

}  // namespace

std::vector<ChosenFix> first_fixes(std::span<const rules::Finding> findings) {
  std::vector<ChosenFix> chosen;
  for (const rules::Finding& finding : findings) {
    if (!finding.fixes.empty()) chosen.push_back({&finding, &finding.fixes.front()});
  }
  return chosen;
}

bool breaks_syntax(std::string_view before, std::string_view after,
                   const rules::Language& language) {
  const auto sound_before = rules::parses(before, language.name);
  const auto sound_after = rules::parses(after, language.name);
  if (sound_before && sound_after) return *sound_before && !*sound_after;
  return count_errors(before, language) == 0 && count_errors(after, language) > 0;
}

FixedText apply_fixes(const FileFindings& file, std::vector<ChosenFix> fixes) {
  const std::string_view text = file.source.text;
  std::stable_sort(fixes.begin(), fixes.end(), [](const ChosenFix& a, const ChosenFix& b) {
    return a.finding->range.start < b.finding->range.start;
  });
  FixedText fixed;
  std::vector<ChosenFix> chosen;
  for (const ChosenFix& candidate : fixes) {
    if (!chosen.empty() && candidate.fix->range.start < chosen.back().fix->range.end) {
      fixed.overlapping.push_back(name_of(candidate) + " overlaps a fix before it");
    } else {
      chosen.push_back(candidate);
    }
  }
  fixed.text = spliced(text, chosen);
  if (!chosen.empty() && breaks_syntax(text, fixed.text, *file.language)) {
    const auto breaks_alone = [&](const ChosenFix& one) {
      return breaks_syntax(text, spliced(text, std::span(&one, 1)), *file.language);
    };
    std::vector<ChosenFix> sound;
    for (const ChosenFix& one : chosen) {
      if (chosen.size() <= kTriedAloneMax && !breaks_alone(one)) sound.push_back(one);
    }
    if (breaks_syntax(text, spliced(text, sound), *file.language)) sound.clear();
    for (const ChosenFix& one : chosen) {
      const bool kept = std::any_of(sound.begin(), sound.end(),
                                    [&](const ChosenFix& other) { return other.fix == one.fix; });
      if (!kept) {
        fixed.rolled_back.push_back(name_of(one) + " would leave code that does not parse");
      }
    }
    chosen = std::move(sound);
    fixed.text = spliced(text, chosen);
  }
  fixed.applied = chosen.size();
  return fixed;
}

Result<void> replace_file(const std::string& path, std::string_view text,
                          const FileStamp& expected) {
  std::error_code problem;
  const std::filesystem::path target = std::filesystem::canonical(path, problem);
  if (problem) return Error{ErrorCode::Io, problem.message(), path, "nothing was written"};
  PendingFile pending(target);
  {
    std::ofstream stream(pending.path(), std::ios::binary | std::ios::trunc);
    stream.write(text.data(), static_cast<std::streamsize>(text.size()));
    stream.flush();
    if (!stream) {
      return Error{ErrorCode::Io, "the fixed text could not be written", path,
                   "the file is as it was; check the folder's permissions and the disk"};
    }
  }
  if (::chmod(pending.path().c_str(), expected.mode & 07777) != 0) {
    return Error{ErrorCode::Io, "the file's mode could not be kept", path, "nothing was changed"};
  }
  if (stamp_of(target.string()) != expected) {
    return Error{ErrorCode::Unavailable, "the file changed after it was scanned", path,
                 "nothing was written; scan it again"};
  }
  return pending.commit();
}

}  // namespace tinyarms::scan
