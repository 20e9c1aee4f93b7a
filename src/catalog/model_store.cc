#include "catalog/model_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/nearest.h"
#include "base/sha256.h"
#include "catalog/copy_file.h"
#include "catalog/previous_version.h"
#include "engine/model_facts.h"

namespace tinyarms::catalog {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExtension = ".gguf";
constexpr size_t kNameBytesMax = 100;
constexpr size_t kNamesShown = 8;

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_name_character(char c) { return is_name_start(c) || c == '.' || c == '_' || c == '-'; }

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size() && i < kNamesShown; ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  if (names.size() > kNamesShown) text += fmt::format(" and {} more", names.size() - kNamesShown);
  return text;
}

Error not_found(std::string_view word, const std::vector<std::string>& known) {
  Error error{ErrorCode::NotFound, fmt::format("no model \"{}\" is installed", word), "", ""};
  if (known.empty()) {
    error.hint = "no models are installed; bring one in: tinyarms models import FILE.gguf";
  } else if (const auto near = nearest(word, known)) {
    error.hint = fmt::format("did you mean \"{}\"? installed: {}", *near, join(known));
  } else {
    error.hint = fmt::format("installed: {}", join(known));
  }
  return error;
}

Error bad_name(std::string_view name) {
  const std::string better = make_model_name(name);
  return Error{ErrorCode::InvalidArgument,
               fmt::format("\"{}\" cannot name a model: 1 to {} of a-z 0-9 . _ - that begin with a "
                           "letter or digit",
                           name.substr(0, kNameBytesMax), kNameBytesMax),
               "", better.empty() ? "choose another name" : fmt::format("try \"{}\"", better)};
}

Error name_taken(const std::string& name) {
  return Error{ErrorCode::InvalidArgument,
               fmt::format("another model is installed as \"{}\"", name), "",
               fmt::format("choose another name, or remove the old one: tinyarms models rm {}",
                           name)};
}

Result<std::string> choose_name(const std::string& wanted, const fs::path& source) {
  const std::string name = wanted.empty() ? make_model_name(source.string()) : wanted;
  if (!is_model_name(name)) return bad_name(wanted.empty() ? source.string() : wanted);
  return name;
}

std::string note_or(const std::string& note, const fs::path& source) {
  return note.empty() ? source.string() : note;
}

struct Voucher {
  std::string sha256;
  std::string source;
  std::vector<DownloadRecord> downloads = {};
};

// What is known of an address gives way to what is known now; false where nothing is new.
bool remember(std::vector<DownloadRecord>& downloads, const std::vector<DownloadRecord>& news) {
  const std::vector<DownloadRecord> before = downloads;
  for (const DownloadRecord& record : news) {
    std::erase_if(downloads, [&](const DownloadRecord& old) { return old.url == record.url; });
    downloads.push_back(record);
  }
  if (downloads.size() > kDownloadsMax) downloads = before;
  return !std::is_permutation(downloads.begin(), downloads.end(), before.begin(), before.end());
}

// `model` with its hash, and a sidecar that says so, unless it has that already.
Result<InstalledModel> vouch(InstalledModel model, Voucher voucher) {
  const bool known = model.sha256 == voucher.sha256;
  if (!known) model.downloads.clear();
  if (!remember(model.downloads, voucher.downloads) && known) return model;
  if (!known) model.source = std::move(voucher.source);
  model.sha256 = std::move(voucher.sha256);
  if (auto written = write_sidecar(model); !written) return written.error();
  return model;
}

Result<void> make_folder(const fs::path& folder) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (!problem) return {};
  return Error{ErrorCode::Io, problem.message(), folder.string(),
               "make it writable, or name another data folder"};
}

}  // namespace

bool is_model_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && is_name_start(name.front()) &&
         std::all_of(name.begin(), name.end(), is_name_character);
}

std::string make_model_name(std::string_view text) {
  std::string name;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (!is_name_character(c)) c = '-';
    if (name.empty() && !is_name_start(c)) continue;
    if (name.size() < kNameBytesMax) name += c;
  }
  while (!name.empty() && !is_name_start(name.back())) name.pop_back();
  return name;
}

ModelStore::ModelStore(fs::path models_dir) : models_dir_(std::move(models_dir)) {}

fs::path ModelStore::path_of(std::string_view name) const {
  fs::path path = models_dir_ / name;
  path += kExtension;
  return path;
}

std::vector<std::string> ModelStore::names() const {
  std::vector<std::string> names;
  std::error_code problem;
  for (fs::directory_iterator at(models_dir_, problem), end; !problem && at != end;
       at.increment(problem)) {
    std::error_code unreadable;
    if (at->path().extension() != kExtension || at->is_directory(unreadable)) continue;
    names.push_back(at->path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<InstalledModel>> ModelStore::list() const {
  std::error_code problem;
  fs::directory_iterator probe(models_dir_, problem);
  if (problem && problem != std::errc::no_such_file_or_directory) {
    return Error{ErrorCode::Io, problem.message(), models_dir_.string(),
                 "check that it is a folder and can be read"};
  }
  std::vector<InstalledModel> models;
  for (const std::string& name : names()) models.push_back(describe_model(path_of(name)));
  return models;
}

Result<InstalledModel> ModelStore::find(std::string_view word) const {
  std::error_code problem;
  // Before anything else, because it is what happens at every start: one file is looked at.
  if (is_model_name(word) && fs::is_regular_file(path_of(word), problem)) {
    return describe_model(path_of(word));
  }
  const bool names_a_file = word.find('/') != std::string_view::npos || word.ends_with(kExtension);
  const fs::path path(word);
  if (names_a_file && fs::exists(path, problem)) {
    auto facts = engine::inspect_model(path);
    if (!facts) return facts.error();
    return describe_model(path);
  }
  if (word.find('/') != std::string_view::npos) {
    return Error{ErrorCode::NotFound, "there is no such file", std::string(word),
                 "check the path, or name an installed model: tinyarms models list"};
  }
  if (word.ends_with(kExtension)) word.remove_suffix(kExtension.size());
  return find_by_prefix(word);
}

Result<std::vector<InstalledModel>> ModelStore::find_all(
    const std::vector<std::string>& words) const {
  std::vector<InstalledModel> found;
  for (const std::string& word : words) {
    auto model = find(word);
    if (!model) return model.error();
    found.push_back(std::move(*model));
  }
  return found;
}

Result<InstalledModel> ModelStore::find_by_prefix(std::string_view word) const {
  const std::vector<std::string> known = names();
  std::vector<std::string> begun;
  for (const std::string& name : known) {
    if (name == word) return describe_model(path_of(name));
    if (!word.empty() && std::string_view(name).starts_with(word)) begun.push_back(name);
  }
  if (begun.size() == 1) return describe_model(path_of(begun.front()));
  if (begun.empty()) return not_found(word, known);
  return Error{ErrorCode::InvalidArgument,
               fmt::format("\"{}\" begins {} models", word, begun.size()), "",
               fmt::format("say which: {}", join(begun))};
}

Result<std::string> ModelStore::sha256_of(const InstalledModel& model) const {
  if (!model.sha256.empty()) return model.sha256;
  return sha256_file(model.path);
}

Result<InstalledModel> ModelStore::add_gguf(const fs::path& source,
                                            const AddOptions& options) const {
  auto facts = engine::inspect_model(source);
  if (!facts) return facts.error();
  std::error_code problem;
  const bool lies_here = fs::equivalent(source.parent_path().empty() ? "." : source.parent_path(),
                                        models_dir_, problem) &&
                         source.extension() == kExtension;
  if (lies_here && (options.name.empty() || options.name == source.stem())) {
    InstalledModel model = describe_model(models_dir_ / source.filename());
    auto hash = sha256_of(model);
    if (!hash) return hash.error();
    return vouch(std::move(model), {*hash, options.source_note, options.downloads});
  }
  auto name = choose_name(options.name, source.stem());
  if (!name) return name.error();
  if (auto made = make_folder(models_dir_); !made) return made.error();
  sweep_unfinished(models_dir_);
  if (fs::exists(fs::symlink_status(path_of(*name), problem))) {
    // Known without copying gigabytes first.
    auto wanted = sha256_file(source);
    if (!wanted) return wanted.error();
    InstalledModel model = describe_model(path_of(*name));
    auto present = sha256_of(model);
    if (!present || *present != *wanted) return name_taken(*name);
    return vouch(std::move(model),
                 {*wanted, note_or(options.source_note, source), options.downloads});
  }
  PendingFile staged(path_of(*name));
  auto copied = copy_file({.source = source, .destination = staged.path()});
  if (!copied) return copied.error();
  return settle(staged, *name,
                {.source_note = note_or(options.source_note, source),
                 .downloads = options.downloads});
}

Result<InstalledModel> ModelStore::adopt(const fs::path& file,
                                         const AdoptOptions& options) const {
  auto facts = engine::inspect_model(file);
  if (!facts) return facts.error();
  auto name = choose_name(options.name, file.stem());
  if (!name) return name.error();
  if (auto made = make_folder(models_dir_); !made) return made.error();
  const fs::path path = path_of(*name);
  // Never replaces: a second process may have installed that name meanwhile.
  const bool placed = ::link(file.c_str(), path.c_str()) == 0 ||
                      (errno != EEXIST && ::renameat2(AT_FDCWD, file.c_str(), AT_FDCWD,
                                                      path.c_str(), RENAME_NOREPLACE) == 0);
  if (!placed && errno != EEXIST) {
    return Error{ErrorCode::Io, std::strerror(errno), path.string(),
                 "check the permissions of the folder"};
  }
  InstalledModel model = describe_model(path);
  bool replaced = false;
  if (!placed) {
    auto present = sha256_of(model);
    const bool same = present && *present == options.sha256;
    replaced = present && !same && *present == options.replaces;
    if (!same && !replaced) return name_taken(*name);
  }
  if (replaced) {
    if (auto kept = keep_previous(*this, *name); !kept) return kept.error();
    if (::rename(file.c_str(), path.c_str()) != 0) {
      return Error{ErrorCode::Io, std::strerror(errno), path.string(),
                   "check the permissions of the folder"};
    }
    model = describe_model(path);
  }
  auto vouched = vouch(std::move(model),
                       {options.sha256, options.source_note, options.downloads});
  std::error_code ignored;
  if (vouched) {
    fs::remove(file, ignored);
  } else if (replaced) {
    const auto undone = roll_back(*this, *name);  // at its worst the new version stays
  } else if (placed) {
    if (!fs::exists(file, ignored)) fs::rename(path, file, ignored);
    fs::remove(path, ignored);
  }
  return vouched;
}

Result<InstalledModel> ModelStore::import(const fs::path& source,
                                          const ImportOptions& options) const {
  std::error_code problem;
  const fs::path resolved = fs::canonical(source, problem);
  if (problem) {
    return Error{ErrorCode::NotFound, problem.message(), source.string(), "check the path"};
  }
  if (!fs::is_directory(resolved, problem)) {
    return add_gguf(source, {.name = options.name, .source_note = options.source_note});
  }
  auto name = choose_name(options.name, resolved.filename());
  if (!name) return name.error();
  if (auto made = make_folder(models_dir_); !made) return made.error();
  sweep_unfinished(models_dir_);
  PendingFile staged(path_of(*name));
  auto imported = engine::import_bert(resolved, staged.path(), options.encoder_type);
  if (!imported) return imported.error();
  return settle(staged, *name, {.source_note = note_or(options.source_note, source)});
}

// What was copied or made is looked at once more, in its final bytes: the source may have changed
// meanwhile, or the disk lied.
Result<InstalledModel> ModelStore::settle(PendingFile& staged, const std::string& name,
                                          const AddOptions& options) const {
  auto facts = engine::inspect_model(staged.path());
  if (!facts) return facts.error().wrap("the copy is damaged");
  auto hash = sha256_file(staged.path());
  if (!hash) return hash.error();
  auto placed = staged.commit_new();
  if (!placed) return placed.error();

  InstalledModel model = describe_model(path_of(name));
  if (!*placed) {
    auto present = sha256_of(model);
    if (!present || *present != *hash) return name_taken(name);
  }
  const fs::path path = model.path;
  auto vouched = vouch(std::move(model), {*hash, options.source_note, options.downloads});
  std::error_code ignored;
  if (!vouched && *placed) fs::remove(path, ignored);
  return vouched;
}

Result<void> ModelStore::remove(std::string_view name) const {
  const std::vector<std::string> known = names();
  // Only what the folder lists is removed, so that no spelling reaches outside it.
  if (std::find(known.begin(), known.end(), name) == known.end()) return not_found(name, known);
  std::error_code problem;
  fs::remove(path_of(name), problem);
  if (problem) {
    return Error{ErrorCode::Io, problem.message(), path_of(name).string(),
                 "check the permissions of the folder"};
  }
  fs::remove(sidecar_of(path_of(name)), problem);
  const auto none_kept = previous_versions(*this).remove(name);
  if (!none_kept && none_kept.error().code != ErrorCode::NotFound) return none_kept;
  return {};
}

}  // namespace tinyarms::catalog
