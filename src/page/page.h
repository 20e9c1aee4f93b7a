// The page that `tinyarms serve` shows at "/": plain HTML, CSS and JavaScript modules, built into
// the program (docs/page.md). It is one client of the door among others, asks nothing of any other
// host, and its policy lets it do no more than that.
#pragma once

#include <string_view>
#include <vector>

namespace tinyarms::page {

struct Asset {
  std::string_view path;  // under which it is served: "/", "/page/app.js"
  std::string_view content_type;
  std::string_view bytes;
};

// Every file of it. Lives as long as the program.
const std::vector<Asset>& assets();

// Content-Security-Policy of all of them: no inline script or style, nothing from elsewhere, in no
// frame.
std::string_view security_policy();

}  // namespace tinyarms::page
