#include "scan/project.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "rules/yaml_document.h"

namespace tinyarms::scan {
namespace {

namespace fs = std::filesystem;
using rules::YamlNode;

Error config_error(const fs::path& file, const YamlNode& node, std::string what) {
  return Error{ErrorCode::Config, std::move(what), rules::yaml_position(file.string(), node),
               "see docs/rules-scan.md for what a project file may hold"};
}

Result<std::vector<std::string>> strings(const fs::path& file, std::string_view key,
                                         const YamlNode& node) {
  std::vector<std::string> list;
  if (node.kind == YamlNode::Kind::Null) return list;
  if (node.kind != YamlNode::Kind::Sequence) {
    return config_error(file, node, fmt::format("{} must be a list", key));
  }
  for (const YamlNode& item : node.items) {
    if (item.kind != YamlNode::Kind::Scalar) {
      return config_error(file, item, fmt::format("{} must be a list of texts", key));
    }
    list.push_back(item.scalar);
  }
  return list;
}

class ProjectReader {
 public:
  explicit ProjectReader(const fs::path& file) { project_.file = file; }

  Result<Project> read(const YamlNode& document) {
    project_.root = project_.file.parent_path();
    if (project_.root.empty()) project_.root = ".";
    if (document.kind != YamlNode::Kind::Map) {
      return config_error(project_.file, document, "a project file is a map with ruleDirs");
    }
    if (document.find("ruleDirs") == nullptr) {
      return config_error(project_.file, document, "the project names no ruleDirs");
    }
    for (const rules::YamlEntry& entry : document.entries) {
      if (auto taken = take(entry.key.scalar, entry.value, entry.key); !taken) {
        return taken.error();
      }
    }
    return std::move(project_);
  }

 private:
  Result<void> take(const std::string& key, const YamlNode& value, const YamlNode& place) {
    if (key == "ruleDirs") return folders(key, value, project_.rule_dirs);
    if (key == "utilDirs") return folders(key, value, project_.util_dirs);
    if (key == "testConfigs") return tests(value);
    if (key == "languageGlobs") return globs(value);
    project_.notices.push_back(
        fmt::format("{}: '{}' is not supported and has no effect",
                    rules::yaml_position(project_.file.string(), place), key));
    return {};
  }

  Result<void> folders(std::string_view key, const YamlNode& value, std::vector<fs::path>& into) {
    auto names = strings(project_.file, key, value);
    if (!names) return names.error();
    for (const std::string& name : *names) into.push_back(project_.root / name);
    return {};
  }

  Result<void> tests(const YamlNode& value) {
    if (value.kind == YamlNode::Kind::Null) return {};
    if (value.kind != YamlNode::Kind::Sequence) {
      return config_error(project_.file, value, "testConfigs must be a list");
    }
    for (const YamlNode& item : value.items) {
      const YamlNode* folder = item.find("testDir");
      if (folder == nullptr || folder->kind != YamlNode::Kind::Scalar) {
        return config_error(project_.file, item, "an entry of testConfigs needs a testDir");
      }
      TestFolder test{.path = project_.root / folder->scalar};
      const YamlNode* snapshots = item.find("snapshotDir");
      if (snapshots != nullptr && snapshots->kind == YamlNode::Kind::Scalar) {
        test.snapshots = snapshots->scalar;
      }
      project_.tests.push_back(std::move(test));
    }
    return {};
  }

  Result<void> globs(const YamlNode& value) {
    if (value.kind != YamlNode::Kind::Map) {
      return config_error(project_.file, value, "languageGlobs maps languages to lists of globs");
    }
    for (const rules::YamlEntry& entry : value.entries) {
      auto list = strings(project_.file, "languageGlobs", entry.value);
      if (!list) return list.error();
      for (const std::string& glob : *list) {
        if (auto added = project_.languages.add(glob, entry.key.scalar); !added) {
          return config_error(project_.file, entry.key, added.error().what);
        }
      }
    }
    return {};
  }

  Project project_;
};

bool is_yaml(const fs::path& path) {
  return path.extension() == ".yml" || path.extension() == ".yaml";
}

Result<void> add_folder(const fs::path& folder, std::vector<rules::RuleSource>& into) {
  auto files = yaml_files(folder);
  if (!files) return files.error();
  for (const fs::path& file : *files) {
    auto source = read_rule_file(file);
    if (!source) return source.error();
    into.push_back(std::move(*source));
  }
  return {};
}

}  // namespace

std::optional<fs::path> find_project_file(const fs::path& folder) {
  std::error_code problem;
  fs::path at = fs::absolute(folder, problem);
  for (;;) {
    if (fs::is_regular_file(at / kProjectFile, problem)) {
      return at == fs::absolute(folder, problem) ? fs::path(kProjectFile) : at / kProjectFile;
    }
    if (!at.has_relative_path()) return std::nullopt;
    at = at.parent_path();
  }
}

Result<Project> read_project(const fs::path& file) {
  auto bytes = read_file(file, kRuleFileBytesMax);
  if (!bytes) return bytes.error().wrap("the project file cannot be read");
  const rules::YamlFile yaml = rules::read_yaml(file.string(), *bytes);
  if (!yaml.errors.empty()) return yaml.errors.front();
  if (yaml.documents.empty()) {
    return Error{ErrorCode::Config, "the project file is empty", file.string(),
                 "name the folders of rules: ruleDirs: [rules]"};
  }
  return ProjectReader(file).read(yaml.documents.front());
}

Result<std::vector<fs::path>> yaml_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code problem;
  fs::recursive_directory_iterator walk(folder, problem);
  for (; !problem && walk != fs::recursive_directory_iterator(); walk.increment(problem)) {
    const fs::path& path = walk->path();
    if (path.filename().string().front() == '.') {
      if (walk->is_directory(problem)) walk.disable_recursion_pending();
      continue;
    }
    if (!walk->is_symlink(problem) && walk->is_regular_file(problem) && is_yaml(path)) {
      files.push_back(path);
    }
    if (files.size() > kRuleFilesMax) {
      return Error{ErrorCode::OverBudget, fmt::format("holds over {} files", kRuleFilesMax),
                   folder.string(), "name folders that hold rules only"};
    }
  }
  if (problem) {
    const bool missing = problem == std::errc::no_such_file_or_directory;
    return Error{missing ? ErrorCode::NotFound : ErrorCode::Io, problem.message(), folder.string(),
                 "check the folders that the project file names"};
  }
  std::sort(files.begin(), files.end());
  return files;
}

Result<rules::RuleSource> read_rule_file(const fs::path& file) {
  auto bytes = read_file(file, kRuleFileBytesMax);
  if (!bytes) return bytes.error().wrap("the rule file cannot be read");
  return rules::RuleSource{file.string(), std::move(*bytes)};
}

Result<rules::RuleSources> read_rule_sources(const Project& project) {
  rules::RuleSources sources;
  for (const fs::path& folder : project.rule_dirs) {
    if (auto added = add_folder(folder, sources.rules); !added) return added.error();
  }
  for (const fs::path& folder : project.util_dirs) {
    if (auto added = add_folder(folder, sources.utils); !added) return added.error();
  }
  return sources;
}

}  // namespace tinyarms::scan
