#include "pull/installer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <system_error>

#include "base/file.h"
#include "base/sha256.h"
#include "catalog/copy_file.h"
#include "engine/gguf_merge.h"
#include "engine/model_check.h"
#include "pull/recall.h"

namespace tinyarms::pull {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kRoomMargin = 8 << 20;
constexpr double kPullIdleSeconds = 30;
constexpr const char* kOwnStore = "the model store";

void discard_part(const PlannedPart& part) {
  if (part.staged) remote::discard_download(part.here);
}

// Of every part; none where one of them is not known.
std::vector<std::string> hashes_of(const PullPlan& plan) {
  std::vector<std::string> hashes;
  for (const PlannedPart& part : plan.parts) {
    if (part.file.sha256.empty()) return {};
    hashes.push_back(part.file.sha256);
  }
  return hashes;
}

// What the store is to remember of where it came from.
std::vector<catalog::DownloadRecord> records_of(const PullPlan& plan) {
  std::vector<catalog::DownloadRecord> records;
  if (plan.parts.size() > catalog::kDownloadsMax) return records;
  for (const PlannedPart& part : plan.parts) {
    if (part.url.empty() || part.file.sha256.empty()) continue;
    records.push_back({.url = part.url, .etag = part.etag, .bytes = part.file.bytes,
                       .sha256 = part.file.sha256});
  }
  return records;
}

}  // namespace

Installer::Installer(const catalog::ModelStore& store, const PullTerms& terms,
                     const PullHooks& hooks, const StopFlag& stop)
    : store_(store), terms_(terms), hooks_(hooks), stop_(stop),
      stage_(store_.folder() / ".pull"), connection_(terms) {}

void Installer::say(const std::string& text) const {
  if (hooks_.say) hooks_.say(text);
}

Error wrong_hash(const std::string& where) {
  return Error{ErrorCode::Corrupt, "its SHA-256 is not the one that was announced", where,
               "it was thrown away; try again, or another mirror"};
}

Result<remote::WebSession*> PullConnection::get() {
  if (session_ == nullptr) {
    auto made = remote::WebSession::create(
        terms_.rules, {.connect_seconds = 15, .idle_seconds = kPullIdleSeconds, .bytes_max = 0});
    if (!made) return made.error();
    session_ = std::move(*made);
  }
  return session_.get();
}

std::optional<HeldFile> Installer::held_copy(const WantedFile& wanted) const {
  if (wanted.sha256.empty()) return std::nullopt;
  if (auto model = recall_file(store_, wanted.sha256)) {
    return HeldFile{.path = model->path, .holder = kOwnStore, .by_hash = true, .own = true};
  }
  for (const HeldFile& held : find_held(wanted, terms_.places)) {
    say(fmt::format("looking at {} ({})", held.path.string(), held.holder));
    auto hash = sha256_file(held.path);
    if (hash && *hash == wanted.sha256) return held;
  }
  return std::nullopt;
}

// Under the name, or under any where no name was asked for.
std::optional<Pulled> Installer::same_model(
    const PullPlan& plan, const std::vector<catalog::InstalledModel>& models) const {
  const std::vector<std::string> hashes = hashes_of(plan);
  for (const catalog::InstalledModel& model : models) {
    if (plan.named && plan.name != model.name) continue;
    bool same = hashes.size() == 1 && model.sha256 == hashes.front();
    if (plan.parts.size() > 1) {
      // What was joined before its parts were remembered is known by its source alone.
      same = hashes.empty() || model.downloads.empty() ? model.source == plan.note
                                                       : joined_from(model, hashes);
    }
    if (same) return Pulled{.model = model, .source = plan.note, .reused = kOwnStore};
  }
  return std::nullopt;
}

Result<std::optional<Pulled>> Installer::installed(PullPlan& plan) const {
  auto models = store_.list();
  if (!models) return models.error();
  if (auto same = same_model(plan, *models)) return same;
  for (const catalog::InstalledModel& model : *models) {
    if (model.name != plan.name) continue;
    // Its sidecar is gone, or a call was killed before it was written.
    const std::vector<std::string> hashes = hashes_of(plan);
    if (model.sha256.empty() && hashes.size() == 1) {
      const auto hash = store_.sha256_of(model);
      if (hash && *hash == hashes.front()) {
        auto mended = store_.add_gguf(model.path, {.source_note = plan.note,
                                                   .downloads = records_of(plan)});
        if (!mended) return mended.error();
        return std::optional(Pulled{.model = std::move(*mended), .source = plan.note,
                                    .reused = kOwnStore});
      }
    }
    // Of the same source: at worst another version of it.
    if (!plan.note.empty() && model.source == plan.note && !model.sha256.empty()) {
      plan.replaces = model.sha256;
      continue;
    }
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("another model is installed as \"{}\"", plan.name), "",
                 fmt::format("choose a name (--name), or remove the old one: tinyarms models "
                             "rm {}", plan.name)};
  }
  return std::optional<Pulled>();
}

Result<Pulled> Installer::fetch_and_install(PullPlan& plan) {
  if (!catalog::is_model_name(plan.name)) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("\"{}\" cannot name a model", plan.name.substr(0, 100)), "",
                 "choose a name: --name"};
  }
  auto there = installed(plan);
  if (!there) return there.error();
  if (*there) return **there;
  if (auto joined = recall_joined(store_, hashes_of(plan))) {
    plan.whole = PlannedPart{.file = {.path = joined->path.filename().string(),
                                      .bytes = joined->bytes, .sha256 = joined->sha256},
                             .here = joined->path, .own = true};
    auto pulled = install(plan);
    if (pulled) pulled->reused = kOwnStore;
    return pulled;
  }
  if (auto room = check_room(plan); !room) return room.error();
  std::string reused;
  uint64_t fetched = 0;
  const bool known = !hashes_of(plan).empty();
  for (PlannedPart& part : plan.parts) {
    if (!part.here.empty()) continue;
    if (auto held = held_copy({.repository = plan.repository, .name = part.file.path,
                               .bytes = part.file.bytes, .sha256 = part.file.sha256})) {
      part.here = held->path;
      part.own = held->own;
      reused = held->holder;
      continue;
    }
    auto came = fetch(plan, part, reused);
    if (!came) return came.error();
    fetched += *came;
  }
  if (!known && !reused.empty()) {
    there = installed(plan);
    if (!there) return there.error();
    if (*there) return **there;
  }
  auto pulled = install(plan);
  if (!pulled) return pulled;
  pulled->fetched = fetched;
  pulled->reused = fetched == 0 ? reused : "";
  return pulled;
}

// Before the first byte: all parts, and the joined file beside them.
Result<void> Installer::check_room(const PullPlan& plan) const {
  uint64_t needed = kRoomMargin;
  for (const PlannedPart& part : plan.parts) needed += part.file.bytes;
  if (plan.parts.size() > 1) needed += needed;
  std::error_code problem;
  fs::create_directories(store_.folder(), problem);
  for (const PlannedPart& part : plan.parts) {
    std::error_code absent;
    const auto there = fs::exists(stage_of(part), absent);
    if (there) return {};  // part of it is there: the download itself knows what is missing
  }
  const fs::space_info space = fs::space(store_.folder(), problem);
  if (problem || space.available >= needed) return {};
  return Error{ErrorCode::Io,
               fmt::format("the disk is too full: {:.2f} GB are needed, {:.2f} GB are free",
                           static_cast<double>(needed) / 1e9,
                           static_cast<double>(space.available) / 1e9),
               store_.folder().string(), "free some disk space, or name another data folder"};
}

fs::path Installer::stage_of(const PlannedPart& part) const {
  const std::string key = part.file.sha256.empty() ? sha256_hex(part.url) : part.file.sha256;
  return stage_ / (key.substr(0, 32) + ".part");
}

// The bytes that came; none where the server has what is here already, which `holder` tells.
Result<uint64_t> Installer::fetch(const PullPlan& plan, PlannedPart& part, std::string& holder) {
  auto ready = session();
  if (!ready) return ready.error();
  const fs::path stage = stage_of(part);
  const std::string shown = part.file.path.substr(part.file.path.rfind('/') + 1);
  std::optional<HeldFile> held;
  const auto wanted = [&](const remote::FileVersion& version) {
    part.etag = version.etag;
    part.file.bytes = version.bytes;
    if (!part.file.sha256.empty()) return true;  // it was looked for
    const std::string hash =
        !version.sha256.empty()
            ? version.sha256
            : recall_hash(store_, {.url = part.url, .etag = version.etag, .bytes = version.bytes});
    held = held_copy({.repository = plan.repository, .name = part.file.path,
                      .bytes = version.bytes, .sha256 = hash});
    if (held) part.file.sha256 = hash;
    return !held;
  };
  auto report = remote::download_ranges(
      **ready,
      {.url = part.url, .part = stage, .bytes = part.file.bytes, .sha256 = part.file.sha256,
       .bytes_max = terms_.bytes_max, .connections = terms_.connections,
       .token = plan.hub ? terms_.token : remote::ApiKey(), .wanted = wanted},
      stop_, [&](uint64_t there, uint64_t total) {
        if (hooks_.progress) hooks_.progress(shown, there, total);
      });
  if (!report) return report.error();
  if (held) {
    part.here = held->path;
    part.own = held->own;
    holder = held->holder;
    return uint64_t{0};
  }
  say("checking the hash of " + shown);
  auto hash = sha256_file(stage);
  if (!hash) return hash.error();
  if (!report->version.sha256.empty() && *hash != report->version.sha256) {
    remote::discard_download(stage);
    return wrong_hash(part.url);
  }
  part.file.sha256 = *hash;
  part.here = stage;
  part.staged = true;
  return report->fetched;
}

Result<void> Installer::check(const fs::path& file) const {
  const engine::ModelCheck checked = engine::check_model_file(file);
  if (checked.problem) return *checked.problem;
  if (checked.not_loadable) return *checked.not_loadable;
  return hooks_.trial ? hooks_.trial(file) : Result<void>();
}

// All parts are here, with the hashes that were announced.
Result<Pulled> Installer::install(const PullPlan& plan) {
  PlannedPart file = plan.whole ? *plan.whole : plan.parts.front();
  if (!plan.whole && plan.parts.size() > 1) {
    auto joined = join(plan);
    if (!joined) return joined.error();
    file = std::move(*joined);
  }
  // A file that is no sound model would be none the next time either.
  if (auto sound = check(file.here); !sound) {
    if (sound.error().code != ErrorCode::Interrupted) {
      for (const PlannedPart& part : plan.parts) discard_part(part);
      discard_part(file);
    }
    return sound.error();
  }
  auto model = place(file, plan);
  if (!model) return model.error();
  for (const PlannedPart& part : plan.parts) discard_part(part);
  discard_part(file);
  const bool replaced = plan.replaces != model->sha256;
  return Pulled{.model = std::move(*model), .source = plan.note,
                .replaced = replaced ? plan.replaces : ""};
}

Result<catalog::InstalledModel> Installer::place(const PlannedPart& file,
                                                 const PullPlan& plan) const {
  const catalog::AdoptOptions options{.name = plan.name, .source_note = plan.note,
                                      .sha256 = file.file.sha256, .downloads = records_of(plan),
                                      .replaces = plan.replaces};
  if (file.staged) return store_.adopt(file.here, options);
  if (!file.own && plan.replaces.empty()) {
    return store_.add_gguf(file.here, {.name = plan.name, .source_note = plan.note,
                                       .downloads = options.downloads});
  }
  std::error_code problem;
  fs::create_directories(stage_, problem);
  catalog::sweep_unfinished(stage_);
  const PendingFile made(stage_ / plan.name);
  // Of the store the bytes are shared: nothing there is ever written in place.
  const bool linked = file.own && !fs::is_symlink(file.here, problem) &&
                      ::link(file.here.c_str(), made.path().c_str()) == 0;
  if (!linked) {
    auto copied = catalog::copy_file({.source = file.here, .destination = made.path()});
    if (!copied) return copied.error();
    auto hash = sha256_file(made.path());
    if (!hash) return hash.error();
    if (*hash != options.sha256) return wrong_hash(file.here.string());
  }
  return store_.adopt(made.path(), options);
}

Result<PlannedPart> Installer::join(const PullPlan& plan) {
  std::error_code ignored;
  fs::create_directories(stage_, ignored);
  PlannedPart joined{.file = {.path = plan.name + ".gguf"}};
  joined.here = stage_ / (plan.name + ".joined");
  joined.staged = true;
  fs::remove(joined.here, ignored);
  std::vector<fs::path> paths;
  for (const PlannedPart& part : plan.parts) paths.push_back(part.here);
  say(fmt::format("joining {} parts", paths.size()));
  auto merged = engine::merge_gguf(paths, joined.here, stop_, [&](uint64_t at, uint64_t total) {
    if (hooks_.progress) hooks_.progress(joined.file.path, at, total);
  });
  if (!merged) {
    fs::remove(joined.here, ignored);
    return merged.error();
  }
  auto hash = sha256_file(joined.here);
  if (!hash) return hash.error();
  joined.file.sha256 = *hash;
  return joined;
}

}  // namespace tinyarms::pull
