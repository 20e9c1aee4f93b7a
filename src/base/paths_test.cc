#include "base/paths.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

namespace tinyarms {
namespace {

namespace fs = std::filesystem;

Environment environment_of(std::map<std::string, std::string> variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

TEST(Paths, FollowTheXdgVariables) {
  const Paths paths = find_paths(environment_of({{"HOME", "/home/u"},
                                                 {"XDG_CONFIG_HOME", "/c"},
                                                 {"XDG_CACHE_HOME", "/k"},
                                                 {"XDG_DATA_HOME", "/d"}}));
  EXPECT_EQ(paths.config_file, "/c/tinyarms/config.toml");
  EXPECT_EQ(paths.cache_dir, "/k/tinyarms");
  EXPECT_EQ(paths.data_dir, "/d/tinyarms");
  EXPECT_EQ(paths.models_dir, "/d/tinyarms/models");
}

TEST(Paths, DefaultToHomeAlsoForRelativeAndEmptyValues) {
  for (const char* odd : {"relative/path", ""}) {
    const Paths paths = find_paths(environment_of({{"HOME", "/home/u"},
                                                   {"XDG_CONFIG_HOME", odd},
                                                   {"XDG_CACHE_HOME", odd},
                                                   {"XDG_DATA_HOME", odd}}));
    EXPECT_EQ(paths.config_file, "/home/u/.config/tinyarms/config.toml");
    EXPECT_EQ(paths.cache_dir, "/home/u/.cache/tinyarms");
    EXPECT_EQ(paths.models_dir, "/home/u/.local/share/tinyarms/models");
  }
}

TEST(Paths, WithoutHomeNothingLandsInTheRoot) {
  for (const Environment& environment :
       {environment_of({}), environment_of({{"HOME", ""}}), environment_of({{"HOME", "here"}})}) {
    const Paths paths = find_paths(environment);
    for (const fs::path& path : {paths.config_file, paths.cache_dir, paths.data_dir}) {
      EXPECT_EQ(path.string().rfind(fs::temp_directory_path().string(), 0), 0U) << path;
    }
  }
}

TEST(Paths, TheProcessEnvironmentIsAskedAtTheCall) {
  ASSERT_EQ(::setenv("TINYARMS_PATHS_TEST", "x", 1), 0);
  const Environment environment = process_environment();
  EXPECT_EQ(environment("TINYARMS_PATHS_TEST"), "x");
  ::unsetenv("TINYARMS_PATHS_TEST");
  EXPECT_EQ(environment("TINYARMS_PATHS_TEST"), std::nullopt);
}

}  // namespace
}  // namespace tinyarms
