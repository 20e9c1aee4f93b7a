// The index of the user's own files: passages with their words (SQLite) and vectors (a vector
// file), searched by both. The passages are the truth: a vector without one is dropped, a passage
// without one is embedded by the next run, so that a process may be killed anywhere.
//
// One process writes at a time (a lock file), any number search. One thread at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/result.h"
#include "base/stop_flag.h"
#include "corpus/fusion.h"
#include "corpus/roots.h"
#include "index/vector_index.h"
#include "storage/passage_store.h"

namespace tinyarms::corpus {

struct LibraryOptions {
  std::filesystem::path folder = {};
  std::string model = {};     // for people
  std::string model_id = {};  // its hash; empty, to read: any
  size_t dimensions = 0;  // 0: those of the index; needed to write
  bool rebuild = false;   // to write: an index of another model is emptied instead of refused
};

struct SearchQuery {
  std::string text = {};               // words of it are looked for; empty: vectors only
  std::span<const float> vector = {};  // empty: words only
  size_t count = 10;
  FusionWeights weights = {};
  std::string language = {};            // only this one
  std::function<bool(std::string_view path)> wanted = {};  // only these files
};

struct Found {
  storage::PassageRow passage;
  double score = 0;        // of the fusion
  double bm25 = 0;         // 0: not found by words
  double cosine = 0;       // 0: not among the nearest
  size_t word_rank = 0;    // 1-based; 0: not found so
  size_t vector_rank = 0;
};

class Library {
 public:
  static bool exists(const std::filesystem::path& folder);

  // Errors: NotFound (there is none), Unsupported (made by another model), those of the database.
  static Result<std::unique_ptr<Library>> open(const LibraryOptions& options, const Clock& clock);

  // Makes it where there is none. Waits for another process that writes: `on_wait` is told once.
  // Errors: as open; Interrupted while waiting.
  static Result<std::unique_ptr<Library>> open_to_write(const LibraryOptions& options,
                                                        const Clock& clock, const StopFlag& stop,
                                                        const std::function<void()>& on_wait);

  // For one that was opened to be read and stays open: what other processes indexed since is there
  // from now on; some microseconds where they did nothing. False: the files are others by now
  // (rebuilt, compacted, of another model), and the library has to be opened again. Errors: those
  // of the database, Corrupt.
  Result<bool> keep_up();

  // What was set aside, for the user; else empty. Then the passages of all roots are gone.
  const std::string& notice() const { return notice_; }
  const std::string& model() const { return model_; }  // that made the vectors, for people
  size_t dimensions() const { return dimensions_; }
  size_t vectors() const { return vectors_ ? vectors_->size() : 0; }
  storage::PassageStore& store() { return *store_; }

  Result<std::vector<Root>> roots() const { return read_roots(options_.folder / "roots.json"); }
  Result<void> save_roots(const std::vector<Root>& roots) {
    return write_roots(options_.folder / "roots.json", roots);
  }

  // Best first. Errors: InvalidArgument (a vector of another size), those of the database.
  Result<std::vector<Found>> search(const SearchQuery& query);
  // The rankings alone, `depth` passages each. Errors: the same.
  Result<Rankings> rank(const SearchQuery& query, size_t depth);

  // Ids of passages that have no vector yet, ascending.
  Result<std::vector<int64_t>> without_vector();
  Result<void> add_vectors(std::span<const int64_t> ids, std::span<const float> vectors);
  // Vectors whose passages are gone are removed, and the file rewritten where many were.
  Result<void> tidy();

 private:
  Library(LibraryOptions options, const Clock& clock)
      : options_(std::move(options)), clock_(clock) {}
  Result<void> lock(const StopFlag& stop, const std::function<void()>& on_wait);
  Result<void> open_store();
  Result<void> check_model();
  Result<void> open_vectors(bool writable);
  Result<std::vector<int64_t>> allowed(const SearchQuery& query);

  LibraryOptions options_;
  const Clock& clock_;
  std::unique_ptr<Descriptor> lock_;  // held while it writes
  std::string notice_;
  std::string model_;
  std::string identity_;  // pairs the vector file with the database
  std::string passages_file_;  // device and number of the database's file
  size_t dimensions_ = 0;
  std::unique_ptr<storage::PassageStore> store_;
  std::unique_ptr<index::VectorIndex> vectors_;  // null where there are none yet
};

}  // namespace tinyarms::corpus
