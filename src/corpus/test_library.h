// For tests: a folder of files, the library of them, and encoders that need no weights.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "corpus/indexer.h"
#include "corpus/words.h"

namespace tinyarms::corpus {

namespace fs = std::filesystem;

inline constexpr size_t kSize = 32;

// Texts that share words lie near each other. Two of another turn or size see the same nearness,
// and nothing of theirs can be compared.
class WordEmbedder final : public engine::Embedder {
 public:
  explicit WordEmbedder(size_t size = kSize, size_t turn = 0) : size_(size), turn_(turn) {}
  const engine::ModelFacts& facts() const override { return facts_; }
  int dimensions() const override { return static_cast<int>(size_); }
  std::string_view backend() const override { return "words"; }
  Result<std::vector<int32_t>> tokenize(std::string_view) const override {
    return std::vector<int32_t>{};
  }
  Result<std::vector<engine::Embedding>> embed(std::span<const std::string> texts) override {
    std::vector<engine::Embedding> all;
    for (const std::string& text : texts) {
      ++embedded;
      engine::Embedding embedding;
      embedding.values.assign(size_, 0.01F);
      std::string word;
      for (const char c : index_words(text) + " ") {
        if (c != ' ') {
          word += c;
          continue;
        }
        embedding.values[(std::hash<std::string>{}(word) + turn_) % size_] += 1;
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
  size_t size_;
  size_t turn_;
  engine::ModelFacts facts_;
};

class LibraryTest : public ::testing::Test {
 protected:
  LibraryTest() {
    std::string pattern = (fs::temp_directory_path() / "corpus-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    folder_ = fs::canonical(pattern);
    fs::create_directories(tree());
  }
  ~LibraryTest() override { fs::remove_all(folder_); }

  // Deep enough that no encoder is told of the folder's name, which is another one each time.
  fs::path tree() const { return folder_ / "some" / "deep" / "tree"; }
  fs::path own() const { return folder_ / "index"; }

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((tree() / name).parent_path());
    std::ofstream(tree() / name, std::ios::binary) << text;
  }

  LibraryOptions options() const {
    return {.folder = own(),
            .wanted = {.model = "words", .model_id = "w1", .dimensions = kSize},
            .keep_old_bytes = 1 << 20};
  }

  std::unique_ptr<Library> library(LibraryOptions options) {
    auto opened = Library::open_to_write(options, clock_, stop_, nullptr);
    EXPECT_TRUE(opened) << opened.error().message();
    return opened ? std::move(*opened) : nullptr;
  }
  std::unique_ptr<Library> library() { return library(options()); }

  Indexer indexer(Library& into, engine::Embedder& serving, engine::Embedder* next = nullptr) {
    return Indexer(into, serving, clock_, stop_,
                   {.own_folder = own(),
                    .environment = [](const std::string&) { return std::nullopt; },
                    .next = next});
  }

  // Files first, then vectors that are not complete; `embedded` is the sum.
  IndexReport update(Library& into) {
    Indexer both = indexer(into, embedder_);
    auto report = both.update(tree().string());
    EXPECT_TRUE(report) << report.error().message();
    if (!report) return {};
    auto remade = both.remake();
    EXPECT_TRUE(remade) << remade.error().message();
    if (remade) report->embedded += remade->made;
    return *report;
  }

  std::vector<Found> search(Library& in, const std::string& text, SearchQuery query = {}) {
    return search_by(in, embedder_, text, query);
  }
  std::vector<Found> search_by(Library& in, engine::Embedder& encoder, const std::string& text,
                               SearchQuery query = {}) {
    auto vectors = encoder.embed(std::span(&text, 1));
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

}  // namespace tinyarms::corpus
