// The public rules of ast-grep-essentials, unmodified: all of them load, and all of their own
// cases pass.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "rules/scan.h"

namespace tinyarms::rules {
namespace {

namespace fs = std::filesystem;

std::vector<RuleSource> read_folder(const fs::path& folder) {
  std::vector<RuleSource> sources;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".yml" && entry.path().extension() != ".yaml") continue;
    auto bytes = read_file(entry.path(), kYamlBytesMax);
    EXPECT_TRUE(bytes) << entry.path();
    if (bytes) sources.push_back({entry.path().string(), *bytes});
  }
  return sources;
}

class Essentials : public testing::Test {
 protected:
  void SetUp() override {
    const char* shared = std::getenv("TINYARMS_SHARED");
    folder_ = fs::path(shared == nullptr ? "" : shared) / "data" / "ast-grep-essentials";
    if (shared == nullptr || !fs::is_directory(folder_)) {
      GTEST_SKIP() << "no ast-grep-essentials in the folder that TINYARMS_SHARED names";
    }
    rules_ = RuleSet::load({read_folder(folder_ / "rules"), {}});
  }

  size_t count(const std::string& code, const RuleInfo& rule) {
    ScanOptions options;
    options.language = rule.language;
    const ScanResult result = scan(rules_, code, options, scratch_);
    EXPECT_NE(result.outcome, ScanResult::Outcome::GaveUp);
    size_t found = 0;
    for (const Finding& finding : result.findings) found += finding.rule == &rule ? 1 : 0;
    return found;
  }

  fs::path folder_;
  RuleSet rules_;
  Scratch scratch_;
};

TEST_F(Essentials, AllLoad) {
  EXPECT_EQ(rules_.rules().size(), 81u);
  for (const RuleProblem& problem : rules_.problems()) {
    ADD_FAILURE() << problem.rule << ": " << problem.error.message();
  }
}

TEST_F(Essentials, AllCasesPass) {
  size_t valid = 0;
  size_t invalid = 0;
  for (const RuleSource& source : read_folder(folder_ / "tests")) {
    // Snapshots have ids too, and no cases.
    if (source.name.find("__snapshots__") != std::string::npos) continue;
    const YamlFile file = read_yaml(source.name, source.bytes);
    EXPECT_TRUE(file.errors.empty()) << source.name;
    for (const YamlNode& test : file.documents) {
      const YamlNode* id = test.find("id");
      ASSERT_NE(id, nullptr) << source.name;
      const RuleInfo* rule = rules_.find(id->scalar);
      ASSERT_NE(rule, nullptr) << id->scalar;
      if (const YamlNode* cases = test.find("valid")) {
        for (const YamlNode& code : cases->items) {
          EXPECT_EQ(count(code.scalar, *rule), 0u) << rule->id << ":\n" << code.scalar;
          ++valid;
        }
      }
      if (const YamlNode* cases = test.find("invalid")) {
        for (const YamlNode& code : cases->items) {
          EXPECT_GT(count(code.scalar, *rule), 0u) << rule->id << ":\n" << code.scalar;
          ++invalid;
        }
      }
    }
  }
  EXPECT_EQ(valid, 90u);
  EXPECT_EQ(invalid, 188u);
  RecordProperty("valid", static_cast<int>(valid));
  RecordProperty("invalid", static_cast<int>(invalid));
}

}  // namespace
}  // namespace tinyarms::rules
