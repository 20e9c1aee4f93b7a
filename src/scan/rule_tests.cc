#include "scan/rule_tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/file.h"
#include "rules/scan.h"
#include "scan/snapshot.h"

namespace tinyarms::scan {
namespace {

namespace fs = std::filesystem;
using rules::YamlNode;

struct TestCase {
  std::string file;
  std::string id;
  std::vector<std::string> valid;
  std::vector<std::string> invalid;
  const TestFolder* folder = nullptr;
};

void read_codes(const YamlNode& document, std::string_view key, std::vector<std::string>& into) {
  const YamlNode* list = document.find(key);
  if (list == nullptr) return;
  for (const YamlNode& item : list->items) into.push_back(item.scalar);
}

class TestRun {
 public:
  TestRun(const rules::RuleSet& rules, const RuleTestOptions& options)
      : rules_(rules),
        options_(options),
        severities_(rules.rules().size(), rules::Severity::Off) {}

  Result<void> read(const TestFolder& folder) {
    auto files = yaml_files(folder.path);
    if (!files) return files.error();
    const fs::path snapshots = folder.path / folder.snapshots;
    for (const fs::path& file : *files) {
      const fs::path relative = file.lexically_relative(snapshots);
      if (!relative.empty() && *relative.begin() != "..") continue;
      read_tests(folder, file);
    }
    return {};
  }

  RuleTestRun run(const StopFlag& stop) {
    for (const TestCase& test : tests_) {
      if (stop.raised()) break;
      if (!options_.wanted || options_.wanted(test.id)) run_test(test);
    }
    return std::move(run_);
  }

 private:
  void read_tests(const TestFolder& folder, const fs::path& file) {
    auto bytes = read_file(file, kRuleFileBytesMax);
    if (!bytes) return run_.errors.push_back(bytes.error().wrap("the test cannot be read"));
    const rules::YamlFile yaml = rules::read_yaml(file.string(), *bytes);
    for (const Error& error : yaml.errors) run_.errors.push_back(error);
    for (const YamlNode& document : yaml.documents) {
      TestCase test{.file = file.string(), .id = {}, .valid = {}, .invalid = {},
                    .folder = &folder};
      if (const YamlNode* id = document.find("id")) test.id = id->scalar;
      if (test.id.empty()) {
        run_.errors.push_back({ErrorCode::Config, "a test names its rule by `id`",
                               rules::yaml_position(file.string(), document),
                               "tinyarms rules new test ID writes a test to start from"});
        continue;
      }
      read_codes(document, "valid", test.valid);
      read_codes(document, "invalid", test.invalid);
      tests_.push_back(std::move(test));
    }
  }

  void run_test(const TestCase& test) {
    const rules::RuleInfo* rule = rules_.find(test.id);
    if (rule != nullptr && rule->severity == rules::Severity::Off && !options_.include_off) {
      ++run_.rules_off;
      return;
    }
    tested_ = {.id = test.id, .marks = {}, .passed = true};
    if (rule == nullptr) {
      for (const std::vector<std::string>* codes : {&test.valid, &test.invalid}) {
        for (const std::string& code : *codes) {
          fail(test, CaseFailure::Kind::NoRule, 'F', code);
        }
      }
    } else {
      run_cases(test, *rule);
    }
    run_.rules.push_back(std::move(tested_));
  }

  void run_cases(const TestCase& test, const rules::RuleInfo& rule) {
    const auto slot = static_cast<size_t>(&rule - rules_.rules().data());
    severities_[slot] = rules::Severity::Error;
    for (const std::string& code : test.valid) {
      const rules::ScanResult result = scan(code, rule);
      if (result.outcome == rules::ScanResult::Outcome::GaveUp) {
        fail(test, CaseFailure::Kind::TooCostly, 'F', code);
      } else if (result.findings.empty()) {
        pass('.');
      } else {
        fail(test, CaseFailure::Kind::Noisy, 'N', code);
      }
    }
    SnapshotFile snapshots = load_snapshots(test);
    const bool unknown = snapshots.snapshots.empty() && !test.invalid.empty();
    if (unknown && !options_.skip_snapshots && !options_.update_snapshots) {
      ++run_.without_snapshots;
    }
    bool changed = false;
    for (const std::string& code : test.invalid) {
      changed = run_invalid(test, rule, code, snapshots) || changed;
    }
    if (changed) save_snapshots(test, snapshots);
    severities_[slot] = rules::Severity::Off;
  }

  // Whether the snapshots were changed.
  bool run_invalid(const TestCase& test, const rules::RuleInfo& rule, const std::string& code,
                   SnapshotFile& snapshots) {
    const rules::ScanResult result = scan(code, rule);
    if (result.outcome == rules::ScanResult::Outcome::GaveUp) {
      fail(test, CaseFailure::Kind::TooCostly, 'F', code);
      return false;
    }
    if (result.findings.empty()) {
      fail(test, CaseFailure::Kind::Missing, 'M', code);
      return false;
    }
    if (options_.skip_snapshots) {
      pass('.');
      return false;
    }
    const auto first = std::min_element(
        result.findings.begin(), result.findings.end(),
        [](const rules::Finding& a, const rules::Finding& b) {
          if (a.range.start != b.range.start) return a.range.start < b.range.start;
          return a.range.end > b.range.end;
        });
    Snapshot actual = take_snapshot(code, *first);
    const auto expected = snapshots.snapshots.find(code);
    const bool known = expected != snapshots.snapshots.end();
    if (known && expected->second == actual) {
      pass('.');
      return false;
    }
    if (snapshots.snapshots.empty() && !options_.update_snapshots) {
      pass('.');
      return false;
    }
    if (options_.update_snapshots) {
      snapshots.snapshots[code] = std::move(actual);
      ++run_.snapshots_updated;
      pass('U');
      return true;
    }
    fail(test, known ? CaseFailure::Kind::Different : CaseFailure::Kind::NoSnapshot, 'W', code);
    if (known) run_.failures.back().expected = snapshot_yaml(expected->second, "");
    run_.failures.back().actual = snapshot_yaml(actual, "");
    return false;
  }

  rules::ScanResult scan(const std::string& code, const rules::RuleInfo& rule) {
    // Without a path: a test's code is in no file that globs could leave out.
    return rules::scan(rules_, code,
                       {.path = "", .language = rule.language, .severities = severities_},
                       scratch_);
  }

  fs::path snapshot_path(const TestCase& test) const {
    return test.folder->path / test.folder->snapshots / (test.id + "-snapshot.yml");
  }

  SnapshotFile load_snapshots(const TestCase& test) {
    SnapshotFile none{.id = test.id, .snapshots = {}};
    if (options_.skip_snapshots) return none;
    const fs::path path = snapshot_path(test);
    auto bytes = read_file(path, kRuleFileBytesMax);
    if (!bytes) {
      if (bytes.error().code != ErrorCode::NotFound) run_.errors.push_back(bytes.error());
      return none;
    }
    auto snapshots = parse_snapshots(path.string(), *bytes);
    if (snapshots) return std::move(*snapshots);
    run_.errors.push_back(snapshots.error());
    return none;
  }

  void save_snapshots(const TestCase& test, const SnapshotFile& snapshots) {
    const bool plain = test.id.find('/') == std::string::npos && test.id != "..";
    if (!plain) {
      run_.errors.push_back({ErrorCode::Config, "the id cannot name a snapshot file", test.file,
                             "use no slash in the ids of rules"});
      return;
    }
    auto written = write_file_atomically(snapshot_path(test), snapshot_yaml(snapshots));
    if (!written) run_.errors.push_back(written.error());
  }

  void pass(char mark) {
    ++run_.cases_passed;
    tested_.marks += mark;
  }

  void fail(const TestCase& test, CaseFailure::Kind kind, char mark, const std::string& code) {
    ++run_.cases_failed;
    tested_.marks += mark;
    tested_.passed = false;
    run_.failures.push_back({.kind = kind, .rule = test.id, .file = test.file, .code = code,
                             .expected = {}, .actual = {}});
  }

  const rules::RuleSet& rules_;
  const RuleTestOptions& options_;
  std::vector<rules::Severity> severities_;  // all off but the one that is tested
  std::vector<TestCase> tests_;
  TestedRule tested_;
  RuleTestRun run_;
  rules::Scratch scratch_;
};

}  // namespace

std::string_view failure_name(CaseFailure::Kind kind) {
  switch (kind) {
    case CaseFailure::Kind::Noisy: return "noisy";
    case CaseFailure::Kind::Missing: return "missing";
    case CaseFailure::Kind::Different: return "different";
    case CaseFailure::Kind::NoSnapshot: return "no_snapshot";
    case CaseFailure::Kind::NoRule: return "no_rule";
    case CaseFailure::Kind::TooCostly: return "too_costly";
  }
  return "failed";
}

Result<RuleTestRun> run_rule_tests(const rules::RuleSet& rules, std::span<const TestFolder> folders,
                                   const RuleTestOptions& options, const StopFlag& stop) {
  TestRun run(rules, options);
  for (const TestFolder& folder : folders) {
    if (auto read = run.read(folder); !read) return read.error();
  }
  return run.run(stop);
}

}  // namespace tinyarms::scan
