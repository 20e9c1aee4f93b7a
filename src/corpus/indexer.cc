#include "corpus/indexer.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <unordered_map>
#include <unordered_set>

#include "base/sha256.h"
#include "corpus/chunk.h"
#include "corpus/words.h"
#include "encoder/model_manners.h"
#include "scan/source_file.h"

namespace tinyarms::corpus {
namespace {

// A batch is what a kill may cost to be embedded again.
constexpr size_t kBatchPassages = 256;
constexpr size_t kBatchFiles = 256;
constexpr size_t kEmbedTexts = 64;  // between two looks at the stop flag
// Where nothing but vectors is written, a batch is no larger than what is embedded at once: on a
// slow machine 256 take half a minute.
constexpr size_t kBatchVectors = kEmbedTexts;
constexpr size_t kRemovalBatch = 500;

std::string_view tail_of(std::string_view path) {
  size_t at = path.size();
  for (int parts = 0; parts < 3 && at != std::string_view::npos && at > 0; ++parts) {
    at = path.rfind('/', at - 1);
  }
  return at == std::string_view::npos ? path : path.substr(at + 1);
}

LeftOut reason_of(scan::SkipReason reason) {
  switch (reason) {
    case scan::SkipReason::TooLarge: return LeftOut::TooLarge;
    case scan::SkipReason::Binary: return LeftOut::Binary;
    case scan::SkipReason::NotUtf8: return LeftOut::NotUtf8;
    case scan::SkipReason::Changed: return LeftOut::Changing;
    case scan::SkipReason::Unreadable:
    case scan::SkipReason::NotAFile:
    case scan::SkipReason::BrokenLink:
    case scan::SkipReason::LinkLoop:
    case scan::SkipReason::TooCostly:
    case scan::SkipReason::NoLanguage: return LeftOut::Unreadable;
  }
  return LeftOut::Unreadable;
}

bool is_gone(const std::string& path) {
  struct stat facts {};
  return ::lstat(path.c_str(), &facts) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

}  // namespace

std::string embedded_text(std::string_view path, std::string_view symbol, std::string_view text) {
  return fmt::format("{} {}\n{}", tail_of(path), symbol, text);
}

struct Indexer::Batch {
  std::vector<storage::PassageStore::FileUpdate> updates;
  std::vector<std::string> texts;  // of their passages, for the encoder
};

Result<IndexReport> Indexer::update(const std::string& root) {
  report_ = {};
  report_.root = root;
  started_ = clock_.monotonic_seconds();
  auto list = list_tree(root, options_.own_folder, options_.environment, stop_);
  if (!list) return list.error();
  report_.left_out = list->left_out;
  report_.secrets = std::move(list->secrets);
  report_.unreadable = std::move(list->unreadable);
  report_.folders = std::move(list->folders);
  if (!stop_.raised()) {
    if (auto done = forget_missing(list->files); !done) return done.error();
  }
  auto known = library_.store().files_under(root);
  if (!known) return known.error();
  std::unordered_map<std::string_view, std::string_view> stamps;
  for (const storage::FileRow& file : *known) stamps.emplace(file.path, file.stamp);
  std::vector<const ListedFile*> changed;
  for (const ListedFile& file : list->files) {
    const auto stamp = stamps.find(file.path);
    if (stamp != stamps.end() && stamp->second == file.stamp) {
      ++report_.unchanged;
      continue;
    }
    changed.push_back(&file);
    bytes_all_ += file.bytes;
  }
  files_all_ = changed.size();
  // What an earlier run stored and did not come to embed; more than that is remake()'s.
  if (library_.is_complete(Which::Serving)) {
    auto rest = library_.without_vector();
    if (!rest) return rest.error();
    auto made = fill(Which::Serving, *rest, nullptr);
    if (!made) return made.error();
    report_.embedded += *made;
  }

  Batch batch;
  uint64_t done_files = 0;
  uint64_t done_bytes = 0;
  for (const ListedFile* file : changed) {
    if (stop_.raised()) break;
    if (auto taken = take(*file, batch); !taken) return taken.error();
    ++done_files;
    done_bytes += file->bytes;
    if (batch.texts.size() < kBatchPassages && batch.updates.size() < kBatchFiles) continue;
    if (auto flushed = flush(batch); !flushed) return flushed.error();
    tell(done_files, done_bytes);
  }
  if (auto flushed = flush(batch); !flushed) return flushed.error();
  report_.interrupted = stop_.raised();
  if (!report_.interrupted) {
    if (auto tidied = library_.tidy(); !tidied) return tidied.error();
  }
  auto totals = library_.store().totals(root);
  if (!totals) return totals.error();
  report_.files = totals->files;
  report_.seconds = clock_.monotonic_seconds() - started_;
  return std::move(report_);
}

Result<void> Indexer::forget_missing(const std::vector<ListedFile>& files) {
  auto known = library_.store().files_under(report_.root);
  if (!known) return known.error();
  std::unordered_set<std::string_view> listed;
  for (const ListedFile& file : files) listed.insert(file.path);
  std::vector<std::string> gone;
  for (const storage::FileRow& file : *known) {
    if (listed.count(file.path) == 0) gone.push_back(file.path);
  }
  for (size_t at = 0; at < gone.size(); at += kRemovalBatch) {
    const size_t count = std::min(kRemovalBatch, gone.size() - at);
    auto removed = library_.store().remove_files(std::span(gone).subspan(at, count));
    if (!removed) return removed.error();
    report_.removed += *removed;
  }
  return {};
}

Result<void> Indexer::leave_out(const ListedFile& file, LeftOut reason) {
  ++report_.left_out[static_cast<size_t>(reason)];
  auto removed = library_.store().remove_files(std::span(&file.path, 1));
  if (!removed) return removed.error();
  report_.removed += *removed;
  return {};
}

// Reads a file; what becomes of it goes into the batch.
Result<void> Indexer::take(const ListedFile& file, Batch& batch) {
  scan::SourceFile source;
  if (const auto skip = scan::read_source(file.path, kIndexedBytesMax, source)) {
    if (is_gone(file.path)) {
      auto removed = library_.store().remove_files(std::span(&file.path, 1));
      if (!removed) return removed.error();
      report_.removed += *removed;
      return {};
    }
    const LeftOut reason = reason_of(skip->reason);
    if (reason == LeftOut::Unreadable) {
      report_.unreadable.push_back(fmt::format("{}: {}", file.path, skip->detail));
    }
    return leave_out(file, reason);
  }
  const std::string language = language_name(file.path);
  if (const auto reason = leave_out_text(source.text, language)) return leave_out(file, *reason);
  if (const auto secret = find_secret(source.text)) {
    report_.secrets.push_back({file.path, *secret});
    return leave_out(file, LeftOut::Secret);
  }
  const std::string hash = fmt::format("{} {}", kChunkVersion, sha256_hex(source.text));
  auto known = library_.store().file(file.path);
  if (!known) return known.error();
  if (*known && (*known)->sha256 == hash) {
    ++report_.unchanged;
    return library_.store().restamp(file.path, file.stamp);
  }
  storage::PassageStore::FileUpdate update;
  update.file = {.id = 0, .path = file.path, .stamp = file.stamp, .sha256 = hash,
                 .language = language};
  const std::string path_words = index_words(tail_of(file.path));
  for (Passage& passage : chunk(source.text, language)) {
    batch.texts.push_back(embedded_text(file.path, passage.symbol, passage.text));
    update.passages.push_back({.first_line = passage.first_line,
                               .last_line = passage.last_line,
                               .kind = std::move(passage.kind),
                               .symbol = passage.symbol,
                               .body = passage.text,
                               .symbol_words = index_words(passage.symbol),
                               .path_words = path_words,
                               .body_words = index_words(passage.text)});
  }
  ++report_.indexed;
  report_.passages += update.passages.size();
  batch.updates.push_back(std::move(update));
  return {};
}

Result<void> Indexer::flush(Batch& batch) {
  if (batch.updates.empty()) return {};
  auto ids = library_.replace(batch.updates);
  if (!ids) return ids.error();
  auto embedded = embed(*ids, batch.texts, Which::Serving);
  if (!embedded) return embedded.error();
  if (*embedded) report_.embedded += ids->size();
  batch = {};
  return {};
}

// False where it was stopped before the vectors were kept.
Result<bool> Indexer::embed(std::span<const int64_t> ids, std::span<const std::string> texts,
                            Which which) {
  engine::Embedder& embedder = which == Which::Next ? *options_.next : embedder_;
  const std::string prompt = encoder::prompt_for(embedder.facts(), encoder::Purpose::Document);
  std::vector<float> vectors;
  for (size_t at = 0; at < texts.size(); at += kEmbedTexts) {
    if (stop_.raised()) return false;
    const auto some = texts.subspan(at, std::min(kEmbedTexts, texts.size() - at));
    std::vector<std::string> prompted;
    for (const std::string& text : some) prompted.push_back(prompt + text);
    auto embeddings = embedder.embed(prompted);
    if (!embeddings) return embeddings.error();
    for (const engine::Embedding& embedding : *embeddings) {
      vectors.insert(vectors.end(), embedding.values.begin(), embedding.values.end());
    }
  }
  if (ids.empty()) return true;
  if (auto added = library_.add_vectors(ids, vectors, which); !added) return added.error();
  return true;
}

// Vectors for those passages, a batch on disk at a time. How many it came to.
Result<uint64_t> Indexer::fill(Which which, const std::vector<int64_t>& ids,
                               const std::function<void(uint64_t)>& tell) {
  uint64_t made = 0;
  for (size_t at = 0; at < ids.size() && !stop_.raised(); at += kBatchVectors) {
    const auto some = std::span(ids).subspan(at, std::min(kBatchVectors, ids.size() - at));
    auto rows = library_.store().passages(some);
    if (!rows) return rows.error();
    std::vector<int64_t> found;
    std::vector<std::string> texts;
    for (const storage::PassageRow& row : *rows) {
      found.push_back(row.id);
      texts.push_back(embedded_text(row.path, row.symbol, row.body));
    }
    auto embedded = embed(found, texts, which);
    if (!embedded) return embedded.error();
    if (*embedded) made += found.size();
    if (tell) tell(made);
  }
  return made;
}

Result<RemakeReport> Indexer::remake() {
  RemakeReport report;
  const Which which = library_.has_next() ? Which::Next : Which::Serving;
  if (library_.is_complete(which) && which == Which::Serving) return report;
  const double started = clock_.monotonic_seconds();
  const auto seconds = [&] { return std::max(clock_.monotonic_seconds() - started, 1e-3); };
  report.model = library_.writes(which).model;
  if (auto tidied = library_.tidy(which); !tidied) return tidied.error();
  auto rest = library_.without_vector(which);
  if (!rest) return rest.error();
  auto totals = library_.store().totals("");
  if (!totals) return totals.error();
  report.passages = rest->size();
  const auto tell = [&](uint64_t made) {
    if (!options_.remake_progress) return;
    const double rate = static_cast<double>(made) / seconds();
    options_.remake_progress(
        {.model = report.model,
         .done = totals->passages - rest->size() + made,
         .all = totals->passages,
         .passages_per_second = rate,
         .seconds_left = rate > 0 ? static_cast<double>(rest->size() - made) / rate : 0});
  };
  auto made = fill(which, *rest, tell);
  if (!made) return made.error().wrap("making the vectors of " + report.model);
  report.made = *made;
  report.interrupted = stop_.raised();
  if (!report.interrupted) {
    if (auto done = library_.complete(); !done) return done.error();
  }
  report.seconds = seconds();
  return report;
}

void Indexer::tell(uint64_t done, uint64_t bytes_done) {
  if (!options_.progress) return;
  const double seconds = std::max(clock_.monotonic_seconds() - started_, 1e-3);
  const auto share = static_cast<double>(bytes_done) /
                     static_cast<double>(std::max<uint64_t>(bytes_all_, 1));
  options_.progress({.files_done = done,
                     .files_all = files_all_,
                     .files_per_second = static_cast<double>(done) / seconds,
                     .seconds_left = share > 0 ? seconds / share - seconds : 0});
}

}  // namespace tinyarms::corpus
