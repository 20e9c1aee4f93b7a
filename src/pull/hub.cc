#include "pull/hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/sha256.h"
#include "pull/source.h"
#include "remote/web_rules.h"

namespace tinyarms::pull {
namespace {

using TreeJson = nlohmann::json;

constexpr size_t kFilesMax = 20'000;
constexpr size_t kPathMax = 1024;

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

// A path that a hostile hub could not use for anything but asking it for that file.
bool is_plain_path(const std::string& path) {
  return !path.empty() && path.size() <= kPathMax && path.front() != '/' &&
         ("/" + path + "/").find("/../") == std::string::npos &&
         std::none_of(path.begin(), path.end(),
                      [](unsigned char c) { return c < ' ' || c == 0x7f || c == '\\'; });
}

std::string stem_of(const HubFile& file) {
  if (const ShardName shard = shard_of(file.path); shard.part != 0) return shard.stem;
  const std::string name = file.path.substr(file.path.rfind('/') + 1);
  return name.substr(0, name.size() - std::string_view(".gguf").size());
}

// Every model of the repository: its parts in order, by stem and folder.
std::map<std::string, std::vector<HubFile>> models_of(const std::vector<HubFile>& files) {
  std::map<std::string, std::vector<HubFile>> models;
  for (const HubFile& file : files) {
    const size_t slash = file.path.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : file.path.substr(0, slash + 1);
    models[folder + stem_of(file)].push_back(file);
  }
  for (auto& [stem, parts] : models) {
    std::sort(parts.begin(), parts.end(),
              [](const HubFile& a, const HubFile& b) { return a.path < b.path; });
  }
  return models;
}

Result<HubChoice> whole(std::vector<HubFile> parts, const std::string& place) {
  HubChoice choice{.name = stem_of(parts.front()), .parts = std::move(parts)};
  for (size_t i = 0; i < choice.parts.size(); ++i) {
    const ShardName shard = shard_of(choice.parts[i].path);
    if (shard.part == 0 && choice.parts.size() == 1) break;
    if (shard.part != static_cast<int>(i) + 1 ||
        shard.parts != static_cast<int>(choice.parts.size())) {
      return Error{ErrorCode::Corrupt, fmt::format("the model '{}' lacks parts", choice.name),
                   place, "choose another file of the repository"};
    }
  }
  return choice;
}

Error nothing_fits(const std::vector<HubFile>& files, std::string what, const std::string& place) {
  std::set<std::string> types;
  for (const HubFile& file : files) {
    const std::string type = quantisation_in(file.path);
    types.insert(type.empty() ? file.path : type);
  }
  std::string list;
  for (const std::string& type : types) {
    if (list.size() > 300) break;
    list += (list.empty() ? "" : ", ") + type;
  }
  return Error{ErrorCode::NotFound, std::move(what), place,
               list.empty() ? "choose a repository with GGUF files" : "there is " + list};
}

}  // namespace

std::string tree_url(const std::string& hub, const std::string& repository,
                     const std::string& revision) {
  return fmt::format("{}/api/models/{}/tree/{}?recursive=true", hub,
                     remote::escape_path(repository), remote::escape_path(revision));
}

std::string file_url(const std::string& hub, const std::string& repository,
                     const std::string& revision, const std::string& path) {
  return fmt::format("{}/{}/resolve/{}/{}", hub, remote::escape_path(repository),
                     remote::escape_path(revision), remote::escape_path(path));
}

Result<std::vector<HubFile>> parse_tree(std::string_view text, const std::string& place) {
  const auto corrupt = [&] {
    return Error{ErrorCode::Corrupt, "the hub's reply is no list of files", place,
                 "check the setting pull.hub"};
  };
  int depth_max = 0;
  const TreeJson json = TreeJson::parse(
      text, [&](int depth, TreeJson::parse_event_t, TreeJson&) {
        depth_max = std::max(depth_max, depth);
        return depth < 16;
      }, /*allow_exceptions=*/false);
  if (!json.is_array() || json.size() > kFilesMax || depth_max >= 16) return corrupt();
  std::vector<HubFile> files;
  for (const TreeJson& entry : json) {
    if (!entry.is_object()) return corrupt();
    const auto type = entry.find("type");
    const auto path = entry.find("path");
    if (type == entry.end() || path == entry.end() || *type != "file" || !path->is_string()) {
      continue;
    }
    HubFile file{.path = path->get<std::string>()};
    if (!file.path.ends_with(".gguf") || !is_plain_path(file.path)) continue;
    const auto size = entry.find("size");
    if (size != entry.end() && size->is_number_unsigned()) file.bytes = size->get<uint64_t>();
    const auto lfs = entry.find("lfs");
    if (lfs != entry.end() && lfs->is_object()) {
      const auto hash = lfs->find("oid");
      const auto large = lfs->find("size");
      if (hash != lfs->end() && hash->is_string() && is_sha256(hash->get<std::string>())) {
        file.sha256 = hash->get<std::string>();
      }
      if (large != lfs->end() && large->is_number_unsigned()) file.bytes = large->get<uint64_t>();
    }
    files.push_back(std::move(file));
  }
  return files;
}

Result<HubChoice> choose_file(const std::vector<HubFile>& files, const std::string& quantisation,
                              const std::string& path, const std::string& place) {
  auto models = models_of(files);
  if (!path.empty()) {
    for (auto& [stem, parts] : models) {
      for (const HubFile& part : parts) {
        if (part.path == path) return whole(std::move(parts), place);
      }
    }
    return nothing_fits(files, fmt::format("has no file '{}'", path), place);
  }
  // Projectors of images are no language models.
  std::erase_if(models, [](const auto& model) {
    return model.first.find("mmproj") != std::string::npos;
  });
  std::vector<std::string> wanted = {"Q4_K_M", "Q4_0", "Q5_K_M", "Q8_0", "F16"};
  if (!quantisation.empty()) wanted = {quantisation};
  for (const std::string& type : wanted) {
    for (auto& [stem, parts] : models) {
      if (same_word(quantisation_in(parts.front().path), type)) {
        return whole(std::move(parts), place);
      }
    }
  }
  if (quantisation.empty() && models.size() == 1) {
    return whole(std::move(models.begin()->second), place);
  }
  return nothing_fits(files,
                      quantisation.empty() ? "has several files, and none of the usual types"
                                           : fmt::format("has no file of type {}", quantisation),
                      place);
}

}  // namespace tinyarms::pull
