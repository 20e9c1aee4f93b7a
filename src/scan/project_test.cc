#include "scan/project.h"

#include <gtest/gtest.h>

#include "scan/rule_template.h"
#include "scan/test_tree.h"

namespace tinyarms::scan {
namespace {

namespace fs = std::filesystem;

TEST(Project, ReadsWhatAstGrepWrites) {
  const TestTree tree;
  const std::string file = tree.write("sgconfig.yml",
                                      "---\nruleDirs:\n  - rules\nutilDirs:\n  - utils\n"
                                      "testConfigs:\n  - testDir: tests\n"
                                      "  - testDir: more\n    snapshotDir: snaps\n"
                                      "languageGlobs:\n  python: ['BUILD']\n"
                                      "customLanguages:\n  x: {}\n");
  const auto project = read_project(file);
  ASSERT_TRUE(project) << project.error().message();
  EXPECT_EQ(project->rule_dirs, std::vector<fs::path>{tree.root() / "rules"});
  EXPECT_EQ(project->util_dirs, std::vector<fs::path>{tree.root() / "utils"});
  ASSERT_EQ(project->tests.size(), 2u);
  EXPECT_EQ(project->tests[0].snapshots, "__snapshots__");
  EXPECT_EQ(project->tests[1].snapshots, "snaps");
  ASSERT_NE(project->languages.of("a/BUILD"), nullptr);
  ASSERT_EQ(project->notices.size(), 1u);
  EXPECT_NE(project->notices[0].find("customLanguages"), std::string::npos);
}

TEST(Project, ErrorsNameThePlace) {
  const TestTree tree;
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"ruleDirs: rules\n", "1:11"},
      {"ruleDirs: [a]\ntestConfigs:\n  - {}\n", "3:5"},
      {"ruleDirs: [[a]]\n", "1:12"},
      {"[]\n", "1:1"},
      {"rules: []\n", "ruleDirs"},
      {"ruleDirs: [a\n", "sgconfig.yml:"},
      {"ruleDirs: [a]\nlanguageGlobs: {klingon: ['*.k']}\n", "klingon"},
      {"", "empty"}};
  for (const auto& [text, expected] : cases) {
    const auto project = read_project(tree.write("sgconfig.yml", text));
    ASSERT_FALSE(project) << text;
    EXPECT_EQ(project.error().code, ErrorCode::Config) << text;
    EXPECT_NE(project.error().message().find(expected), std::string::npos)
        << project.error().message();
  }
  EXPECT_EQ(read_project(tree.path("none.yml")).error().code, ErrorCode::NotFound);
}

TEST(Project, IsFoundInFoldersAbove) {
  const TestTree tree;
  fs::create_directories(tree.root() / "a/b");
  EXPECT_EQ(find_project_file(tree.root() / "a/b"), std::nullopt);
  tree.write("sgconfig.yml", "ruleDirs: [rules]\n");
  EXPECT_EQ(find_project_file(tree.root() / "a/b"), tree.root() / "sgconfig.yml");
}

TEST(Project, RuleFilesComeSortedWithoutHiddenOnes) {
  const TestTree tree;
  const std::string file = tree.write("sgconfig.yml", "ruleDirs: [rules]\n");
  for (const char* name : {"rules/b.yml", "rules/a/z.yaml", "rules/.x.yml", "rules/.d/y.yml",
                           "rules/readme.md"}) {
    tree.write(name, "id: x\n");
  }
  auto project = read_project(file);
  ASSERT_TRUE(project);
  auto sources = read_rule_sources(*project);
  ASSERT_TRUE(sources);
  ASSERT_EQ(sources->rules.size(), 2u);
  EXPECT_EQ(sources->rules[0].name, tree.path("rules/a/z.yaml"));
  EXPECT_EQ(sources->rules[1].name, tree.path("rules/b.yml"));
  project->rule_dirs.push_back(tree.root() / "none");
  EXPECT_EQ(read_rule_sources(*project).error().code, ErrorCode::NotFound);
}

TEST(RuleTemplate, WritesOnceAndNeverOver) {
  const TestTree tree;
  ASSERT_TRUE(create_project(tree.root()));
  EXPECT_EQ(create_project(tree.root()).error().code, ErrorCode::Unavailable);
  EXPECT_EQ(create_project(tree.root() / "rules").error().code, ErrorCode::Unavailable)
      << "inside of a project";
  const auto project = read_project(tree.path("sgconfig.yml"));
  ASSERT_TRUE(project) << project.error().message();
  const auto rule = create_from_template(*project, TemplateKind::Rule, "no-x", "Python");
  ASSERT_TRUE(rule) << rule.error().message();
  EXPECT_EQ(*rule, tree.root() / "rules/no-x.yml");
  EXPECT_NE(tree.read("rules/no-x.yml").find("language: python\n"), std::string::npos);
  EXPECT_EQ(create_from_template(*project, TemplateKind::Rule, "no-x", "c").error().code,
            ErrorCode::Unavailable);
  ASSERT_TRUE(create_from_template(*project, TemplateKind::Test, "no-x", ""));
  ASSERT_TRUE(create_from_template(*project, TemplateKind::Util, "is-x", "go"));
  for (const char* id : {"", "../x", "a/b", "a b", "-x", ".x"}) {
    EXPECT_EQ(create_from_template(*project, TemplateKind::Rule, id, "c").error().code,
              ErrorCode::InvalidArgument)
        << id;
  }
  EXPECT_EQ(create_from_template(*project, TemplateKind::Rule, "y", "klingon").error().code,
            ErrorCode::InvalidArgument);
}

}  // namespace
}  // namespace tinyarms::scan
