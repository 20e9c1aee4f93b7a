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

// Of vectors that are made anew, for passages that are there.
struct RemakeReport {
  std::string model;     // whose; empty: there was nothing to make
  uint64_t made = 0;     // by this run
  uint64_t passages = 0;  // that lacked one when it began
  bool interrupted = false;
  double seconds = 0;
};

struct RemakeProgress {
  std::string model;
  uint64_t done = 0;  // of all passages, those of earlier runs too
  uint64_t all = 0;
  double passages_per_second = 0;
  double seconds_left = 0;
};

struct IndexerOptions {
  std::filesystem::path own_folder;  // the library's
  Environment environment;
  std::function<void(const IndexProgress&)> progress = {};
  // The wanted encoder, where another one serves (Library::has_next); it outlives the indexer.
  engine::Embedder* next = nullptr;
  std::function<void(const RemakeProgress&)> remake_progress = {};
};

class Indexer {
 public:
  // All outlive it. One thread at a time. `embedder` is the one of the vectors that serve.
  Indexer(Library& library, engine::Embedder& embedder, const Clock& clock, const StopFlag& stop,
          IndexerOptions options)
      : library_(library), embedder_(embedder), clock_(clock), stop_(stop),
        options_(std::move(options)) {}

  // Errors: NotFound (the root is gone; its passages are kept), Io (disk full: what was done
  // stays), those of the embedder. A stop is no error: the report says so.
  Result<IndexReport> update(const std::string& root);

  // Makes what is missing of vectors that are not complete, so that they serve. Where it is stopped
  // or killed, the next run goes on from there. Errors: Io, those of the embedder; what served
  // before still does then.
  Result<RemakeReport> remake();

 private:
  struct Batch;
  using Which = Library::Which;

  Result<void> forget_missing(const std::vector<ListedFile>& files);
  Result<void> take(const ListedFile& file, Batch& batch);
  Result<void> leave_out(const ListedFile& file, LeftOut reason);
  Result<void> flush(Batch& batch);
  Result<uint64_t> fill(Which which, const std::vector<int64_t>& ids,
                        const std::function<void(uint64_t)>& tell);
  Result<bool> embed(std::span<const int64_t> ids, std::span<const std::string> texts,
                     Which which);
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
