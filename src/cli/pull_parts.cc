#include "cli/pull_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/paths.h"
#include "cli/models_commands.h"
#include "pull/token.h"

namespace tinyarms::cli {
namespace {

constexpr double kBytesAGigabyte = 1e9;

// "https://models.example.com:8443/x" → "models.example.com:8443"; empty for a path.
std::string host_in(const std::string& url) {
  const size_t begin = url.find("://");
  if (begin == std::string::npos || url.starts_with("file:")) return "";
  return url.substr(begin + 3, url.find('/', begin + 3) - begin - 3);
}

}  // namespace

Result<pull::PullTerms> pull_terms(const service::Settings& settings,
                                   const std::vector<std::string>& mirrors,
                                   const Context& context) {
  const service::PullSettings& set = settings.pull;
  pull::PullTerms terms;
  terms.hub = set.hub;
  terms.mirrors = mirrors;
  terms.mirrors.insert(terms.mirrors.end(), set.mirrors.begin(), set.mirrors.end());
  // Whom the user names as a hub or a mirror, files may come from.
  terms.rules.hosts = set.hosts;
  terms.rules.hosts.push_back(host_in(terms.hub));
  for (const std::string& mirror : terms.mirrors) terms.rules.hosts.push_back(host_in(mirror));
  std::erase(terms.rules.hosts, "");
  terms.connections = set.connections;
  terms.bytes_max = static_cast<uint64_t>(set.size_max_gb * kBytesAGigabyte);
  terms.offline = settings.offline;
  terms.places = pull::find_store_places(process_environment());
  std::filesystem::path file = set.token_file;
  if (file.empty()) file = context.paths.config_file.parent_path() / "hub-token";
  auto token = pull::read_token({.variable = set.token_env, .file = file}, process_environment());
  if (!token) return token.error();
  terms.token = std::move(*token);
  return terms;
}

Result<pull::PullRequest> pull_request(const std::string& source, const std::string& name,
                                       const Context& context) {
  auto parsed = pull::parse_source(source, [](const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
  });
  if (!parsed) return parsed.error();
  pull::PullRequest request{.source = std::move(*parsed), .name = name};
  if (request.source.kind != pull::PullSource::Kind::Name) return request;
  const advice::Catalogue catalogue = load_catalogue(context);
  auto model = catalogue.find(request.source.name);
  if (!model) return request;
  pull::CatalogueFile& known = request.catalogue;
  known.quantisation = request.source.quantisation.empty() ? "Q4_K_M"
                                                           : request.source.quantisation;
  const advice::ModelFile* file = (*model)->file(known.quantisation);
  // The default model comes in one type alone.
  if (file == nullptr && request.source.quantisation.empty() && (*model)->files.size() == 1) {
    file = &(*model)->files.front();
    known.quantisation = file->quantisation;
  }
  known.repository = (*model)->repository;
  if (file == nullptr) return request;
  if (!file->repository.empty()) known.repository = file->repository;
  known.file = file->name;
  known.sha256 = file->sha256;
  if (!file->estimated && !file->sha256.empty()) known.bytes = file->bytes;
  return request;
}

void PullProgress::show(const std::string& file, uint64_t there, uint64_t total) {
  const auto now = Clock::now();
  if (file != file_) {
    file_ = file;
    first_ = there;
    begun_ = now;
  } else if (now - shown_ < std::chrono::milliseconds(200) && there < total) {
    return;
  }
  shown_ = now;
  const double seconds = std::chrono::duration<double>(now - begun_).count();
  const double came = static_cast<double>(there - std::min(first_, there));
  const double speed = seconds > 0.2 ? came / seconds : 0;
  std::string line = fmt::format("{}  {:.0f} of {:.0f} MB  {:.0f} %", printable(file),
                                 static_cast<double>(there) / 1e6,
                                 static_cast<double>(total) / 1e6,
                                 total == 0 ? 0.0 : 100.0 * static_cast<double>(there) /
                                                        static_cast<double>(total));
  if (speed > 0) {
    line += fmt::format("  {:.1f} MB/s  {:.0f} s left", speed / 1e6,
                        static_cast<double>(total - std::min(there, total)) / speed);
  }
  terminal_.status(line);
}

void PullProgress::say(const std::string& text) { terminal_.status(printable(text)); }

}  // namespace tinyarms::cli
