#include "corpus/library.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>
#include <unordered_set>

#include "corpus/words.h"

namespace tinyarms::corpus {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPassages = "passages.sqlite";
constexpr const char* kVectors = "vectors";
constexpr size_t kDepth = 100;  // of each ranking that is fused
constexpr storage::WordWeights kWordWeights = {.symbol = 3, .path = 1, .body = 1};

std::string random_name() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

Error io_error(const char* what, const fs::path& path) {
  return Error{ErrorCode::Io, fmt::format("{}: {}", what, std::strerror(errno)), path.string(),
               "free some space or check the folder's permissions"};
}

// Of the file that has this name now; empty where there is none.
std::string file_number(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return fmt::format("{}:{}", status.st_dev, status.st_ino);
}

}  // namespace

bool Library::exists(const fs::path& folder) {
  std::error_code problem;
  return fs::exists(folder / kPassages, problem);
}

Result<std::unique_ptr<Library>> Library::open(const LibraryOptions& options, const Clock& clock) {
  if (!exists(options.folder)) {
    return Error{ErrorCode::NotFound, "nothing is indexed yet", "", "tinyarms index add PATH"};
  }
  std::unique_ptr<Library> library(new Library(options, clock));
  if (auto opened = library->open_store(); !opened) return opened.error();
  if (auto same = library->check_model(); !same) return same.error();
  if (auto opened = library->open_vectors(false); !opened) return opened.error();
  return Result<std::unique_ptr<Library>>(std::move(library));
}

Result<std::unique_ptr<Library>> Library::open_to_write(const LibraryOptions& options,
                                                        const Clock& clock, const StopFlag& stop,
                                                        const std::function<void()>& on_wait) {
  std::unique_ptr<Library> library(new Library(options, clock));
  if (auto locked = library->lock(stop, on_wait); !locked) return locked.error();
  if (auto opened = library->open_store(); !opened) return opened.error();
  if (auto same = library->check_model(); !same) {
    const bool other = same.error().code == ErrorCode::Unsupported;
    if (!other || !options.rebuild) return same.error();
    if (auto cleared = library->store_->clear(); !cleared) return cleared.error();
    library->identity_.clear();
  }
  if (library->identity_.empty()) {
    library->identity_ = random_name();
    library->model_ = options.model;
    library->dimensions_ = options.dimensions;
    const std::pair<const char*, std::string> facts[] = {
        {"model", options.model},
        {"model_id", options.model_id},
        {"dimensions", fmt::format("{}", options.dimensions)},
        {"identity", library->identity_}};
    for (const auto& [name, value] : facts) {
      if (auto set = library->store_->set_fact(name, value); !set) return set.error();
    }
  }
  if (auto opened = library->open_vectors(true); !opened) return opened.error();
  return Result<std::unique_ptr<Library>>(std::move(library));
}

Result<void> Library::lock(const StopFlag& stop, const std::function<void()>& on_wait) {
  std::error_code problem;
  fs::create_directories(options_.folder, problem);
  const fs::path path = options_.folder / "lock";
  lock_ = std::make_unique<Descriptor>(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock_->get() < 0) return io_error("cannot be opened", path);
  bool told = false;
  while (::flock(lock_->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return io_error("cannot be locked", path);
    if (stop.raised()) {
      return Error{ErrorCode::Interrupted, "stopped while another process was indexing", "", ""};
    }
    if (!told && on_wait) on_wait();
    told = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return {};
}

Result<void> Library::open_store() {
  passages_file_ = file_number(options_.folder / kPassages);
  auto opened = storage::PassageStore::open(options_.folder / kPassages, clock_);
  if (!opened) return opened.error();
  store_ = std::move(opened->store);
  notice_ = std::move(opened->notice);
  return {};
}

Result<bool> Library::keep_up() {
  if (file_number(options_.folder / kPassages) != passages_file_) return false;
  auto identity = store_->fact("identity");
  if (!identity) return identity.error();
  if (*identity != identity_) return false;
  if (vectors_) return vectors_->take_in_appended();
  std::error_code problem;
  return !fs::exists(options_.folder / kVectors, problem);
}

Result<void> Library::check_model() {
  auto identity = store_->fact("identity");
  if (!identity) return identity.error();
  identity_ = std::move(*identity);
  if (identity_.empty()) return {};
  auto model = store_->fact("model");
  if (!model) return model.error();
  auto id = store_->fact("model_id");
  if (!id) return id.error();
  auto dimensions = store_->fact("dimensions");
  if (!dimensions) return dimensions.error();
  model_ = *model;
  dimensions_ = static_cast<size_t>(std::strtoull(dimensions->c_str(), nullptr, 10));
  const bool same_size = options_.dimensions == 0 || options_.dimensions == dimensions_;
  if (options_.model_id.empty() || (*id == options_.model_id && same_size)) return {};
  return Error{ErrorCode::Unsupported,
               fmt::format("the index was made by {} ({} values), and l1.model is {}", model_,
                           dimensions_, options_.model),
               options_.folder.string(),
               "make it anew for this model: tinyarms index update --rebuild"};
}

Result<void> Library::open_vectors(bool writable) {
  const fs::path path = options_.folder / kVectors;
  std::error_code problem;
  if (!writable && (identity_.empty() || !fs::exists(path, problem))) return {};
  std::string id = options_.model_id;
  if (id.empty()) {
    auto known = store_->fact("model_id");
    if (!known) return known.error();
    id = *known;
  }
  const index::VectorIndexOptions options{
      .dimensions = dimensions_, .model = identity_ + " " + id, .writable = writable};
  auto vectors = index::VectorIndex::open(path, options);
  if (!vectors && writable && vectors.error().code == ErrorCode::InvalidArgument) {
    // Of a database that is gone: its numbers mean nothing here.
    fs::path aside = path;
    aside += ".old";
    fs::rename(path, aside, problem);
    if (problem) return io_error("cannot be set aside", path);
    vectors = index::VectorIndex::open(path, options);
  }
  if (!vectors && !writable && vectors.error().code != ErrorCode::Io) {
    notice_ += fmt::format("{}the vectors cannot be used ({}): searching by words alone; "
                           "tinyarms index update makes them anew",
                           notice_.empty() ? "" : "; ", vectors.error().what);
    return {};
  }
  if (!vectors) return vectors.error();
  vectors_ = std::move(*vectors);
  if (const auto& aside = vectors_->set_aside()) {
    notice_ += fmt::format("{}vectors that cannot be used were set aside as {}",
                           notice_.empty() ? "" : "; ", aside->string());
  }
  return {};
}

Result<std::vector<int64_t>> Library::without_vector() {
  auto passages = store_->passage_ids();
  if (!passages) return passages.error();
  const std::vector<int64_t> there = vectors_->ids();
  const std::unordered_set<int64_t> known(there.begin(), there.end());
  std::erase_if(*passages, [&](int64_t id) { return known.count(id) > 0; });
  return passages;
}

Result<void> Library::add_vectors(std::span<const int64_t> ids, std::span<const float> vectors) {
  return vectors_->append(ids, vectors);
}

Result<void> Library::tidy() {
  auto passages = store_->passage_ids();
  if (!passages) return passages.error();
  const std::unordered_set<int64_t> known(passages->begin(), passages->end());
  std::vector<int64_t> gone;
  for (const int64_t id : vectors_->ids()) {
    if (known.count(id) == 0) gone.push_back(id);
  }
  if (!gone.empty()) {
    if (auto removed = vectors_->remove(gone); !removed) return removed.error();
  }
  if (vectors_->rows() <= vectors_->size() + vectors_->size() / 4 + 64) return {};
  return vectors_->compact();
}

// The passages of the files that a filter lets through, ascending.
Result<std::vector<int64_t>> Library::allowed(const SearchQuery& query) {
  auto rows = store_->passage_files();
  if (!rows) return rows.error();
  auto files = store_->files_under("");
  if (!files) return files.error();
  std::unordered_set<int64_t> wanted;
  for (const storage::FileRow& file : *files) {
    if (!query.language.empty() && file.language != query.language) continue;
    if (query.wanted && !query.wanted(file.path)) continue;
    wanted.insert(file.id);
  }
  std::vector<int64_t> ids;
  for (const auto& [passage, file] : *rows) {
    if (wanted.count(file) > 0) ids.push_back(passage);
  }
  return ids;
}

Result<Rankings> Library::rank(const SearchQuery& query, size_t depth) {
  const bool filtered = !query.language.empty() || query.wanted != nullptr;
  std::vector<int64_t> ids;
  if (filtered) {
    auto some = allowed(query);
    if (!some) return some.error();
    ids = std::move(*some);
  }
  const auto keep = [&](auto& matches) {
    if (filtered) {
      std::erase_if(matches, [&](const auto& match) {
        return !std::binary_search(ids.begin(), ids.end(), match.id);
      });
    }
    if (matches.size() > depth) matches.resize(depth);
  };
  Rankings rankings;
  auto words = store_->find_words({.words = query_words(query.text),
                                   .weights = kWordWeights,
                                   .count = filtered ? 0 : depth});
  if (!words) return words.error();
  rankings.by_words = std::move(*words);
  keep(rankings.by_words);
  if (!vectors_ || vectors_->size() == 0 || query.vector.empty()) return rankings;
  auto near = vectors_->search(query.vector, {.count = filtered ? vectors_->size() : depth});
  if (!near) return near.error();
  rankings.by_vectors = std::move(*near);
  keep(rankings.by_vectors);
  return rankings;
}

Result<std::vector<Found>> Library::search(const SearchQuery& query) {
  auto rankings = rank(query, std::max(kDepth, 2 * query.count));
  if (!rankings) return rankings.error();
  std::vector<Found> found;
  for (const FusedRank& each : fuse(*rankings, query.weights)) {
    if (found.size() == query.count) break;
    auto rows = store_->passages(std::span(&each.id, 1));
    if (!rows) return rows.error();
    if (rows->empty()) continue;  // removed while we looked
    const auto word = each.word_rank;
    const auto vector = each.vector_rank;
    found.push_back({.passage = std::move(rows->front()),
                     .score = each.score,
                     .bm25 = word > 0 ? rankings->by_words[word - 1].bm25 : 0,
                     .cosine = vector > 0 ? double{rankings->by_vectors[vector - 1].cosine} : 0,
                     .word_rank = word,
                     .vector_rank = vector});
  }
  return found;
}

}  // namespace tinyarms::corpus
