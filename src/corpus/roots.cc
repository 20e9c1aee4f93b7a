#include "corpus/roots.h"

#include <nlohmann/json.hpp>

#include "base/file.h"

namespace tinyarms::corpus {
namespace {

constexpr size_t kFileBytesMax = 4 << 20;

}  // namespace

bool lies_in(std::string_view path, std::string_view folder) {
  if (folder == "/") return true;
  return path.substr(0, folder.size()) == folder &&
         (path.size() == folder.size() || path[folder.size()] == '/');
}

Root* root_of(std::vector<Root>& roots, std::string_view path) {
  for (Root& root : roots) {
    if (lies_in(path, root.path)) return &root;
  }
  return nullptr;
}

Result<std::vector<Root>> read_roots(const std::filesystem::path& file) {
  std::error_code problem;
  std::vector<Root> roots;
  if (!std::filesystem::exists(file, problem)) return roots;
  auto text = read_file(file, kFileBytesMax);
  if (!text) return text.error();
  try {
    const auto json = nlohmann::json::parse(*text);
    for (const auto& each : json.at("roots")) {
      Root root;
      each.at("path").get_to(root.path);
      root.added_at = each.value("added_at", 0.0);
      if (each.contains("completed_at") && each["completed_at"].is_number()) {
        root.completed_at = each["completed_at"].get<double>();
      }
      if (!root.path.empty() && root.path.front() == '/') roots.push_back(std::move(root));
    }
    return roots;
  } catch (const nlohmann::json::exception&) {
    std::filesystem::path aside = file;
    aside += ".corrupt";
    std::filesystem::rename(file, aside, problem);
    return Error{ErrorCode::Corrupt, "the list of indexed folders is damaged; it was set aside",
                 aside.string(), "add the folders again: tinyarms index add PATH"};
  }
}

Result<void> write_roots(const std::filesystem::path& file, const std::vector<Root>& roots) {
  auto list = nlohmann::ordered_json::array();
  for (const Root& root : roots) {
    list.push_back({{"path", root.path},
                    {"added_at", root.added_at},
                    {"completed_at", root.completed_at ? nlohmann::ordered_json(*root.completed_at)
                                                       : nlohmann::ordered_json(nullptr)}});
  }
  const nlohmann::ordered_json json = {{"version", 1}, {"roots", list}};
  return write_file_atomically(
      file, json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace tinyarms::corpus
