#include "service/policy_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace tinyarms::service {
namespace {

using cascade::Level;

Result<cascade::PolicyTerms> read(const std::string& text) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("tinyarms_policy_" + std::to_string(::getpid()) + ".toml");
  std::ofstream(path) << text;
  auto terms = read_policy_file(path);
  std::filesystem::remove(path);
  return terms;
}

TEST(PolicyFile, EveryTermIsRead) {
  auto terms = read(R"toml(
worth_of_right = 10
seconds_max = 30.5
cost_max = 4
withhold_below = 0.05
certified_only = true
safe_threshold = 0.9
explore = 0.02
[tier.l3]
threshold = 0.7
price = 2
seconds = 4
accuracy = 0.8
[[rule]]
name = "security review"
words = ["security review", "CVE"]
at_least = "l3"
threshold = 0.9
[group.code]
l2 = 0.8
[intent.maths]
at_most = "l2"
)toml");
  ASSERT_TRUE(terms) << terms.error().message();
  EXPECT_EQ(terms->worth_of_right, 10);
  EXPECT_EQ(terms->seconds_max, 30.5);
  EXPECT_EQ(terms->cost_max, 4);
  EXPECT_EQ(terms->withhold_below, 0.05);
  EXPECT_TRUE(terms->certified_only);
  EXPECT_EQ(terms->safe_threshold, 0.9);
  EXPECT_EQ(terms->explore, 0.02);
  const cascade::TierTerms& l3 = terms->tiers[Level::L3];
  EXPECT_EQ(l3.threshold, 0.7);
  EXPECT_EQ(l3.price, 2);
  EXPECT_EQ(l3.seconds, 4);
  EXPECT_EQ(l3.accuracy, 0.8);
  ASSERT_EQ(terms->rules.size(), 3u);
  const auto named = [&](const std::string& name) {
    for (const cascade::PolicyRule& rule : terms->rules) {
      if (rule.name == name) return rule;
    }
    return cascade::PolicyRule{};
  };
  EXPECT_EQ(named("security review").at_least, Level::L3);
  EXPECT_EQ(named("security review").words.size(), 2u);
  EXPECT_EQ(named("security review").threshold, 0.9);
  EXPECT_EQ(named("code").thresholds.at(Level::L2), 0.8);
  EXPECT_EQ(named("maths").group, "maths");
  EXPECT_EQ(named("maths").at_most, Level::L2);
}

TEST(PolicyFile, AnEmptyFileIsTheBuiltInTerms) {
  auto terms = read("");
  ASSERT_TRUE(terms);
  EXPECT_TRUE(terms->rules.empty());
  EXPECT_FALSE(terms->certified_only);
}

TEST(PolicyFile, FaultsNameTheirLine) {
  const std::pair<const char*, const char*> faults[] = {
      {"\nmood = 1\n", "unknown key mood"},
      {"\nexplore = 0.7\n", "explore is not a number"},
      {"\nexplore = nan\n", "explore is not a number"},
      {"\nexplore = \"x\"\n", "explore is not a number"},
      {"\nworth_of_right = 0\n", "worth_of_right is not a number"},
      {"\ncertified_only = 1\n", "certified_only is not true or false"},
      {"\ntier = 3\n", "tier is not a table"},
      {"[tier.l9]\n", "unknown key l9"},
      {"[tier.l3]\nprise = 1\n", "unknown key prise"},
      {"[group.code]\nat_least = \"l7\"\n", "at_least is not a tier"},
      {"[group.code]\nl2 = 1.5\n", "l2 is not a number"},
      {"\nrule = 1\n", "rule is not a list of tables"},
      {"[[rule]]\nname = \"x\"\n", "would never match"},
      {"[[rule]]\nwords = [\"\"]\n", "words holds an empty text"},
      {"[[rule]]\nwords = [1]\n", "words is not a list of texts"},
      {"[group]\ncode = 1\n", "code is not a table"},
      {"= 1\n", ""},
      {"[=\n", ""},
  };
  for (const auto& [text, what] : faults) {
    auto terms = read(text);
    ASSERT_FALSE(terms) << text;
    EXPECT_EQ(terms.error().code, ErrorCode::Config) << text;
    EXPECT_THAT(terms.error().what, testing::HasSubstr(what)) << text;
  }
  EXPECT_THAT(read("\nmood = 1\n").error().where, testing::EndsWith(".toml:2:1"));
}

TEST(PolicyFile, AMissingFileIsAnError) {
  EXPECT_EQ(read_policy_file("/nowhere/policy.toml").error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace tinyarms::service
