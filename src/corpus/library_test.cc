#include "corpus/library.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>

#include "corpus/indexer.h"
#include "corpus/words.h"

namespace tinyarms::corpus {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr size_t kSize = 32;

// Texts that share words lie near each other.
class WordEmbedder final : public engine::Embedder {
 public:
  const engine::ModelFacts& facts() const override { return facts_; }
  int dimensions() const override { return kSize; }
  std::string_view backend() const override { return "words"; }
  Result<std::vector<int32_t>> tokenize(std::string_view) const override {
    return std::vector<int32_t>{};
  }
  Result<std::vector<engine::Embedding>> embed(std::span<const std::string> texts) override {
    std::vector<engine::Embedding> all;
    for (const std::string& text : texts) {
      ++embedded;
      engine::Embedding embedding;
      embedding.values.assign(kSize, 0.01F);
      std::string word;
      for (const char c : index_words(text) + " ") {
        if (c != ' ') {
          word += c;
          continue;
        }
        embedding.values[std::hash<std::string>{}(word) % kSize] += 1;
        word.clear();
      }
      double squares = 0;
      for (const float value : embedding.values) squares += double{value} * double{value};
      for (float& value : embedding.values) value /= static_cast<float>(std::sqrt(squares));
      all.push_back(std::move(embedding));
    }
    return all;
  }
  size_t embedded = 0;

 private:
  engine::ModelFacts facts_;
};

class LibraryTest : public testing::Test {
 protected:
  LibraryTest() {
    std::string pattern = (fs::temp_directory_path() / "corpus-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    folder_ = fs::canonical(pattern);
    fs::create_directories(tree());
  }
  ~LibraryTest() override { fs::remove_all(folder_); }

  fs::path tree() const { return folder_ / "tree"; }
  fs::path own() const { return folder_ / "index"; }

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((tree() / name).parent_path());
    std::ofstream(tree() / name, std::ios::binary) << text;
  }

  LibraryOptions options() const {
    return {.folder = own(), .model = "words", .model_id = "w1", .dimensions = kSize};
  }

  std::unique_ptr<Library> library(LibraryOptions options) {
    auto opened = Library::open_to_write(options, clock_, stop_, nullptr);
    EXPECT_TRUE(opened) << opened.error().message();
    return opened ? std::move(*opened) : nullptr;
  }
  std::unique_ptr<Library> library() { return library(options()); }

  IndexReport update(Library& into) {
    Indexer indexer(into, embedder_, clock_, stop_,
                    {.own_folder = own(),
                     .environment = [](const std::string&) { return std::nullopt; }});
    auto report = indexer.update(tree().string());
    EXPECT_TRUE(report) << report.error().message();
    return report ? *report : IndexReport{};
  }

  std::vector<Found> search(Library& in, const std::string& text, SearchQuery query = {}) {
    auto vectors = embedder_.embed(std::span(&text, 1));
    query.text = text;
    query.vector = vectors->front().values;
    auto found = in.search(query);
    EXPECT_TRUE(found) << found.error().message();
    return found ? *found : std::vector<Found>{};
  }

  static size_t left_out(const IndexReport& report, LeftOut reason) {
    return report.left_out[static_cast<size_t>(reason)];
  }

  SystemClock clock_;
  StopFlag stop_;
  WordEmbedder embedder_;
  fs::path folder_;
};

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

TEST_F(LibraryTest, AnotherModelIsRefusedWithTheCommandThatRebuilds) {
  write("a.py", "def one():\n    return first_thing()\n");
  update(*library());
  LibraryOptions other = options();
  other.model = "other";
  other.model_id = "o1";
  auto refused = Library::open_to_write(other, clock_, stop_, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Unsupported);
  EXPECT_THAT(refused.error().message(), HasSubstr("tinyarms index update --rebuild"));
  EXPECT_FALSE(Library::open(other, clock_));
  other.rebuild = true;
  auto rebuilt = library(other);
  ASSERT_NE(rebuilt, nullptr);
  EXPECT_EQ(rebuilt->vectors(), 0U);
  EXPECT_EQ(update(*rebuilt).indexed, 1U);
  EXPECT_EQ(rebuilt->model(), "other");
}

TEST_F(LibraryTest, DamagedFilesAreSetAsideAndMadeAnew) {
  write("a.py", "def one():\n    return first_thing()\n");
  update(*library());
  std::ofstream(own() / "vectors", std::ios::binary) << "not vectors at all";
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
      Indexer indexer(**in, embedder_, clock_, stop_,
                      {.own_folder = own(),
                       .environment = [](const std::string&) { return std::nullopt; }});
      ::_exit(indexer.update(tree().string()) ? 0 : 1);
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
  other.model_id = "w2";
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
