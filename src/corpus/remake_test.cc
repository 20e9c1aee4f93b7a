// Another encoder's vectors, made while the old ones serve.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <random>

#include "corpus/test_library.h"

namespace tinyarms::corpus {
namespace {

using ::testing::HasSubstr;
using Which = Library::Which;

class RemakeTest : public LibraryTest {
 protected:
  RemakeTest() {
    for (int i = 0; i < kFiles; ++i) write_file(i, "first");
    update(*library());
  }

  void write_file(int number, const std::string& state) const {
    write(fmt::format("f{}.py", number),
          fmt::format("def function_{0}(x):\n    return {1}_{0}(x)\n\n\nclass C{0}:\n    "
                      "{1}_value = {0}\n",
                      number, state));
  }

  LibraryOptions other(size_t dimensions = kSize) const {
    LibraryOptions wanted = options();
    wanted.wanted = {.model = "new", .model_id = "n1", .dimensions = dimensions};
    return wanted;
  }

  std::unique_ptr<Library> reader(const LibraryOptions& wanted) {
    auto opened = Library::open(wanted, clock_);
    EXPECT_TRUE(opened) << opened.error().message();
    return opened ? std::move(*opened) : nullptr;
  }

  // As who asks does: by the encoder that made the vectors. Which one it was, and what it found.
  std::pair<std::string, std::vector<int64_t>> ask(const LibraryOptions& wanted,
                                                   engine::Embedder& next) {
    auto in = reader(wanted);
    const VectorMaker* maker = in->maker();
    if (maker == nullptr) return {"words", {}};
    engine::Embedder& encoder = maker->model_id == "n1" ? next : embedder_;
    SearchQuery query;
    query.made_by = maker->model_id;
    query.weights = {.words = 0, .vectors = 1};
    std::vector<int64_t> ids;
    for (const Found& found : search_by(*in, encoder, kQuestion, query)) {
      ids.push_back(found.passage.id);
    }
    return {maker->model, ids};
  }

  static constexpr int kFiles = 400;
  static constexpr const char* kQuestion = "function_123 first_123";
};

TEST_F(RemakeTest, TheOldOneServesUntilTheNewOneIsComplete) {
  // Of the same size but for its turn, so that only the name tells the two apart; and of another.
  for (const auto& [size, id] : {std::pair(kSize, "n1"), std::pair(size_t{48}, "n2")}) {
    LibraryOptions wanted = other(size);
    wanted.wanted.model_id = id;
    WordEmbedder next(size, 5);
    const std::string before = reader(wanted)->maker()->model;
    auto in = library(wanted);
    ASSERT_TRUE(in->has_next());
    Indexer indexer = this->indexer(*in, embedder_, &next);
    ASSERT_TRUE(indexer.update(tree().string()));
    EXPECT_EQ(reader(wanted)->maker()->model, before);
    EXPECT_THAT(*reader(wanted)->remaking_text(), HasSubstr("serves until the vectors of new"));
    auto report = indexer.remake();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->made, 2U * kFiles);
    EXPECT_FALSE(in->has_next());
    auto after = reader(wanted);
    EXPECT_EQ(after->maker()->model_id, id);
    EXPECT_EQ(*after->remaking_text(), "");
    EXPECT_EQ(search_by(*after, next, kQuestion)[0].passage.symbol, "function_123");
    in.reset();  // and its lock
    if (size == kSize) {
      // Back at once, for nothing has changed; and there again.
      EXPECT_EQ(reader(options())->maker()->model_id, "w1");
      EXPECT_FALSE(library()->has_next());
      EXPECT_FALSE(library(wanted)->has_next());
      ASSERT_FALSE(library()->has_next());
    }
  }
}

TEST_F(RemakeTest, AQuestionOfAnotherEncoderIsRefused) {
  auto in = reader(options());
  const std::vector<float> vector(kSize, 1.0F);
  auto refused = in->search({.text = "x", .vector = vector, .made_by = "n1"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
}

// Killed at any moment the index is valid and goes on, and whoever searches meanwhile gets what the
// old encoder finds or what the new one does.
TEST_F(RemakeTest, SurvivesBeingKilledManyTimes) {
  constexpr int kKills = 24;
  // Of another size, for it has to find something else: words meet in other places of the vector.
  const LibraryOptions wanted = other(48);
  WordEmbedder next(48, 5);
  std::map<std::string, std::vector<int64_t>> expected = {{"words", ask(options(), next).second}};
  {
    // What the new one finds when nobody disturbs it; then back to the old one alone.
    auto in = library(wanted);
    ASSERT_TRUE(indexer(*in, embedder_, &next).remake());
    in.reset();
    auto [who, found] = ask(wanted, next);
    ASSERT_EQ(who, "new");
    expected["new"] = std::move(found);
    auto back = library(options());
    ASSERT_FALSE(back->has_next());
    ASSERT_TRUE(back->drop_old());
  }
  ASSERT_NE(expected["new"], expected["words"]);
  const unsigned seed = 7;
  std::mt19937 random(seed);
  int by_old = 0;
  int cut = 0;
  useconds_t longest = 4000;
  for (int round = 0; round < kKills; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto in = Library::open_to_write(wanted, clock_, stop_, nullptr);
      if (!in) ::_exit(1);
      const bool other = (*in)->has_next();
      Indexer both = indexer(**in, other ? static_cast<engine::Embedder&>(embedder_) : next,
                             other ? &next : nullptr);
      if (!both.update(tree().string())) ::_exit(1);
      ::_exit(both.remake() ? 0 : 1);
    }
    ::usleep(1 + static_cast<useconds_t>(random()) % longest);
    const auto [who, found] = ask(wanted, next);  // while it is at it
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    const std::string where = fmt::format("seed {} round {}", seed, round);
    if (WIFEXITED(status)) {
      ASSERT_EQ(WEXITSTATUS(status), 0) << where;
    } else {
      ++cut;
    }
    ASSERT_TRUE(who == "words" || who == "new") << who << " " << where;
    by_old += who == "words" ? 1 : 0;
    ASSERT_EQ(found, expected[who]) << where;
    auto after = reader(wanted);
    ASSERT_EQ(after->notice(), "") << where;
    auto now = after->remaking();
    ASSERT_TRUE(now) << where;
    // A switched one stays switched; then the next round begins from the old one again.
    if (!*now) {
      auto back = library(options());
      ASSERT_FALSE(back->has_next()) << where;
      ASSERT_TRUE(back->drop_old()) << where;
    }
    longest = WIFEXITED(status) ? std::max<useconds_t>(longest / 2, 1000) : longest * 3 / 2;
  }
  EXPECT_GT(cut, kKills / 4) << "the kills came too late to mean much";
  EXPECT_GT(by_old, 0);
  auto in = library(wanted);
  Indexer both = indexer(*in, in->has_next() ? static_cast<engine::Embedder&>(embedder_) : next,
                         in->has_next() ? &next : nullptr);
  ASSERT_TRUE(both.remake());
  EXPECT_EQ(in->vectors(), 2U * kFiles);
  EXPECT_EQ(ask(wanted, next).first, "new");
  in.reset();
  EXPECT_EQ(ask(wanted, next).second, expected["new"]);
}

TEST_F(RemakeTest, FilesThatChangeMeanwhileAreRightInBoth) {
  const LibraryOptions wanted = other();
  WordEmbedder next(kSize, 5);
  const auto vectors_of = [&](const std::string& symbol, Library& in, Which which) {
    auto rest = in.without_vector(which);
    EXPECT_TRUE(rest);
    auto rows = in.store().passages_of_symbol(symbol, 5);
    EXPECT_TRUE(rows);
    size_t with = 0;
    for (const auto& row : *rows) {
      with += std::find(rest->begin(), rest->end(), row.id) == rest->end() ? 1 : 0;
    }
    return with;
  };
  {
    // Half of them made, then stopped.
    auto in = library(wanted);
    auto rest = in->without_vector(Which::Next);
    ASSERT_TRUE(rest);
    ASSERT_EQ(rest->size(), 2U * kFiles);
    const std::vector<int64_t> half(rest->begin(), rest->begin() + kFiles);
    std::vector<float> vectors;
    for (size_t i = 0; i < half.size(); ++i) {
      std::vector<float> one(kSize, 0.01F);
      one[i % kSize] = 1;
      vectors.insert(vectors.end(), one.begin(), one.end());
    }
    ASSERT_TRUE(in->add_vectors(half, vectors, Which::Next));
  }
  EXPECT_THAT(*reader(wanted)->remaking_text(), HasSubstr("50 % of 800"));
  EXPECT_FALSE(ask(wanted, next).second.empty());
  write_file(3, "changed");
  write(fmt::format("new.py"), "def brand_new(x):\n    return x\n");
  fs::remove(tree() / "f5.py");
  {
    auto in = library(wanted);
    Indexer both = indexer(*in, embedder_, &next);
    auto report = both.update(tree().string());
    ASSERT_TRUE(report);
    EXPECT_EQ(report->removed, 1U);
    EXPECT_EQ(vectors_of("brand_new", *in, Which::Serving), 1U) << "the old one is kept right";
    EXPECT_EQ(vectors_of("brand_new", *in, Which::Next), 0U);
    EXPECT_TRUE(in->without_vector(Which::Serving)->empty());
    EXPECT_EQ(in->vectors(), 2U * kFiles - 2 + 1);
    auto remade = both.remake();
    ASSERT_TRUE(remade) << remade.error().message();
    EXPECT_LE(remade->made, kFiles + 3U) << "what was made before is not made again";
    EXPECT_EQ(in->vectors(), 2U * kFiles - 2 + 1);
    EXPECT_TRUE(in->without_vector()->empty());
  }
  // The old one has not followed what changes from here on, and does not serve half.
  write_file(4, "later");
  {
    auto in = library(wanted);
    ASSERT_TRUE(indexer(*in, next).update(tree().string()));
  }
  EXPECT_EQ(reader(options())->maker()->model_id, "n1");
  auto back = library(options());
  ASSERT_TRUE(back->has_next());
  auto caught_up = indexer(*back, next, &embedder_).remake();
  ASSERT_TRUE(caught_up);
  EXPECT_EQ(caught_up->made, 2U);
  EXPECT_EQ(reader(options())->maker()->model_id, "w1");
}

TEST_F(RemakeTest, WithoutTheOldModelWordsServe) {
  const LibraryOptions wanted = other();
  WordEmbedder next(kSize, 5);
  {
    auto in = library(wanted);
    ASSERT_TRUE(in->abandon_serving());
    EXPECT_FALSE(in->has_next());
  }
  EXPECT_EQ(reader(wanted)->maker(), nullptr) << "half of the vectors would rank too high";
  EXPECT_THAT(*reader(wanted)->remaking_text(), HasSubstr("by words alone"));
  {
    auto words = reader(wanted);
    EXPECT_EQ(search_by(*words, next, kQuestion)[0].vector_rank, 0U);
  }
  auto in = library(wanted);
  Indexer only = indexer(*in, next);
  ASSERT_TRUE(only.update(tree().string()));
  EXPECT_EQ(reader(wanted)->maker(), nullptr);
  ASSERT_TRUE(only.remake());
  EXPECT_EQ(reader(wanted)->maker()->model_id, "n1");
}

TEST_F(RemakeTest, ADamagedNewFileIsMadeAnewAndTheOldServes) {
  const LibraryOptions wanted = other();
  WordEmbedder next(kSize, 5);
  library(wanted).reset();
  std::ofstream(own() / vector_file_name("n1"), std::ios::binary) << "no vectors at all";
  EXPECT_EQ(reader(wanted)->maker()->model_id, "w1");
  auto in = library(wanted);
  EXPECT_THAT(in->notice(), HasSubstr("set aside"));
  EXPECT_EQ(reader(wanted)->maker()->model_id, "w1");
  auto report = indexer(*in, embedder_, &next).remake();
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->made, 2U * kFiles);
}

TEST_F(RemakeTest, ADamagedOldFileLeavesWords) {
  const LibraryOptions wanted = other();
  library(wanted).reset();
  std::ofstream(own() / vector_file_name("w1"), std::ios::binary) << "no vectors at all";
  EXPECT_EQ(reader(wanted)->maker(), nullptr);
  auto in = library(wanted);
  EXPECT_FALSE(in->has_next());
  EXPECT_EQ(reader(wanted)->maker(), nullptr);
}

// A file size limit fails a write as a full disk does.
TEST_F(RemakeTest, AFullDiskLeavesTheOldOneServing) {
  const LibraryOptions wanted = other();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto in = Library::open_to_write(wanted, clock_, stop_, nullptr);
    if (!in) ::_exit(2);
    ::signal(SIGXFSZ, SIG_IGN);
    const struct rlimit little {65536, 65536};
    if (::setrlimit(RLIMIT_FSIZE, &little) != 0) ::_exit(3);
    WordEmbedder next(kSize, 5);
    auto report = indexer(**in, embedder_, &next).remake();
    ::_exit(!report && report.error().code == ErrorCode::Io ? 0 : 4);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(reader(wanted)->maker()->model_id, "w1");
  WordEmbedder next(kSize, 5);
  auto in = library(wanted);
  EXPECT_EQ(in->notice(), "");
  ASSERT_TRUE(indexer(*in, embedder_, &next).remake());
  EXPECT_EQ(reader(wanted)->maker()->model_id, "n1");
}

TEST_F(RemakeTest, StopsBetweenBatchesAndGoesOn) {
  const LibraryOptions wanted = other();
  WordEmbedder next(kSize, 5);
  {
    auto in = library(wanted);
    Indexer both(*in, embedder_, clock_, stop_,
                 {.own_folder = own(),
                  .environment = [](const std::string&) { return std::nullopt; },
                  .next = &next,
                  .remake_progress = [&](const RemakeProgress& now) {
                    EXPECT_EQ(now.all, 2U * kFiles);
                    if (now.done >= 256) stop_.raise();
                  }});
    auto report = both.remake();
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->interrupted);
    EXPECT_EQ(report->made, 256U);
    EXPECT_TRUE(in->has_next());
  }
  stop_.lower();
  auto in = library(wanted);
  auto report = indexer(*in, embedder_, &next).remake();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->made, 2U * kFiles - 256);
}

TEST_F(RemakeTest, OldVectorsAreKeptWithinTheLimit) {
  WordEmbedder next(kSize, 5);
  LibraryOptions wanted = other();
  wanted.keep_old_bytes = 100;
  auto in = library(wanted);
  ASSERT_TRUE(indexer(*in, embedder_, &next).remake());
  EXPECT_FALSE(fs::exists(own() / vector_file_name("w1")));
  EXPECT_EQ(in->sets().sets.size(), 1U);
}

TEST_F(RemakeTest, AnIndexFromBeforeThereWereSeveralSetsServes) {
  {
    auto in = library();
    fs::rename(own() / vector_file_name("w1"), own() / "vectors");
    for (const auto& [name, value] :
         {std::pair("model", "words"), std::pair("model_id", "w1"), std::pair("dimensions", "32"),
          std::pair("vector_sets", "")}) {
      ASSERT_TRUE(in->store().set_fact(name, value));
    }
  }
  EXPECT_EQ(search(*reader(options()), kQuestion)[0].passage.symbol, "function_123");
  auto in = library();
  EXPECT_EQ(in->notice(), "");
  EXPECT_EQ(in->vectors(), 2U * kFiles);
  EXPECT_EQ(reader(other())->maker()->model_id, "w1");
}

}  // namespace
}  // namespace tinyarms::corpus
