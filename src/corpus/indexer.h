// Brings the library up to date with the files of one root: what is new or has changed by its
// content is read, cut and embedded, what is gone is forgotten. Work is kept batch by batch, so a
// run that was stopped or killed goes on where it was.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/paths.h"
#include "corpus/library.h"
#include "corpus/tree_list.h"
#include "engine/embedder.h"

namespace tinyarms::corpus {

struct IndexReport {
  std::string root;
  uint64_t files = 0;      // in the index now
  uint64_t indexed = 0;    // read anew
  uint64_t unchanged = 0;
  uint64_t removed = 0;
  uint64_t passages = 0;   // made by this run
  uint64_t embedded = 0;   // those left over by an earlier run included
  LeftOutCounts left_out{};
  std::vector<SecretFile> secrets;
  std::vector<std::string> unreadable;
  std::vector<std::string> folders;  // to be watched
  bool interrupted = false;
  double seconds = 0;
};

struct IndexProgress {
  uint64_t files_done = 0;  // of those that are new or changed
  uint64_t files_all = 0;
  double files_per_second = 0;
  double seconds_left = 0;  // by bytes; 0 while nothing is known
};

struct IndexerOptions {
  std::filesystem::path own_folder;  // the library's
  Environment environment;
  std::function<void(const IndexProgress&)> progress = {};
};

class Indexer {
 public:
  // All outlive it. One thread at a time.
  Indexer(Library& library, engine::Embedder& embedder, const Clock& clock, const StopFlag& stop,
          IndexerOptions options)
      : library_(library), embedder_(embedder), clock_(clock), stop_(stop),
        options_(std::move(options)) {}

  // Errors: NotFound (the root is gone; its passages are kept), Io (disk full: what was done
  // stays), those of the embedder. A stop is no error: the report says so.
  Result<IndexReport> update(const std::string& root);

 private:
  struct Batch;

  Result<void> forget_missing(const std::vector<ListedFile>& files);
  Result<void> take(const ListedFile& file, Batch& batch);
  Result<void> leave_out(const ListedFile& file, LeftOut reason);
  Result<void> flush(Batch& batch);
  Result<void> embed_rest();
  Result<bool> embed(std::span<const int64_t> ids, std::span<const std::string> texts);
  void tell(uint64_t done, uint64_t bytes_done);

  Library& library_;
  engine::Embedder& embedder_;
  const Clock& clock_;
  const StopFlag& stop_;
  IndexerOptions options_;
  IndexReport report_;
  double started_ = 0;
  uint64_t files_all_ = 0;
  uint64_t bytes_all_ = 0;
};

// What an encoder is given for a passage: where it stands, then its text.
std::string embedded_text(std::string_view path, std::string_view symbol, std::string_view text);

}  // namespace tinyarms::corpus
