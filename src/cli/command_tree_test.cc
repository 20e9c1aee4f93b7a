#include "cli/command_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace tinyarms::cli {
namespace {

using testing::HasSubstr;

CommandInfo example() {
  CLI::App app("does things", "prog");
  CLI::App* outer = app.add_subcommand("models", "it's [about] models");
  std::string value;
  outer->add_option("-f,--file", value, "A file")->type_name("FILE");
  outer->add_subcommand("list", "lists: all");
  return command_tree(app);
}

// Whether `shell` accepts the script; a shell that is not installed cannot say no.
bool parses(const std::string& shell, const std::string& script) {
  if (std::system(("command -v " + shell + " >/dev/null 2>&1").c_str()) != 0) return true;
  const auto file = std::filesystem::temp_directory_path() /
                    ("completion-" + shell + std::to_string(::getpid()));
  std::ofstream(file) << script;
  const int status = std::system((shell + " -n " + file.string()).c_str());
  std::filesystem::remove(file);
  return status == 0;
}

TEST(CommandTreeTest, ReadsOptionsAndCommandsOffTheParser) {
  const CommandInfo tree = example();
  EXPECT_EQ(tree.name, "prog");
  ASSERT_EQ(tree.commands.size(), 1U);
  EXPECT_EQ(tree.commands[0].commands[0].name, "list");
  bool found = false;
  for (const OptionInfo& option : tree.commands[0].options) {
    if (option.names != std::vector<std::string>{"-f", "--file"}) continue;
    found = true;
    EXPECT_TRUE(option.takes_value);
    EXPECT_EQ(option.value_name, "FILE");
  }
  EXPECT_TRUE(found);
}

TEST(CompletionTest, ScriptsAreAcceptedByTheirShells) {
  EXPECT_TRUE(parses("bash", completion_script(example(), Shell::Bash)));
  EXPECT_TRUE(parses("zsh", completion_script(example(), Shell::Zsh)));
  EXPECT_TRUE(parses("fish", completion_script(example(), Shell::Fish)));
}

TEST(CompletionTest, BashOffersTheWordsOfTheCommandTypedSoFar) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("completion-run" + std::to_string(::getpid()));
  std::ofstream(file) << completion_script(example(), Shell::Bash)
                      << "COMP_WORDS=(prog models l); COMP_CWORD=2; _prog; "
                         "[ \"${COMPREPLY[*]}\" = list ]\n";
  EXPECT_EQ(std::system(("bash " + file.string()).c_str()), 0);
  std::filesystem::remove(file);
}

TEST(ManualPageTest, NamesCommandsOptionsAndSettings) {
  const std::string page = manual_page(example(), "1.0", {{"l2.model", "The small model."}});
  EXPECT_THAT(page, HasSubstr(".TH TINYARMS 1"));
  EXPECT_THAT(page, HasSubstr("\\-\\-file FILE"));
  EXPECT_THAT(page, HasSubstr("l2.model"));
}

}  // namespace
}  // namespace tinyarms::cli
