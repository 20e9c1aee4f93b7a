#include "corpus/library.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "corpus/test_library.h"

namespace tinyarms::corpus {
namespace {

using testing::HasSubstr;

TEST_F(LibraryTest, FindsWhatWasIndexedWithItsPlaceAndSymbol) {
  write("src/config.py", "import os\n\n\ndef parse_config(path):\n    return read_toml(path)\n");
  write("README.md", "# Shop\nSells apples.\n\n## Deployment\nIt runs on Kubernetes clusters.\n");
  auto in = library();
  const IndexReport report = update(*in);
  EXPECT_EQ(report.indexed, 2U);
  EXPECT_FALSE(report.interrupted);
  const auto found = search(*in, "where is the config parsed");
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].passage.path, (tree() / "src/config.py").string());
  EXPECT_EQ(found[0].passage.first_line, 4U);
  EXPECT_EQ(found[0].passage.symbol, "parse_config");
  EXPECT_EQ(found[0].passage.language, "python");
  EXPECT_EQ(found[0].word_rank, 1U);
  const auto only = search(*in, "kubernetes config", {.count = 10, .language = "markdown"});
  ASSERT_EQ(only.size(), 2U);
  EXPECT_EQ(only[0].passage.symbol, "Shop > Deployment");
}

TEST_F(LibraryTest, ASecondRunReadsOnlyWhatChanged) {
  write("a.py", "def one():\n    return first_thing()\n");
  write("b.py", "def two():\n    return second_thing()\n");
  auto in = library();
  update(*in);
  const size_t before = embedder_.embedded;
  EXPECT_EQ(update(*in).indexed, 0U);
  EXPECT_EQ(embedder_.embedded, before);
  write("b.py", "def three():\n    return third_thing()\n");
  fs::last_write_time(tree() / "a.py", fs::file_time_type::clock::now());
  fs::remove(tree() / "missing.py");
  const IndexReport report = update(*in);
  EXPECT_EQ(report.indexed, 1U);
  EXPECT_EQ(report.unchanged, 1U);
  EXPECT_EQ(in->vectors(), 2U);
  fs::remove(tree() / "b.py");
  EXPECT_EQ(update(*in).removed, 1U);
  EXPECT_EQ(in->vectors(), 1U);
  EXPECT_TRUE(search(*in, "third thing", {.count = 1})[0].passage.symbol == "one");
}

TEST_F(LibraryTest, LeavesOutWhatIsNotTheUsersText) {
  write(".gitignore", "ignored/\n*.tmp\n");
  write("ignored/a.py", "def hidden_by_git(): pass\n");
  write("b.tmp", "temporary words in here\n");
  write("node_modules/x/index.js", "function vendored() {}\n");
  write(".env", "PASSWORD=hunter2\n");
  write("key.py", std::string("token = 'ghp") + "_0123456789abcdefghij0123456789abcdef'\n");
  write("blob.dat", std::string("a\0b\0c\0", 6) + std::string(100, '\0'));
  write("latin.txt", "gr\xfc\xdf dich, words and more\n");
  write("logo.png", "not really an image\n");
  write("big.txt", std::string(kIndexedBytesMax + 1, 'x'));
  fs::create_symlink(tree() / "big.txt", tree() / "link.txt");
  write("kept.py", "def kept():\n    return 'this one is kept'\n");
  auto in = library();
  const IndexReport report = update(*in);
  EXPECT_EQ(left_out(report, LeftOut::Ignored), 2U);
  EXPECT_EQ(left_out(report, LeftOut::Vendored), 1U);
  EXPECT_EQ(left_out(report, LeftOut::Secret), 2U);
  EXPECT_EQ(left_out(report, LeftOut::Binary), 2U);
  EXPECT_EQ(left_out(report, LeftOut::NotUtf8), 1U);
  EXPECT_EQ(left_out(report, LeftOut::TooLarge), 1U);
  EXPECT_EQ(left_out(report, LeftOut::Link), 1U);
  ASSERT_EQ(report.secrets.size(), 2U);
  EXPECT_EQ(report.secrets[1].path, (tree() / "key.py").string());
  EXPECT_EQ(report.secrets[1].secret.line, 1U);
  for (const Found& each : search(*in, "words", {.count = 50})) {
    EXPECT_THAT(each.passage.path, testing::AnyOf(HasSubstr("kept.py"), HasSubstr(".gitignore")));
  }
}

TEST_F(LibraryTest, AFileThatTurnsIntoASecretIsForgotten) {
  write("settings.py", "NAME = 'a harmless value in here'\n");
  auto in = library();
  update(*in);
  EXPECT_EQ(in->vectors(), 1U);
  write("settings.py", std::string("KEY = 'AK") + "IAIOSFODNN7EXAMPLE'\n");
  EXPECT_EQ(update(*in).removed, 1U);
  EXPECT_EQ(in->vectors(), 0U);
}

TEST_F(LibraryTest, RebuiltItIsEmptiedForAnotherModel) {
  write("a.py", "def one():\n    return first_thing()\n");
  update(*library());
  LibraryOptions other = options();
  other.wanted = {.model = "other", .model_id = "o1", .dimensions = kSize};
  other.rebuild = true;
  auto rebuilt = library(other);
  ASSERT_NE(rebuilt, nullptr);
  EXPECT_EQ(rebuilt->vectors(), 0U);
  EXPECT_FALSE(rebuilt->has_next());
  EXPECT_EQ(update(*rebuilt).indexed, 1U);
  EXPECT_EQ(rebuilt->maker()->model, "other");
}

TEST_F(LibraryTest, DamagedFilesAreSetAsideAndMadeAnew) {
  write("a.py", "def one():\n    return first_thing()\n");
  update(*library());
  std::ofstream(own() / vector_file_name("w1"), std::ios::binary) << "not vectors at all";
  {
    auto read = Library::open(options(), clock_);
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_THAT((*read)->notice(), HasSubstr("words alone"));
    EXPECT_EQ(search(**read, "first thing").size(), 1U);
    auto in = library();
    EXPECT_THAT(in->notice(), HasSubstr("set aside"));
    EXPECT_EQ(update(*in).embedded, 1U);
  }
  std::ofstream(own() / "passages.sqlite", std::ios::binary) << "no database";
  for (const char* name : {"passages.sqlite-wal", "passages.sqlite-shm"}) fs::remove(own() / name);
  auto in = library();
  EXPECT_THAT(in->notice(), HasSubstr("set aside"));
  EXPECT_EQ(update(*in).indexed, 1U);
  EXPECT_EQ(in->vectors(), 1U);
  EXPECT_EQ(search(*in, "first thing").size(), 1U);
}

TEST_F(LibraryTest, TwoWritersTakeTurns) {
  auto first = library();
  bool waited = false;
  stop_.raise();
  auto second =
      Library::open_to_write(options(), clock_, stop_, [&] { waited = true; });
  EXPECT_FALSE(second);
  stop_.lower();
  first.reset();
  EXPECT_NE(library(), nullptr);
}

// Killed at any moment, the index opens, and the next run brings it to the same end.
TEST_F(LibraryTest, SurvivesBeingKilledManyTimes) {
  constexpr int kFiles = 300;
  for (int i = 0; i < kFiles; ++i) {
    write(fmt::format("d{}/f{}.py", i % 7, i),
          fmt::format("def function_{}(x):\n    return helper_{}(x)\n\n\nclass C{}:\n    "
                      "value_of_it = {}\n",
                      i, i, i, i));
  }
  const unsigned seed = 42;
  std::mt19937 random(seed);
  for (int round = 0; round < 12; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto in = Library::open_to_write(options(), clock_, stop_, nullptr);
      if (!in) ::_exit(1);
      ::_exit(indexer(**in, embedder_).update(tree().string()) ? 0 : 1);
    }
    ::usleep(static_cast<useconds_t>(random() % 30000));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) {
      ASSERT_EQ(WEXITSTATUS(status), 0) << "seed " << seed << " round " << round;
    }
    if (round % 3 == 2) write(fmt::format("d0/f{}.py", 7 * round), "def changed_here(): pass\n");
    auto in = library();
    ASSERT_NE(in, nullptr) << "seed " << seed << " round " << round;
    ASSERT_EQ(in->notice(), "") << "seed " << seed << " round " << round;
  }
  auto in = library();
  update(*in);
  auto rest = in->without_vector();
  ASSERT_TRUE(rest);
  EXPECT_TRUE(rest->empty());
  auto totals = in->store().totals(tree().string());
  ASSERT_TRUE(totals);
  EXPECT_EQ(totals->files, static_cast<uint64_t>(kFiles));
  EXPECT_EQ(in->vectors(), totals->passages);
  EXPECT_EQ(search(*in, "function_123 helper_123", {.count = 1})[0].passage.symbol,
            "function_123");
}

TEST_F(LibraryTest, AReaderThatStaysOpenKeepsUp) {
  write("a.py", "def first():\n    return read_apples()\n");
  {
    auto in = library();
    update(*in);
  }
  auto opened = Library::open(options(), clock_);
  ASSERT_TRUE(opened) << opened.error().message();
  Library& reader = **opened;
  const auto current = [&] {
    auto kept = reader.keep_up();
    EXPECT_TRUE(kept) << kept.error().message();
    return kept && *kept;
  };
  EXPECT_TRUE(current());
  write("b.py", "def second():\n    return read_pears()\n");
  {
    auto in = library();
    update(*in);
  }
  EXPECT_TRUE(current());
  const auto found = search(reader, "pears");
  const auto second = std::find_if(found.begin(), found.end(), [](const Found& each) {
    return each.passage.symbol == "second";
  });
  ASSERT_NE(second, found.end());
  EXPECT_EQ(second->word_rank, 1U);
  EXPECT_GT(second->vector_rank, 0U) << "its vector was taken in as well";
  LibraryOptions other = options();
  other.wanted.model_id = "w2";
  other.rebuild = true;
  EXPECT_TRUE(library(other));
  EXPECT_FALSE(current()) << "rebuilt for another model";
}

TEST_F(LibraryTest, WordsCannotBeQuerySyntax) {
  write("a.py", "def one():\n    return first_thing()\n");
  auto in = library();
  update(*in);
  for (const char* text : {"\"", "NEAR(a b)", "a AND", "*", "symbol:one", "first* OR -", "()", "'",
                           "a\"b OR c"}) {
    search(*in, text);
  }
  search(*in, std::string(100000, 'a') + " thing");
}

}  // namespace
}  // namespace tinyarms::corpus
