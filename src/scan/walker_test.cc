#include "scan/walker.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "scan/test_tree.h"

namespace tinyarms::scan {
namespace {

namespace fs = std::filesystem;

class WalkerTest : public ::testing::Test {
 protected:
  // Paths that come out, relative to the tree; skips with their reason behind them.
  std::vector<std::string> walked(WalkOptions options = {}) {
    if (options.paths == std::vector<std::string>{"."}) options.paths = {tree_.root().string()};
    std::vector<std::string> paths;
    const FileLanguages languages;
    const WalkCallbacks callbacks{
        .language_of = [&](std::string_view path) { return languages.of(path); },
        .visit =
            [this](unsigned, const WalkedFile& file) {
              if (delay_) std::this_thread::sleep_for(std::chrono::microseconds(file.path.size()));
              if (stop_after_ > 0 && --stop_after_ == 0) stop_.raise();
              return FileReport{};
            },
        .emit =
            [&](FileReport& report) {
              std::string path = report.path;
              const std::string root = tree_.root().string() + "/";
              if (path.rfind(root, 0) == 0) path = path.substr(root.size());
              if (report.skip) path += fmt::format(" ({})", skip_reason_name(report.skip->reason));
              paths.push_back(path);
            }};
    const Environment environment = [this](const std::string& name) {
      return name == "HOME" ? std::optional(tree_.path("home")) : std::nullopt;
    };
    const auto done = walk(options, environment, callbacks, stop_);
    EXPECT_TRUE(done) << (done ? "" : done.error().message());
    return paths;
  }

  using Paths = std::vector<std::string>;
  TestTree tree_;
  StopFlag stop_;
  bool delay_ = false;
  std::atomic<int> stop_after_{0};
};

TEST_F(WalkerTest, InTheOrderOfPathsWhateverTheThreads) {
  for (const char* name : {"b.py", "a/z.py", "a/b/c.py", "a.py", "c/d.md", "a/a.py"}) {
    tree_.write(name, "x");
  }
  const Paths expected = {"a/a.py", "a/b/c.py", "a/z.py", "a.py", "b.py"};
  EXPECT_EQ(walked(), expected);
  delay_ = true;
  for (unsigned threads : {2u, 3u, 8u}) EXPECT_EQ(walked({.threads = threads}), expected);
}

TEST_F(WalkerTest, ManyFilesByManyThreadsComeOutOnceEach) {
  Paths expected;
  for (int folder = 0; folder < 40; ++folder) {
    for (int file = 0; file < 25; ++file) {
      expected.push_back(fmt::format("d{:02}/f{:02}.py", folder, file));
      tree_.write(expected.back(), "x");
    }
  }
  for (unsigned threads : {1u, 4u, 16u}) EXPECT_EQ(walked({.threads = threads}), expected);
}

TEST_F(WalkerTest, HiddenFoldersAreSkippedHiddenFilesAreNot) {
  tree_.write(".hidden.py", "x");
  tree_.write(".git2/a.py", "x");
  tree_.write("a.py", "x");
  EXPECT_EQ(walked(), (Paths{".hidden.py", "a.py"}));
  EXPECT_EQ(walked({.hidden = true}), (Paths{".git2/a.py", ".hidden.py", "a.py"}));
  EXPECT_EQ(walked({.paths = {tree_.path(".git2")}}), (Paths{".git2/a.py"}));
}

// The tree and what ast-grep 0.51.1 makes of it.
TEST_F(WalkerTest, GitignoreCountsInARepositoryIgnoreEverywhere) {
  for (const char* name : {"top.py", "sub/one.py", "sub/deep/two.py", "build/b.py", "a/b/c/d.py",
                           "src/keep.py", "src/drop.py", "sub/foo.py", "foo.py"}) {
    tree_.write(name, "x");
  }
  tree_.write(".gitignore", "build/\n/foo.py\na/**/d.py\nsrc/*\n!src/keep.py\n");
  tree_.write("sub/.ignore", "one.py\n");
  EXPECT_EQ(walked(), (Paths{"a/b/c/d.py", "build/b.py", "foo.py", "src/drop.py", "src/keep.py",
                             "sub/deep/two.py", "sub/foo.py", "top.py"}));
  fs::create_directory(tree_.root() / ".git");
  const Paths respected = {"src/keep.py", "sub/deep/two.py", "sub/foo.py", "top.py"};
  EXPECT_EQ(walked(), respected);
  EXPECT_EQ(walked({.paths = {tree_.path("sub")}}), (Paths{"sub/deep/two.py", "sub/foo.py"}));
  EXPECT_EQ(walked({.paths = {tree_.path("build")}}), (Paths{"build/b.py"})) << "named";
  EXPECT_EQ(walked({.paths = {tree_.path("foo.py")}}), (Paths{"foo.py"})) << "named";
  EXPECT_EQ(walked({.ignores = {.vcs = false}}).size(), 8u);
  EXPECT_EQ(walked({.ignores = {.dot = false}}).size(), 5u);
}

TEST_F(WalkerTest, IgnoreFilesAboveExcludeFileAndGlobalFile) {
  fs::create_directories(tree_.root() / "repo/.git/info");
  tree_.write("repo/.gitignore", "above.py\nsub/anchored.py\n");
  tree_.write("repo/.git/info/exclude", "excluded.py\n");
  tree_.write("home/.gitconfig", "[user]\nname = x\n[core]\n\texcludesFile = ~/global\n");
  tree_.write("home/global", "global.py\n");
  for (const char* name : {"above", "anchored", "excluded", "global", "kept"}) {
    tree_.write(fmt::format("repo/sub/{}.py", name), "x");
  }
  const std::string sub = tree_.path("repo/sub");
  EXPECT_EQ(walked({.paths = {sub}}), (Paths{"repo/sub/kept.py"}));
  EXPECT_EQ(walked({.paths = {sub}, .ignores = {.exclude = false}}),
            (Paths{"repo/sub/excluded.py", "repo/sub/kept.py"}));
  EXPECT_EQ(walked({.paths = {sub}, .ignores = {.global = false}}),
            (Paths{"repo/sub/global.py", "repo/sub/kept.py"}));
  EXPECT_EQ(walked({.paths = {sub}, .ignores = {.parents = false}}).size(), 5u);
}

TEST_F(WalkerTest, LinksAreFollowedOnlyWhereAskedAndLoopsEnd) {
  tree_.write("a/x.py", "x");
  fs::create_directory_symlink("..", tree_.root() / "a/loop");
  fs::create_symlink("x.py", tree_.root() / "a/link.py");
  fs::create_symlink("nowhere.py", tree_.root() / "a/broken.py");
  EXPECT_EQ(walked(), (Paths{"a/x.py"}));
  EXPECT_EQ(walked({.follow_links = true}),
            (Paths{"a/broken.py (broken link)", "a/link.py", "a/loop (link loop)", "a/x.py"}));
  EXPECT_EQ(walked({.paths = {tree_.path("a/link.py")}}), (Paths{"a/link.py"})) << "named";
}

TEST_F(WalkerTest, GlobsOverrideEverythingElse) {
  for (const char* name : {"a.py", "b.js", "sub/c.py"}) tree_.write(name, "x");
  EXPECT_EQ(walked({.globs = {"*.py"}}), (Paths{"a.py", "sub/c.py"}));
  EXPECT_EQ(walked({.globs = {"!*.py"}}), (Paths{"b.js"}));
  EXPECT_EQ(walked({.globs = {"*.py", "!c.py"}}), (Paths{"a.py"}));
  EXPECT_FALSE(walk({.globs = {"[a"}}, {}, {}, stop_));
}

TEST_F(WalkerTest, WhatCannotBeReadIsTold) {
  tree_.write("a.py", "x");
  tree_.write("locked/b.py", "x");
  if (::geteuid() != 0) {
    fs::permissions(tree_.root() / "locked", fs::perms::none);
    EXPECT_EQ(walked(), (Paths{"a.py", "locked (unreadable)"}));
    fs::permissions(tree_.root() / "locked", fs::perms::owner_all);
  }
  EXPECT_EQ(walked({.paths = {tree_.path("missing"), tree_.path("a.py")}}),
            (Paths{"missing (unreadable)", "a.py"}));
  const std::string notes = tree_.write("notes.md", "x");
  ASSERT_EQ(walked({.paths = {notes}}).size(), 1u);
  EXPECT_NE(walked({.paths = {notes}})[0].find("notes.md (in no language"), std::string::npos);
}

TEST_F(WalkerTest, APathNamedTwiceIsVisitedOnce) {
  tree_.write("sub/a.py", "x");
  tree_.write("sub/b.py", "x");
  const std::string sub = tree_.path("sub");
  EXPECT_EQ(walked({.paths = {sub, sub + "/", sub + "/b.py"}}).size(), 2u);
}

TEST_F(WalkerTest, StopsEarly) {
  for (int i = 0; i < 50; ++i) tree_.write(fmt::format("{:02}.py", i), "x");
  stop_after_ = 3;
  EXPECT_EQ(walked().size(), 3u);
}

TEST(ShownPath, WithoutDotsAndDoubledSlashes) {
  EXPECT_EQ(shown_path("./a//b/"), "a/b");
  EXPECT_EQ(shown_path("."), ".");
  EXPECT_EQ(shown_path("/"), "/");
  EXPECT_EQ(shown_path("/tmp//x/"), "/tmp/x");
  EXPECT_EQ(shown_path("a/../b"), "a/../b");
}

}  // namespace
}  // namespace tinyarms::scan
