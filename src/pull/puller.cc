#include "pull/puller.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <system_error>

#include "base/file.h"
#include "base/sha256.h"
#include "pull/mirror.h"

namespace tinyarms::pull {
namespace {

namespace fs = std::filesystem;

bool is_web(const std::string& text) { return text.find("://") != std::string::npos; }

// Where a mirror is on this machine; nothing for one on the web.
std::optional<fs::path> folder_of(const std::string& mirror) {
  if (mirror.starts_with("file://")) return fs::path(mirror.substr(7));
  if (is_web(mirror)) return std::nullopt;
  return fs::path(mirror);
}

std::string without_slash(std::string text) {
  while (text.ends_with('/')) text.pop_back();
  return text;
}

}  // namespace

// One call's work.
class Puller::Work {
 public:
  Work(const Puller& puller, const PullRequest& request)
      : store_(puller.store_), terms_(puller.terms_), stop_(puller.stop_), request_(request),
        installer_(puller.store_, puller.terms_, puller.hooks_, puller.stop_) {}

  Result<Pulled> run() {
    switch (request_.source.kind) {
      case PullSource::Kind::Path: return take_path(request_.source.path, "");
      case PullSource::Kind::Url: return take_url();
      case PullSource::Kind::Hub:
        return take_hub(request_.source.repository, request_.source.quantisation,
                        request_.source.file);
      case PullSource::Kind::Name: return take_name();
    }
    return Error{ErrorCode::Internal, "an unknown kind of source", "", ""};
  }

 private:
  bool named() const { return !request_.name.empty(); }

  std::string store_name(const std::string& name) const {
    return request_.name.empty() ? catalog::make_model_name(name) : request_.name;
  }

  Error offline(const std::string& where) const {
    return Error{ErrorCode::Unavailable, "offline = true forbids fetching it", where,
                 "set offline = false, name a mirror (--mirror DIR), or call it with --online"};
  }

  // A file or folder that is here.
  Result<Pulled> take_path(const fs::path& path, const std::string& reused) {
    if (const ShardName shard = shard_of(path.filename().string()); shard.part != 0) {
      return take_shards(path, shard);
    }
    std::error_code problem;
    if (fs::is_regular_file(path, problem)) {
      if (auto sound = installer_.check(path); !sound) return sound.error();
    }
    auto model = store_.import(path, {.name = request_.name});
    if (!model) return model.error();
    return Pulled{.model = std::move(*model), .source = path.string(),
                  .reused = reused.empty() ? "this machine" : reused};
  }

  Result<Pulled> take_shards(const fs::path& first, const ShardName& shard) {
    PullPlan plan{.name = store_name(shard.stem), .named = named(), .note = first.string()};
    for (int i = 1; i <= shard.parts; ++i) {
      PlannedPart part;
      part.here = first.parent_path() /
                  fmt::format("{}-{:05}-of-{:05}.gguf", shard.stem, i, shard.parts);
      std::error_code problem;
      part.file.bytes = fs::file_size(part.here, problem);
      if (problem) {
        return Error{ErrorCode::NotFound, "a part of the model is missing", part.here.string(),
                     "put all parts into one folder"};
      }
      plan.parts.push_back(std::move(part));
    }
    auto pulled = installer_.install(plan);
    if (pulled) pulled->reused = "this machine";
    return pulled;
  }

  Result<Pulled> take_url() {
    const std::string& url = request_.source.url;
    auto address = remote::check_web_address(url, terms_.rules);
    if (!address) return address.error();
    if (terms_.offline) return offline(url);
    std::string file = url.substr(0, url.find_first_of("?#"));
    file = file.substr(file.rfind('/') + 1);
    if (!file.ends_with(".gguf")) {
      return Error{ErrorCode::InvalidArgument, "the address names no .gguf file", url,
                   "name the file itself, or hf:user/repo:QUANT"};
    }
    PlannedPart part{.file = {.path = file}, .url = url};
    PullPlan plan{.name = store_name(file.substr(0, file.size() - 5)), .named = named()};
    plan.note = url;
    plan.hub = url.starts_with(without_slash(terms_.hub) + "/");
    plan.parts.push_back(std::move(part));
    return installer_.fetch_and_install(plan);
  }

  Result<Pulled> take_hub(const std::string& repository, const std::string& quantisation,
                          const std::string& file) {
    const std::string hub = without_slash(terms_.hub);
    const std::string place = fmt::format("{}/{}", hub, repository);
    if (terms_.offline) return take_held(repository, quantisation, file, place);
    auto ready = installer_.session();
    if (!ready) return ready.error();
    installer_.say("asking " + place);
    auto tree = remote::fetch_text(**ready,
                                   {.url = tree_url(hub, repository, request_.source.revision),
                                    .token = terms_.token},
                                   kTreeBytesMax, stop_);
    if (!tree) return tree.error();
    auto files = parse_tree(*tree, place);
    if (!files) return files.error();
    auto choice = choose_file(*files, quantisation, file, place);
    if (!choice) return choice.error();
    PullPlan plan{.name = store_name(choice->name), .named = named()};
    plan.repository = repository;
    plan.hub = true;
    plan.note = note_of(repository, choice->parts.front().path);
    for (HubFile& part : choice->parts) {
      PlannedPart made;
      made.url = file_url(hub, repository, request_.source.revision, part.path);
      made.file = std::move(part);
      plan.parts.push_back(std::move(made));
    }
    return installer_.fetch_and_install(plan);
  }

  // What `pull` takes as a source again.
  std::string note_of(const std::string& repository, const std::string& file) const {
    const std::string& revision = request_.source.revision;
    return fmt::format("hf:{}{}/{}", repository, revision == "main" ? "" : "@" + revision, file);
  }

  // No hub may be asked: what the Hugging Face cache holds of the repository.
  Result<Pulled> take_held(const std::string& repository, const std::string& quantisation,
                           const std::string& file, const std::string& place) {
    std::vector<HubFile> files;
    for (const std::string& name : held_of_repository(repository, terms_.places)) {
      files.push_back({.path = name});
    }
    auto choice = choose_file(files, quantisation, file, place);
    if (!choice) return offline(place);
    PullPlan plan{.name = store_name(choice->name), .named = named(), .repository = repository};
    plan.note = note_of(repository, choice->parts.front().path);
    for (const HubFile& part : choice->parts) {
      const auto held = find_held({.repository = repository, .name = part.path}, terms_.places);
      if (held.empty()) return offline(place);
      PlannedPart made{.file = part};
      made.here = held.front().path;
      plan.parts.push_back(std::move(made));
    }
    auto pulled = installer_.install(plan);
    if (pulled) pulled->reused = "the Hugging Face cache";
    return pulled;
  }

  // A name: what is here by its hash, the mirrors, the hub.
  Result<Pulled> take_name() {
    const PullSource& source = request_.source;
    const CatalogueFile& known = request_.catalogue;
    if (!known.sha256.empty()) {
      PlannedPart part{.file = {.path = known.file, .bytes = known.bytes, .sha256 = known.sha256}};
      PullPlan wanted{.name = request_.name, .named = named()};
      const bool placed = !known.repository.empty() && !known.file.empty();
      wanted.note = placed ? note_of(known.repository, known.file) : source.name;
      wanted.parts.push_back(part);
      auto there = installer_.installed(wanted);
      if (!there) return there.error();
      if (*there) return **there;
      if (auto held = installer_.held_copy({.repository = known.repository, .name = known.file,
                                 .bytes = known.bytes, .sha256 = known.sha256})) {
        part.here = held->path;
        part.own = held->own;
        const std::string stem = known.file.empty() ? source.name
                                                    : fs::path(known.file).stem().string();
        PullPlan plan{.name = store_name(stem), .named = named()};
        plan.note = held->own && placed ? wanted.note : held->path.string();
        plan.replaces = wanted.replaces;
        plan.parts.push_back(part);
        auto pulled = installer_.install(plan);
        if (pulled) pulled->reused = held->holder;
        return pulled;
      }
    }
    std::optional<Error> mirror_failed;
    for (const std::string& mirror : terms_.mirrors) {
      auto taken = take_mirror(mirror);
      if (taken || taken.error().code != ErrorCode::NotFound) return taken;
      mirror_failed = taken.error();
    }
    if (known.repository.empty()) return unknown_name(mirror_failed);
    const std::string quantisation =
        source.quantisation.empty() ? known.quantisation : source.quantisation;
    return take_hub(known.repository, quantisation, known.file);
  }

  Error unknown_name(const std::optional<Error>& mirror_failed) const {
    if (mirror_failed) return *mirror_failed;
    const std::string& name = request_.source.name;
    const bool listed = !request_.catalogue.quantisation.empty();
    return Error{ErrorCode::NotFound,
                 listed ? fmt::format("the catalogue knows no repository of \"{}\" in that type",
                                      name)
                        : fmt::format("no model \"{}\" is known", name),
                 "", "name a repository: tinyarms pull hf:user/repo:QUANT; "
                     "what is known: tinyarms models catalog"};
  }

  Result<Pulled> take_mirror(const std::string& mirror) {
    const auto folder = folder_of(mirror);
    const std::string base = without_slash(mirror);
    Result<std::string> text = std::string();
    if (folder) {
      text = read_file(*folder / kIndexName, kIndexBytesMax);
    } else {
      if (terms_.offline) return offline(base);
      auto ready = installer_.session();
      if (!ready) return ready.error();
      text = remote::fetch_text(**ready, {.url = base + "/" + kIndexName}, kIndexBytesMax, stop_);
    }
    if (!text) return text.error();
    auto entries = parse_index(*text, base);
    if (!entries) return entries.error();
    const MirrorEntry* entry =
        find_entry(*entries, request_.source.name, request_.source.quantisation);
    if (entry == nullptr) {
      return Error{ErrorCode::NotFound,
                   fmt::format("the mirror has no model \"{}\", or several that begin so",
                               request_.source.name), base,
                   "see its index.json"};
    }
    PlannedPart part{.file = {.path = entry->file, .bytes = entry->bytes, .sha256 = entry->sha256},
              .url = base + "/" + remote::escape_path(entry->file)};
    PullPlan plan{.name = store_name(entry->name), .named = named()};
    plan.note = base + "/" + entry->file;
    if (folder) {
      part.here = fs::absolute(*folder) / entry->file;
      plan.note = part.here.string();  // from wherever it is asked again
      auto hash = sha256_file(part.here);
      if (!hash) return hash.error();
      if (*hash != entry->sha256) return wrong_hash(part.here.string());
    }
    plan.parts.push_back(std::move(part));
    auto pulled = installer_.fetch_and_install(plan);
    if (folder && pulled && pulled->reused.empty()) pulled->fetched = entry->bytes;
    return pulled;
  }

  const catalog::ModelStore& store_;
  const PullTerms& terms_;
  const StopFlag& stop_;
  const PullRequest& request_;
  Installer installer_;
};

Puller::Puller(const catalog::ModelStore& store, PullTerms terms, PullHooks hooks,
               const StopFlag& stop)
    : store_(store), terms_(std::move(terms)), hooks_(std::move(hooks)), stop_(stop) {}
Puller::~Puller() = default;

Result<Pulled> Puller::pull(const PullRequest& request) { return Work(*this, request).run(); }

}  // namespace tinyarms::pull
