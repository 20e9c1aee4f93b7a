// What a rule, test, utility or project begins with, for `rules new`.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "scan/project.h"

namespace tinyarms::scan {

enum class TemplateKind { Rule, Test, Util };

// Writes the file into the project's first folder for its kind and gives its path.
// Errors: InvalidArgument (an id that cannot name a file, an unknown language, no folder of that
// kind in the project), Unavailable (it exists already), Io.
Result<std::filesystem::path> create_from_template(const Project& project, TemplateKind kind,
                                                   const std::string& id,
                                                   std::string_view language);

// sgconfig.yml with rules/, rule-tests/ and utils/ in `folder`; the paths that were made.
// Errors: Unavailable (there is a project already), Io.
Result<std::vector<std::filesystem::path>> create_project(const std::filesystem::path& folder);

}  // namespace tinyarms::scan
