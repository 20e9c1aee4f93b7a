// A rule project: sgconfig.yml with the folders of rules, utilities and tests it names, in
// ast-grep's form (ruleDirs, utilDirs, testConfigs, languageGlobs). Custom languages and language
// injections are not for this engine: a notice says so.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "rules/rule_set.h"
#include "scan/file_language.h"

namespace tinyarms::scan {

inline constexpr const char* kProjectFile = "sgconfig.yml";
inline constexpr size_t kRuleFilesMax = 100'000;
inline constexpr size_t kRuleFileBytesMax = rules::kYamlBytesMax;

struct TestFolder {
  std::filesystem::path path;
  std::string snapshots = "__snapshots__";  // relative to `path`
};

struct Project {
  std::filesystem::path file;  // sgconfig.yml itself
  std::filesystem::path root;  // the folder it is in
  std::vector<std::filesystem::path> rule_dirs;
  std::vector<std::filesystem::path> util_dirs;
  std::vector<TestFolder> tests;
  FileLanguages languages;
  std::vector<std::string> notices;
};

// sgconfig.yml in `folder` or the nearest folder above.
std::optional<std::filesystem::path> find_project_file(const std::filesystem::path& folder);

// Errors: NotFound, Io, Config ("sgconfig.yml:3:1: …").
Result<Project> read_project(const std::filesystem::path& file);

// All *.yml and *.yaml below the rule and utility folders, in the order of their paths.
// Errors: NotFound or Io where a folder or file cannot be read; nothing is left out in silence.
Result<rules::RuleSources> read_rule_sources(const Project& project);

// One file of rules, as a source.
Result<rules::RuleSource> read_rule_file(const std::filesystem::path& file);

// The YAML files below a folder, sorted. Hidden ones and links are left out.
Result<std::vector<std::filesystem::path>> yaml_files(const std::filesystem::path& folder);

}  // namespace tinyarms::scan
