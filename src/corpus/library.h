// The index of the user's own files: passages with their words (SQLite) and vectors (a vector file
// for each encoder), searched by both. The passages are the truth: a vector without one is dropped,
// a passage without one is embedded by the next run, so that a process may be killed anywhere.
//
// Another encoder gets vectors of its own beside the old one's, which serve until every passage has
// a new one (decision 0129). One process writes at a time (a lock file), any number search. One
// thread at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/result.h"
#include "base/stop_flag.h"
#include "corpus/roots.h"
#include "corpus/search_query.h"
#include "corpus/vector_sets.h"
#include "index/vector_index.h"
#include "storage/passage_store.h"

namespace tinyarms::corpus {

struct LibraryOptions {
  std::filesystem::path folder = {};
  // The encoder that is wanted. To read: model_id empty is any, dimensions are not looked at.
  VectorMaker wanted = {};
  bool rebuild = false;  // to write: an index of another model is emptied first
  // To write: vectors that no longer serve are kept up to so many bytes, for the way back.
  uint64_t keep_old_bytes = 0;
};

// Vectors of the wanted encoder that are not complete.
struct Remaking {
  std::string model;
  uint64_t done = 0;
  uint64_t all = 0;
};

class Library {
 public:
  static bool exists(const std::filesystem::path& folder);

  // Errors: NotFound (there is none), those of the database.
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
  // Whose vectors are searched: the question has to be embedded by that very encoder. Null where
  // there are none that may rank: words alone.
  const VectorMaker* maker() const { return serving_.index ? &serving_.maker : nullptr; }
  size_t vectors() const { return serving_.index ? serving_.index->size() : 0; }
  // Where the vectors of the wanted encoder are not complete.
  Result<std::optional<Remaking>> remaking();
  // That in words: "OLD serves until the vectors of NEW are made, 43 % of 12,000 so far"; else "".
  Result<std::string> remaking_text();
  const VectorSets& sets() const { return sets_; }
  storage::PassageStore& store() { return *store_; }

  Result<std::vector<Root>> roots() const { return read_roots(options_.folder / "roots.json"); }
  Result<void> save_roots(const std::vector<Root>& roots) {
    return write_roots(options_.folder / "roots.json", roots);
  }

  // Best first. Errors: InvalidArgument (a vector of another size or encoder), those of the
  // database.
  Result<std::vector<Found>> search(const SearchQuery& query);
  // The rankings alone, `depth` passages each. Errors: the same.
  Result<Rankings> rank(const SearchQuery& query, size_t depth);

  // To write. Serving: the vectors kept up to date; Next: those of the wanted encoder while another
  // serves.
  enum class Which { Serving, Next };
  bool has_next() const { return next_.index != nullptr; }
  const VectorMaker& writes(Which which) const { return set_of(which).maker; }
  bool is_complete(Which which) const;

  // As PassageStore::replace. Vectors that nobody keeps up to date are not complete from then on.
  Result<std::vector<int64_t>> replace(std::span<const storage::PassageStore::FileUpdate> updates);
  // Ids of passages that have no vector yet, ascending.
  Result<std::vector<int64_t>> without_vector(Which which = Which::Serving);
  Result<void> add_vectors(std::span<const int64_t> ids, std::span<const float> vectors,
                           Which which = Which::Serving);
  // Vectors whose passages are gone are removed, and the file rewritten where many were.
  Result<void> tidy(Which which = Which::Serving);

  // Every passage has its vector: they serve from now on, if they did not before. Of the old ones
  // the last are kept, within the limit. Errors: InvalidArgument (one has none).
  Result<void> complete();
  // The encoder that serves cannot be had any more: words alone serve until complete().
  Result<void> abandon_serving();
  // Vectors that do not serve are removed. Returns the bytes.
  Result<uint64_t> drop_old();

 private:
  struct Vectors {
    VectorMaker maker = {};
    std::unique_ptr<index::VectorIndex> index = {};
  };

  Library(LibraryOptions options, const Clock& clock)
      : options_(std::move(options)), clock_(clock) {}
  Vectors& set_of(Which which) { return which == Which::Serving ? serving_ : next_; }
  const Vectors& set_of(Which which) const {
    return which == Which::Serving ? serving_ : next_;
  }
  Result<void> lock(const StopFlag& stop, const std::function<void()>& on_wait);
  Result<void> open_store();
  Result<void> read_sets();
  Result<void> choose_sets();
  Result<void> open_to_search();
  Result<void> open_writable(const VectorSet& set, Vectors& into);
  index::VectorIndexOptions index_options(const VectorSet& set, bool writable) const;
  std::filesystem::path path_of(const VectorSet& set) const { return options_.folder / set.file; }
  Result<void> save_sets();
  Result<void> remove_sets(const std::vector<std::string>& model_ids);
  void remove_strays() const;
  Result<std::vector<int64_t>> allowed(const SearchQuery& query);

  LibraryOptions options_;
  const Clock& clock_;
  std::unique_ptr<Descriptor> lock_;  // held while it writes
  std::string notice_;
  std::string identity_;  // pairs the vector files with the database
  std::string passages_file_;  // device and number of the database's file
  std::string sets_text_;      // as they were read
  VectorSets sets_;
  std::unique_ptr<storage::PassageStore> store_;
  Vectors serving_;
  Vectors next_;
};

}  // namespace tinyarms::corpus
