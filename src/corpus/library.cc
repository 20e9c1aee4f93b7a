#include "corpus/library.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>

namespace tinyarms::corpus {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPassages = "passages.sqlite";
constexpr int kOpenRounds = 5;

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

void add_notice(std::string& notice, const std::string& more) {
  notice += (notice.empty() ? "" : "; ") + more;
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
  // What served a moment ago may be removed between the two: then it is read again.
  for (int round = 0; round < kOpenRounds; ++round) {
    if (auto read = library->read_sets(); !read) return read.error();
    if (auto opened = library->open_to_search(); !opened) return opened.error();
    auto now = vector_sets_text(*library->store_);
    if (!now) return now.error();
    if (*now == library->sets_text_) break;
  }
  return Result<std::unique_ptr<Library>>(std::move(library));
}

Result<std::unique_ptr<Library>> Library::open_to_write(const LibraryOptions& options,
                                                        const Clock& clock, const StopFlag& stop,
                                                        const std::function<void()>& on_wait) {
  std::unique_ptr<Library> library(new Library(options, clock));
  if (auto locked = library->lock(stop, on_wait); !locked) return locked.error();
  if (auto opened = library->open_store(); !opened) return opened.error();
  auto read = library->read_sets();
  if (!read && !options.rebuild) return read.error();
  const VectorSet* own = library->sets_.find(options.wanted.model_id);
  const bool other = !library->sets_.sets.empty() && (own == nullptr || !own->complete);
  if (options.rebuild && (other || !read)) {
    if (auto cleared = library->store_->clear(); !cleared) return cleared.error();
    library->identity_.clear();
    library->sets_ = {};
  }
  if (library->identity_.empty()) {
    library->identity_ = random_name();
    auto set = library->store_->set_fact("identity", library->identity_);
    if (!set) return set.error();
    library->sets_ = {};
  }
  if (auto chosen = library->choose_sets(); !chosen) return chosen.error();
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

Result<void> Library::read_sets() {
  auto identity = store_->fact("identity");
  if (!identity) return identity.error();
  identity_ = std::move(*identity);
  if (identity_.empty()) return {};
  auto text = vector_sets_text(*store_);
  if (!text) return text.error();
  sets_text_ = std::move(*text);
  auto sets = read_vector_sets(*store_);
  if (!sets) return sets.error();
  sets_ = std::move(*sets);
  return {};
}

Result<bool> Library::keep_up() {
  if (file_number(options_.folder / kPassages) != passages_file_) return false;
  auto identity = store_->fact("identity");
  if (!identity) return identity.error();
  auto sets = vector_sets_text(*store_);
  if (!sets) return sets.error();
  if (*identity != identity_ || *sets != sets_text_) return false;
  for (Vectors* each : {&serving_, &next_}) {
    if (!each->index) continue;
    auto current = each->index->take_in_appended();
    if (!current || !*current) return current;
  }
  if (serving_.index || next_.index) return true;
  // Some may be there now that were not, or could not be used.
  const VectorSet* set = sets_.to_search(options_.wanted.model_id);
  std::error_code problem;
  return set == nullptr || !fs::exists(path_of(*set), problem);
}

index::VectorIndexOptions Library::index_options(const VectorSet& set, bool writable) const {
  return {.dimensions = set.maker.dimensions,
          .model = identity_ + " " + set.maker.model_id,
          .writable = writable};
}

Result<void> Library::open_to_search() {
  serving_ = {};
  next_ = {};
  std::error_code problem;
  if (const VectorSet* own = sets_.find(options_.wanted.model_id);
      own != nullptr && !own->complete && fs::exists(path_of(*own), problem)) {
    // For how far it is; what is wrong with it is for who writes.
    next_.maker = own->maker;
    if (auto next = index::VectorIndex::open(path_of(*own), index_options(*own, false))) {
      next_.index = std::move(*next);
    }
  }
  const VectorSet* set = sets_.to_search(options_.wanted.model_id);
  if (set == nullptr || !fs::exists(path_of(*set), problem)) return {};
  auto vectors = index::VectorIndex::open(path_of(*set), index_options(*set, false));
  if (!vectors && vectors.error().code == ErrorCode::Io) return vectors.error();
  if (!vectors) {
    add_notice(notice_, fmt::format("the vectors cannot be used ({}): searching by words alone; "
                                    "tinyarms index update makes them anew",
                                    vectors.error().what));
    return {};
  }
  serving_ = {.maker = set->maker, .index = std::move(*vectors)};
  return {};
}

// Whose vectors are kept up to date, and whose are being made.
Result<void> Library::choose_sets() {
  const VectorMaker& wanted = options_.wanted;
  const VectorSet* own = sets_.find(wanted.model_id);
  if (own != nullptr && own->maker.dimensions != wanted.dimensions) {
    if (auto gone = remove_sets({wanted.model_id}); !gone) return gone;
    own = nullptr;
  }
  if (own == nullptr) {
    sets_.sets.push_back(
        {.maker = wanted, .file = vector_file_name(wanted.model_id), .complete = false});
  }
  auto totals = store_->totals("");
  if (!totals) return totals.error();
  VectorSet& set = *sets_.find(wanted.model_id);
  if (totals->passages == 0) set.complete = true;
  const VectorSet* now = sets_.find(sets_.serving);
  if (set.complete || now == nullptr || !now->complete) sets_.serving = wanted.model_id;
  if (auto opened = open_writable(*sets_.find(sets_.serving), serving_); !opened) return opened;
  if (!sets_.find(sets_.serving)->complete && sets_.serving != wanted.model_id) {
    // Damaged, so that it serves nobody any more.
    serving_ = {};
    sets_.serving = wanted.model_id;
    if (auto opened = open_writable(set, serving_); !opened) return opened;
  }
  if (sets_.serving != wanted.model_id) {
    if (auto opened = open_writable(set, next_); !opened) return opened;
  }
  remove_strays();
  return save_sets();
}

Result<void> Library::open_writable(const VectorSet& set, Vectors& into) {
  const fs::path path = path_of(set);
  std::error_code problem;
  const bool was_there = fs::exists(path, problem);
  const index::VectorIndexOptions options = index_options(set, true);
  auto vectors = index::VectorIndex::open(path, options);
  bool anew = !was_there;
  if (!vectors && vectors.error().code == ErrorCode::InvalidArgument) {
    // Of a database that is gone: its numbers mean nothing here.
    fs::path aside = path;
    aside += ".old";
    fs::rename(path, aside, problem);
    if (problem) return io_error("cannot be set aside", path);
    vectors = index::VectorIndex::open(path, options);
    anew = true;
  }
  if (!vectors) return vectors.error();
  if (const auto& aside = (*vectors)->set_aside()) {
    add_notice(notice_, fmt::format("vectors that cannot be used were set aside as {}",
                                    aside->string()));
    anew = true;
  }
  auto totals = store_->totals("");
  if (!totals) return totals.error();
  if (anew && totals->passages > 0) sets_.find(set.maker.model_id)->complete = false;
  into = {.maker = set.maker, .index = std::move(*vectors)};
  return {};
}

Result<void> Library::save_sets() {
  if (auto written = write_vector_sets(*store_, sets_); !written) return written;
  auto text = vector_sets_text(*store_);
  if (!text) return text.error();
  sets_text_ = std::move(*text);
  return {};
}

}  // namespace tinyarms::corpus
