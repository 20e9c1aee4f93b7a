// Rules over one text. scan() is const, thread-safe and deterministic: what bounds it is counted,
// never timed. Comments of the form `ast-grep-ignore[: id, id]` suppress findings as in ast-grep.
//
//   Scratch scratch;  // one a thread, reused from file to file
//   ScanResult result = scan(rules, text, {.path = "src/a.py"}, scratch);
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "rules/finding.h"
#include "rules/rule_set.h"

namespace tinyarms::rules {

// Larger texts are not scanned (Outcome::TooLarge).
inline constexpr size_t kScanBytesMax = 64 << 20;

// The memory of a thread's scans: parse arena, tree, tables. Not thread-safe.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(Scratch&&) noexcept;
  Scratch& operator=(Scratch&&) noexcept;

  struct Parts;
  Parts& parts() { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

struct ScanOptions {
  std::string_view path;               // for `files` and `ignores`, and for the language
  const Language* language = nullptr;  // else by the path's ending
  // Per rule, in the order of RuleSet::rules(): the severity to use in place of the rule's own;
  // empty: the rules' own. Rules that are Off do not run.
  std::span<const Severity> severities;
  bool details = true;  // messages, captures, labels, fixes; else only rule and range
  size_t bytes_max = kScanBytesMax;
  size_t findings_max = SIZE_MAX;  // further ones are only counted
};

struct ScanResult {
  enum class Outcome {
    Scanned,
    Unneeded,  // parsed not at all: the text lacks what every rule needs, or no rule is for it
    TooLarge,
    GaveUp,       // parsing or matching used up its steps, or details their bytes; findings so far
                  // are given
    NoLanguage,   // neither given nor told by the path
    InvalidText,  // not UTF-8
  };
  Outcome outcome = Outcome::Scanned;
  // By rule in the order of RuleSet::rules(), then in document order.
  std::vector<Finding> findings;
  size_t more = 0;  // beyond findings_max
  // Suppressing comments that suppressed nothing.
  std::vector<ByteRange> unused_suppressions;
};

ScanResult scan(const RuleSet& rules, std::string_view text, const ScanOptions& options,
                Scratch& scratch);

// Whether scan() would have to parse the text: a search for literals, gigabytes a second.
bool may_match(const RuleSet& rules, std::string_view text, const ScanOptions& options,
               Scratch& scratch);

// Whether a rule's globs let it run on the file (ast-grep's globset semantics).
bool applies_to(const RuleInfo& rule, std::string_view path);

}  // namespace tinyarms::rules
