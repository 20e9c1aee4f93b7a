// How the vectors of one encoder come to serve in the place of another's (decision 0129).
#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "corpus/library.h"

namespace tinyarms::corpus {

namespace fs = std::filesystem;

Result<std::vector<int64_t>> Library::replace(
    std::span<const storage::PassageStore::FileUpdate> updates) {
  bool changed = false;
  for (VectorSet& set : sets_.sets) {
    if (!set.complete || set.maker.model_id == serving_.maker.model_id) continue;
    set.complete = false;
    changed = true;
  }
  // Before it is so: a kill in between costs a look at vectors that are complete after all.
  if (changed) {
    if (auto saved = save_sets(); !saved) return saved.error();
  }
  return store_->replace(updates);
}

bool Library::is_complete(Which which) const {
  const VectorSet* set = sets_.find(set_of(which).maker.model_id);
  return set != nullptr && set->complete;
}

Result<std::vector<int64_t>> Library::without_vector(Which which) {
  auto passages = store_->passage_ids();
  if (!passages) return passages.error();
  const std::vector<int64_t> there = set_of(which).index->ids();
  const std::unordered_set<int64_t> known(there.begin(), there.end());
  std::erase_if(*passages, [&](int64_t id) { return known.count(id) > 0; });
  return passages;
}

Result<void> Library::add_vectors(std::span<const int64_t> ids, std::span<const float> vectors,
                                  Which which) {
  return set_of(which).index->append(ids, vectors);
}

Result<void> Library::tidy(Which which) {
  index::VectorIndex& vectors = *set_of(which).index;
  auto passages = store_->passage_ids();
  if (!passages) return passages.error();
  const std::unordered_set<int64_t> known(passages->begin(), passages->end());
  std::vector<int64_t> gone;
  for (const int64_t id : vectors.ids()) {
    if (known.count(id) == 0) gone.push_back(id);
  }
  if (!gone.empty()) {
    if (auto removed = vectors.remove(gone); !removed) return removed.error();
  }
  if (vectors.rows() <= vectors.size() + vectors.size() / 4 + 64) return {};
  return vectors.compact();
}

Result<void> Library::complete() {
  const Which which = has_next() ? Which::Next : Which::Serving;
  auto rest = without_vector(which);
  if (!rest) return rest.error();
  if (!rest->empty()) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("{} passages have no vector of {} yet", rest->size(),
                             set_of(which).maker.model),
                 options_.folder.string(), "tinyarms index update"};
  }
  VectorSet& set = *sets_.find(set_of(which).maker.model_id);
  if (set.complete && sets_.serving == set.maker.model_id) return {};
  set.complete = true;
  sets_.serving = set.maker.model_id;
  // The one that served last is the last but one.
  std::stable_partition(sets_.sets.begin(), sets_.sets.end(), [&](const VectorSet& each) {
    return each.maker.model_id != sets_.serving;
  });
  if (auto saved = save_sets(); !saved) return saved;
  if (which == Which::Next) serving_ = std::move(next_);
  next_ = {};
  std::vector<std::string> gone;
  for (size_t i = 0; i + 1 < sets_.sets.size(); ++i) {
    std::error_code problem;
    const uintmax_t bytes = fs::file_size(path_of(sets_.sets[i]), problem);
    const bool last = i + 2 == sets_.sets.size();
    if (!last || problem || bytes > options_.keep_old_bytes) {
      gone.push_back(sets_.sets[i].maker.model_id);
    }
  }
  return remove_sets(gone);
}

Result<void> Library::abandon_serving() {
  if (!has_next()) return {};
  sets_.serving = next_.maker.model_id;
  serving_ = std::move(next_);
  next_ = {};
  return save_sets();
}

Result<uint64_t> Library::drop_old() {
  std::vector<std::string> gone;
  uint64_t bytes = 0;
  for (const VectorSet& each : sets_.sets) {
    const std::string& id = each.maker.model_id;
    if (id == sets_.serving || id == options_.wanted.model_id) continue;
    std::error_code problem;
    const uintmax_t size = fs::file_size(path_of(each), problem);
    if (!problem) bytes += size;
    gone.push_back(id);
  }
  if (auto removed = remove_sets(gone); !removed) return removed.error();
  return bytes;
}

// First from the book: a file that is left over is removed by the next who writes.
Result<void> Library::remove_sets(const std::vector<std::string>& model_ids) {
  if (model_ids.empty()) return {};
  std::vector<fs::path> files;
  std::erase_if(sets_.sets, [&](const VectorSet& set) {
    const bool goes =
        std::find(model_ids.begin(), model_ids.end(), set.maker.model_id) != model_ids.end();
    if (goes) files.push_back(path_of(set));
    return goes;
  });
  if (auto saved = save_sets(); !saved) return saved;
  std::error_code ignored;
  for (const fs::path& file : files) fs::remove(file, ignored);
  return {};
}

void Library::remove_strays() const {
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(options_.folder, problem)) {
    const std::string name = entry.path().filename().string();
    const bool named = std::any_of(sets_.sets.begin(), sets_.sets.end(),
                                   [&](const VectorSet& set) { return set.file == name; });
    std::error_code ignored;
    if (!named && is_vector_file_name(name)) fs::remove(entry.path(), ignored);
  }
}

Result<std::optional<Remaking>> Library::remaking() {
  const std::string& wanted = options_.wanted.model_id;
  const VectorSet* set = wanted.empty() ? sets_.find(sets_.serving) : sets_.find(wanted);
  if (set != nullptr && set->complete) return std::optional<Remaking>();
  if (set == nullptr && wanted.empty()) return std::optional<Remaking>();
  auto totals = store_->totals("");
  if (!totals) return totals.error();
  if (totals->passages == 0) return std::optional<Remaking>();
  const index::VectorIndex* made = next_.index ? next_.index.get() : nullptr;
  if (made == nullptr && serving_.index && serving_.maker.model_id == wanted) {
    made = serving_.index.get();
  }
  return std::optional(Remaking{
      .model = set != nullptr ? set->maker.model : options_.wanted.model,
      .done = made != nullptr ? std::min<uint64_t>(made->size(), totals->passages) : 0,
      .all = totals->passages});
}

Result<std::string> Library::remaking_text() {
  auto now = remaking();
  if (!now) return now.error();
  if (!*now) return std::string();
  // Never "100 %" while something is missing.
  const uint64_t percent = std::min<uint64_t>(99, 100 * (*now)->done / (*now)->all);
  const std::string made = fmt::format("{} % of {} passages so far; tinyarms index update goes on",
                                       percent, (*now)->all);
  if (maker() == nullptr) {
    return fmt::format("searching by words alone until the vectors of {} are made: {}",
                       (*now)->model, made);
  }
  return fmt::format("{} serves until the vectors of {} are made: {}", serving_.maker.model,
                     (*now)->model, made);
}

}  // namespace tinyarms::corpus
