#include "pull/mirror.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/sha256.h"

namespace tinyarms::pull {
namespace {

using IndexJson = nlohmann::ordered_json;

constexpr int kIndexFormat = 1;

std::string folded(std::string_view text) {
  std::string made(text);
  for (char& c : made) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return made;
}

}  // namespace

Result<std::vector<MirrorEntry>> parse_index(std::string_view text, const std::string& place) {
  const auto corrupt = [&](const char* what) {
    return Error{ErrorCode::Corrupt, what, place, "make it anew: tinyarms models export"};
  };
  const IndexJson json = IndexJson::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return corrupt("the mirror's index is not JSON");
  std::vector<MirrorEntry> entries;
  try {
    if (json.at("format").get<int>() != kIndexFormat) return corrupt("an index of another format");
    for (const IndexJson& model : json.at("models")) {
      MirrorEntry entry{.name = model.at("name").get<std::string>(),
                        .file = model.at("file").get<std::string>(),
                        .bytes = model.at("bytes").get<uint64_t>(),
                        .sha256 = model.at("sha256").get<std::string>(),
                        .quantisation = model.value("quantization", "")};
      const bool plain = entry.file == entry.name + ".gguf";
      if (!catalog::is_model_name(entry.name) || !plain || !is_sha256(entry.sha256) ||
          entry.bytes == 0) {
        return corrupt("the mirror's index holds an entry that cannot be");
      }
      entries.push_back(std::move(entry));
    }
  } catch (const IndexJson::exception&) {
    return corrupt("the mirror's index lacks what it should hold");
  }
  return entries;
}

const MirrorEntry* find_entry(const std::vector<MirrorEntry>& entries, std::string_view name,
                              std::string_view quantisation) {
  const std::string wanted = folded(name);
  const std::string type = folded(quantisation);
  const MirrorEntry* found = nullptr;
  int begun = 0;
  for (const MirrorEntry& entry : entries) {
    const bool fits = type.empty() || folded(entry.quantisation) == type;
    if (!fits) continue;
    if (entry.name == wanted) return &entry;
    if (!entry.name.starts_with(wanted)) continue;
    found = &entry;
    ++begun;
  }
  return begun == 1 ? found : nullptr;
}

Result<size_t> write_index(const catalog::ModelStore& folder) {
  auto models = folder.list();
  if (!models) return models.error();
  IndexJson list = IndexJson::array();
  for (const catalog::InstalledModel& model : *models) {
    if (!model.problem.empty()) continue;
    auto hash = folder.sha256_of(model);
    if (!hash) return hash.error();
    list.push_back({{"name", model.name},
                    {"file", model.path.filename().string()},
                    {"bytes", model.bytes},
                    {"sha256", *hash},
                    {"quantization", model.quantization},
                    {"architecture", model.architecture},
                    {"licence", model.licence}});
  }
  const IndexJson json = {{"format", kIndexFormat}, {"models", list}};
  auto written = write_file_atomically(
      folder.folder() / kIndexName,
      json.dump(2, ' ', false, IndexJson::error_handler_t::replace) + "\n");
  if (!written) return written.error();
  return list.size();
}

}  // namespace tinyarms::pull
