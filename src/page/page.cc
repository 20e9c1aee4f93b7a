#include "page/page.h"

#include <string>

#include "base/embedded_file.h"

namespace tinyarms::page {

std::vector<EmbeddedFile> site_files();  // generated

namespace {

std::string_view type_of(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

struct Site {
  std::vector<std::string> paths;
  std::vector<Asset> assets;
};

const Site& site() {
  static const Site made = [] {
    Site all;
    const auto files = site_files();
    all.paths.reserve(files.size());  // views of them are handed out
    for (const EmbeddedFile& file : files) {
      all.paths.push_back(file.name == "index.html" ? "/" : "/page/" + std::string(file.name));
      all.assets.push_back({all.paths.back(), type_of(file.name), file.bytes});
    }
    return all;
  }();
  return made;
}

}  // namespace

const std::vector<Asset>& assets() { return site().assets; }

std::string_view security_policy() {
  return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
         "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

}  // namespace tinyarms::page
