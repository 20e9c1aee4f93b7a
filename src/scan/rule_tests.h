// Runs the tests of rules, in ast-grep's form: files with an id, code in which the rule must find
// nothing (valid) and code in which it must find something (invalid), and snapshots of what it
// found. A case is one piece of code.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"
#include "rules/rule_set.h"
#include "scan/project.h"

namespace tinyarms::scan {

struct RuleTestOptions {
  bool skip_snapshots = false;
  bool update_snapshots = false;  // write what differs or is missing
  bool include_off = false;       // test rules with `severity: off` too
  std::function<bool(std::string_view id)> wanted;  // empty: all
};

struct CaseFailure {
  enum class Kind {
    Noisy,       // valid code with a finding
    Missing,     // invalid code without one
    Different,   // the finding is not the one of the snapshot
    NoSnapshot,  // there are snapshots of the rule, but none of the case
    NoRule,      // no rule of that id is loaded
    TooCostly,   // the engine gave up on the code
  };
  Kind kind;
  std::string rule;
  std::string file;  // of the test
  std::string code;
  std::string expected;  // snapshots, as YAML
  std::string actual;
};
std::string_view failure_name(CaseFailure::Kind kind);  // "noisy"

struct TestedRule {
  std::string id;
  std::string marks;  // one letter a case: '.' passed, U updated, N M W F as in ast-grep
  bool passed = true;
};

struct RuleTestRun {
  std::vector<TestedRule> rules;  // one per test, in the order of the files
  size_t cases_passed = 0;
  size_t cases_failed = 0;
  std::vector<CaseFailure> failures;
  size_t snapshots_updated = 0;
  size_t without_snapshots = 0;  // tests of rules nobody has taken snapshots of: not a failure
  size_t rules_off = 0;  // tests not run because their rule is off
  std::vector<Error> errors;  // test and snapshot files that cannot be read; the run goes on
};

// Errors: NotFound, Io (a test folder cannot be read).
Result<RuleTestRun> run_rule_tests(const rules::RuleSet& rules, std::span<const TestFolder> folders,
                                   const RuleTestOptions& options, const StopFlag& stop);

}  // namespace tinyarms::scan
