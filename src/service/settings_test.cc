#include "service/settings.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "service/settings_value.h"

namespace tinyarms::service {
namespace {

TEST(SettingsTable, NamesAreUniqueAndFoundAgain) {
  std::set<std::string_view> keys;
  std::set<std::string> variables;
  for (const SettingInfo& info : known_settings()) {
    EXPECT_TRUE(keys.insert(info.key).second) << info.key;
    EXPECT_TRUE(variables.insert(environment_name(info)).second) << info.key;
    EXPECT_EQ(find_setting(info.key), &info);
  }
  EXPECT_EQ(find_setting("l2"), nullptr);
  EXPECT_EQ(find_setting(""), nullptr);
}

TEST(SettingsTable, EveryRowHasItsOwnField) {
  Settings settings;
  std::set<const void*> fields;
  for (const SettingInfo& info : known_settings()) {
    const void* field =
        std::visit([](auto* at) { return static_cast<const void*>(at); }, info.field(settings));
    EXPECT_TRUE(fields.insert(field).second) << info.key << " shares a field";
  }
}

TEST(SettingsTable, EveryRowIsDocumented) {
  for (const SettingInfo& info : known_settings()) {
    EXPECT_TRUE(info.doc.ends_with(".")) << info.key;
    EXPECT_FALSE(allowed_values(info).empty()) << info.key;
  }
}

// A default that its own row refuses could not be written into a file.
TEST(SettingsTable, DefaultsPassTheirOwnChecks) {
  for (const SettingInfo& info : known_settings()) {
    const std::string toml = default_as_toml(info);
    if (toml.empty()) continue;
    const bool quoted = toml.front() == '"';
    const std::string text = quoted ? toml.substr(1, toml.size() - 2) : toml;
    Settings settings;
    auto assigned = assign(settings, info, read_text(info, text), {.folder = "/", .home = ""});
    EXPECT_TRUE(assigned) << assigned.error().message();
    EXPECT_EQ(value_as_toml(settings, info), toml) << info.key;
  }
}

TEST(SettingsTable, NothingThatLeavesTheMachineIsAProjectsToSet) {
  for (const char* key : {"offline", "l4.url", "l4.model", "l4.api_key_env",
                          "l4.api_key_file", "l4.budget_per_day", "l4.kind", "l0.packs",
                          "l2.system_prompt", "l3.system_prompt", "memory_budget",
                          "calibration.files", "calibration.allow_foreign", "policy.file",
                          "policy.explore", "log.decisions", "log.prompts", "log.keep_days",
                          "log.keep_rows", "telemetry.otlp_endpoint",
                          "telemetry.propagate"}) {
    ASSERT_NE(find_setting(key), nullptr) << key;
    EXPECT_EQ(find_setting(key)->project, ProjectRule::Forbidden) << key;
  }
  for (const SettingInfo& info : known_settings()) {
    const bool names_files = info.kind == SettingKind::Model ||
                             info.kind == SettingKind::Path ||
                             info.kind == SettingKind::PathList;
    if (names_files) {
      EXPECT_NE(info.project, ProjectRule::Allowed) << info.key;
    }
  }
}

TEST(Settings, VariableNamesFollowTheKey) {
  EXPECT_EQ(environment_name(*find_setting("l2.model")), "TINYARMS_L2_MODEL");
  EXPECT_EQ(environment_name(*find_setting("memory_budget")), "TINYARMS_MEMORY_BUDGET");
}

TEST(Settings, ValuesAreWrittenAsToml) {
  Settings settings;
  settings.sampling.stop = {"\n\n", "a \"quote\""};
  settings.memory_budget_bytes = 2500000000;
  EXPECT_EQ(value_as_toml(settings, *find_setting("sampling.stop")),
            R"(["\n\n", "a \"quote\""])");
  EXPECT_EQ(value_as_toml(settings, *find_setting("memory_budget")), "\"2.5GB\"");
  EXPECT_EQ(value_as_toml(settings, *find_setting("confidence_threshold")), "");
  EXPECT_EQ(value_as_toml(settings, *find_setting("offline")), "true");
}

TEST(Settings, MemoryBudgetIsAShareOfTheMachineUnlessSet) {
  Settings settings;
  EXPECT_EQ(memory_budget(settings, 10000000000), 6000000000u);
  settings.memory_budget_bytes = 1 << 30;
  EXPECT_EQ(memory_budget(settings, 10000000000), uint64_t{1} << 30);
}

TEST(Settings, OnlyThresholdsThatWereSetReachTheRequest) {
  Settings settings;
  EXPECT_TRUE(set_thresholds(settings).empty());
  settings.level_thresholds[3] = 0.25;
  const auto thresholds = set_thresholds(settings);
  ASSERT_EQ(thresholds.size(), 1u);
  EXPECT_EQ(thresholds.at(cascade::Level::L3), 0.25);
}

}  // namespace
}  // namespace tinyarms::service
