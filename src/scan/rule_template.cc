#include "scan/rule_template.h"

#include <fmt/format.h>

#include <fstream>

#include "base/file.h"

namespace tinyarms::scan {
namespace {

namespace fs = std::filesystem;

Error exists_already(const fs::path& path) {
  return Error{ErrorCode::Unavailable, "exists already", path.string(),
               "edit it, or choose another id"};
}

// Ids become file names and plain YAML: letters, digits, '-', '_' and '.'.
bool is_plain_id(std::string_view id) {
  if (id.empty() || id.size() > 200 || id.front() == '.' || id.front() == '-') return false;
  for (const char c : id) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    if (!plain) return false;
  }
  return true;
}

std::string template_text(TemplateKind kind, const std::string& id, std::string_view language) {
  switch (kind) {
    case TemplateKind::Rule:
      return fmt::format(
          "id: {}\n"
          "language: {}\n"
          "severity: warning  # error, warning, info, hint or off\n"
          "message: Say in one line what is wrong with $ARG\n"
          "note: Say why, and what to do instead.\n"
          "rule:\n"
          "  pattern: your_function($ARG)\n"
          "# fix: better_function($ARG)\n",
          id, language);
    case TemplateKind::Test:
      return fmt::format(
          "id: {}\n"
          "valid:  # code in which the rule must find nothing\n"
          "  - better_function(1)\n"
          "invalid:  # code in which it must find something\n"
          "  - your_function(1)\n",
          id);
    case TemplateKind::Util:
      return fmt::format(
          "id: {}\n"
          "language: {}\n"
          "rule:\n"
          "  pattern: your_function($ARG)\n",
          id, language);
  }
  return {};
}

// Never replaces: another process may have made the file a moment ago.
Result<void> write_new(const fs::path& path, const std::string& text) {
  std::error_code problem;
  fs::create_directories(path.parent_path(), problem);
  if (problem) return Error{ErrorCode::Io, problem.message(), path.string(), "check the folder"};
  PendingFile pending(path);
  {
    std::ofstream stream(pending.path(), std::ios::binary);
    stream << text;
    stream.flush();
    if (!stream) {
      return Error{ErrorCode::Io, "cannot be written", path.string(), "check the folder"};
    }
  }
  auto fresh = pending.commit_new();
  if (!fresh) return fresh.error();
  if (!*fresh) return exists_already(path);
  return {};
}

}  // namespace

Result<fs::path> create_from_template(const Project& project, TemplateKind kind,
                                      const std::string& id, std::string_view language) {
  if (!is_plain_id(id)) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("'{}' cannot be the id of a rule", id.substr(0, 60)), "",
                 "use letters, digits, '-', '_' and '.'"};
  }
  const rules::Language* known = rules::find_language(language);
  if (kind != TemplateKind::Test && known == nullptr) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("this build has no language '{}'", language), "--lang",
                 "tinyarms rules list --languages names those it has"};
  }
  fs::path folder;
  std::string name = id + ".yml";
  switch (kind) {
    case TemplateKind::Rule:
      if (!project.rule_dirs.empty()) folder = project.rule_dirs.front();
      break;
    case TemplateKind::Test:
      if (!project.tests.empty()) folder = project.tests.front().path;
      name = id + "-test.yml";
      break;
    case TemplateKind::Util:
      if (!project.util_dirs.empty()) folder = project.util_dirs.front();
      break;
  }
  if (folder.empty()) {
    return Error{ErrorCode::InvalidArgument, "the project has no folder for this",
                 project.file.string(), "add ruleDirs, testConfigs or utilDirs to it"};
  }
  const std::string text = template_text(kind, id, known == nullptr ? "" : known->name);
  const fs::path path = (folder / name).lexically_normal();
  if (auto written = write_new(path, text); !written) return written.error();
  return path;
}

Result<std::vector<fs::path>> create_project(const fs::path& folder) {
  if (const auto existing = find_project_file(folder)) return exists_already(*existing);
  const fs::path file = folder / kProjectFile;
  auto written = write_new(file,
                           "ruleDirs:\n  - rules\n"
                           "testConfigs:\n  - testDir: rule-tests\n"
                           "utilDirs:\n  - utils\n");
  if (!written) return written.error();
  std::vector<fs::path> made = {file};
  for (const char* name : {"rules", "rule-tests", "utils"}) {
    std::error_code problem;
    fs::create_directories(folder / name, problem);
    if (problem) {
      return Error{ErrorCode::Io, problem.message(), (folder / name).string(), "check the folder"};
    }
    made.push_back(folder / name);
  }
  return made;
}

}  // namespace tinyarms::scan
