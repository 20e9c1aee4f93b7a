#include "cli/presets.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "service/config.h"

namespace tinyarms::cli {
namespace {

TEST(Presets, EachIsAConfigurationThatLoads) {
  std::set<std::string> names;
  std::string pattern = (std::filesystem::temp_directory_path() / "presets-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  for (const EmbeddedFile& preset : bundled_presets()) {
    SCOPED_TRACE(preset.name);
    names.insert(std::filesystem::path(preset.name).stem().string());
    std::ofstream(folder / "config.toml", std::ios::binary | std::ios::trunc) << preset.bytes;
    service::ConfigSources sources;
    sources.user_file = folder / "config.toml";
    sources.working_dir = folder;
    sources.home = folder;
    sources.environment = [](const std::string&) { return std::optional<std::string>(); };
    auto loaded = service::load_config(sources);
    if (!loaded) {
      ADD_FAILURE() << loaded.error().message();
      continue;
    }
    EXPECT_TRUE(loaded->notices.empty());
    EXPECT_TRUE(service::check(loaded->settings));
    // Nothing is sent anywhere before the user says so.
    EXPECT_TRUE(loaded->settings.offline);
    EXPECT_TRUE(loaded->settings.l4.urls.empty());
    EXPECT_FALSE(loaded->settings.log.prompts);
  }
  EXPECT_EQ(names, (std::set<std::string>{"copilot", "fleet", "openrouter", "perplexity",
                                          "private"}));
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

}  // namespace
}  // namespace tinyarms::cli
