#include "pull/upstream.h"

#include <fmt/format.h>

#include <limits>
#include <optional>

#include "base/file.h"
#include "pull/mirror.h"
#include "pull/recall.h"

namespace tinyarms::pull {
namespace {

using catalog::DownloadRecord;
using catalog::InstalledModel;

constexpr int kTriesToAsk = 2;

UpstreamState unknown_state(std::string reason) {
  return {.state = Freshness::Unknown, .reason = std::move(reason)};
}

UpstreamState by_hash(const InstalledModel& model, const std::string& sha256, uint64_t bytes) {
  const bool same = model.sha256 == sha256;
  return {.state = same ? Freshness::Current : Freshness::Outdated,
          .reason = same ? "" : "another SHA-256 there",
          .sha256 = sha256,
          .bytes = bytes};
}

// Where the server names no hash: by what was remembered when the file came.
UpstreamState by_version(const InstalledModel& model, const std::string& url,
                         const remote::FileVersion& there) {
  if (!there.sha256.empty()) return by_hash(model, there.sha256, there.bytes);
  UpstreamState state{.bytes = there.bytes};
  if (there.bytes != model.bytes) {
    state.state = Freshness::Outdated;
    state.reason = "another length there";
    return state;
  }
  for (const DownloadRecord& record : model.downloads) {
    if (record.url != url || record.etag.empty() || record.etag.starts_with("W/")) continue;
    const bool same = record.etag == there.etag;
    state.state = same ? Freshness::Current : Freshness::Outdated;
    state.reason = same ? "" : "another ETag there";
    if (same) state.sha256 = model.sha256;
    return state;
  }
  state.reason = "the server names no hash, and no ETag of it is remembered";
  return state;
}

std::filesystem::path path_in(const std::string& source) {
  return source.starts_with("file://") ? source.substr(7) : source;
}

bool is_address(const std::string& source) {
  return source.find("://") != std::string::npos && !source.starts_with("file://");
}

}  // namespace

const char* freshness_name(Freshness state) {
  switch (state) {
    case Freshness::Current: return "current";
    case Freshness::Outdated: return "outdated";
    case Freshness::Unknown: return "unknown";
    case Freshness::Offline: return "offline";
  }
  return "unknown";
}

bool was_pulled(const InstalledModel& model) {
  if (model.source.starts_with("hf:") || is_address(model.source)) return true;
  std::error_code problem;
  return !model.source.empty() &&
         std::filesystem::is_regular_file(path_in(model.source).parent_path() / kIndexName,
                                          problem);
}

UpstreamCheck::UpstreamCheck(const PullTerms& terms, const StopFlag& stop)
    : terms_(terms), hub_(terms.hub.substr(0, terms.hub.find_last_not_of('/') + 1)), stop_(stop),
      connection_(terms) {}

Result<UpstreamState> UpstreamCheck::ask(const InstalledModel& model) {
  if (!was_pulled(model)) return unknown_state("it was not pulled from a place that can be asked");
  const bool hub = model.source.starts_with("hf:");
  if (!hub && !is_address(model.source)) return ask_folder(model);
  if (terms_.offline) {
    return UpstreamState{.state = Freshness::Offline,
                         .reason = "offline = true forbids asking: say --online"};
  }
  if (!hub) return ask_address(model, model.source);
  auto source = parse_source(model.source, [](const std::filesystem::path&) { return false; });
  if (!source || source->file.empty()) return unknown_state("its source names no file");
  return ask_hub(model, *source);
}

Result<std::vector<HubFile>> UpstreamCheck::files_of(const PullSource& source) {
  const std::string place = fmt::format("{}@{}", source.repository, source.revision);
  if (const auto known = repositories_.find(place); known != repositories_.end()) {
    return known->second;
  }
  const std::string url = tree_url(hub_, source.repository, source.revision);
  auto address = remote::check_web_address(url, terms_.rules);
  if (!address) return address.error();
  if (const auto silent = silent_.find(address->origin); silent != silent_.end()) {
    return silent->second;
  }
  auto ready = connection_.get();
  if (!ready) return ready.error();
  auto tree = remote::fetch_text(**ready, {.url = url, .token = terms_.token}, kTreeBytesMax,
                                 stop_);
  if (!tree && tree.error().code == ErrorCode::Unavailable) {
    silent_.emplace(address->origin, tree.error());
  }
  if (!tree) return tree.error();
  return repositories_.emplace(place, parse_tree(*tree, place)).first->second;
}

Result<UpstreamState> UpstreamCheck::ask_hub(const InstalledModel& model,
                                             const PullSource& source) {
  auto files = files_of(source);
  if (!files) {
    const ErrorCode code = files.error().code;
    if (code == ErrorCode::Interrupted || code == ErrorCode::Unsupported) return files.error();
    return unknown_state(files.error().message());
  }
  auto choice = choose_file(*files, "", source.file, source.repository);
  if (!choice) return unknown_state(choice.error().message());
  std::vector<std::string> hashes;
  uint64_t bytes = 0;
  for (const HubFile& part : choice->parts) {
    if (!part.sha256.empty()) hashes.push_back(part.sha256);
    bytes += part.bytes;
  }
  if (choice->parts.size() == 1) {
    if (hashes.size() == 1) return by_hash(model, hashes.front(), bytes);
    return ask_address(model, file_url(hub_, source.repository, source.revision,
                                       choice->parts.front().path));
  }
  if (hashes.size() != choice->parts.size()) {
    return unknown_state("the hub does not name the hashes of its parts");
  }
  if (model.downloads.empty()) {
    return unknown_state("it was joined from parts whose hashes nobody remembers");
  }
  const bool same = joined_from(model, hashes);
  return UpstreamState{.state = same ? Freshness::Current : Freshness::Outdated,
                       .reason = same ? "" : "other parts there",
                       .sha256 = same ? model.sha256 : "",
                       .bytes = bytes};
}

Result<UpstreamState> UpstreamCheck::ask_address(const InstalledModel& model,
                                                 const std::string& url) {
  auto address = remote::check_web_address(url, terms_.rules);
  if (!address) return unknown_state(address.error().message());
  if (const auto silent = silent_.find(address->origin); silent != silent_.end()) {
    return unknown_state(silent->second.message());
  }
  auto ready = connection_.get();
  if (!ready) return ready.error();
  std::optional<remote::FileVersion> there;
  auto asked = remote::download_ranges(
      **ready,
      {.url = url, .part = {}, .bytes_max = std::numeric_limits<uint64_t>::max(),
       .token = url.starts_with(hub_ + "/") ? terms_.token : remote::ApiKey(),
       .tries = kTriesToAsk,
       .wanted = [&](const remote::FileVersion& version) {
         there = version;
         return false;
       }},
      stop_, {});
  if (there) return by_version(model, url, *there);
  const Error error = asked ? Error{ErrorCode::Internal, "it was not asked", url, ""}
                            : asked.error();
  if (error.code == ErrorCode::Interrupted) return error;
  if (error.code == ErrorCode::Unavailable) silent_.emplace(address->origin, error);
  return unknown_state(error.message());
}

UpstreamState UpstreamCheck::ask_folder(const InstalledModel& model) const {
  const std::filesystem::path file = path_in(model.source);
  const std::filesystem::path index = file.parent_path() / kIndexName;
  auto text = read_file(index, kIndexBytesMax);
  if (!text) return unknown_state(text.error().message());
  auto entries = parse_index(*text, index.string());
  if (!entries) return unknown_state(entries.error().message());
  for (const MirrorEntry& entry : *entries) {
    if (entry.file == file.filename()) return by_hash(model, entry.sha256, entry.bytes);
  }
  return unknown_state("the mirror has it no longer");
}

}  // namespace tinyarms::pull
