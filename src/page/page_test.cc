#include "page/page.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace tinyarms::page {
namespace {

bool has(std::string_view path) {
  return std::any_of(assets().begin(), assets().end(),
                     [&](const Asset& asset) { return asset.path == path; });
}

// Paths that a file of the page names in quotes, "/page/…" and "./…".
std::set<std::string> named_in(const Asset& asset) {
  std::set<std::string> paths;
  for (const std::string_view prefix : {"\"/page/", "'./", "\"./"}) {
    for (size_t at = asset.bytes.find(prefix); at != std::string_view::npos;
         at = asset.bytes.find(prefix, at + 1)) {
      const size_t begin = at + 1;
      const size_t end = asset.bytes.find_first_of("\"'", begin);
      std::string path(asset.bytes.substr(begin, end - begin));
      if (path.starts_with("./")) path = "/page/" + path.substr(2);
      paths.insert(path);
    }
  }
  return paths;
}

TEST(Page, EveryFileItNamesIsThere) {
  ASSERT_TRUE(has("/"));
  size_t named = 0;
  for (const Asset& asset : assets()) {
    EXPECT_FALSE(asset.bytes.empty()) << asset.path;
    EXPECT_NE(asset.content_type, "application/octet-stream") << asset.path;
    for (const std::string& path : named_in(asset)) {
      EXPECT_TRUE(has(path)) << asset.path << " names " << path;
      ++named;
    }
  }
  EXPECT_GT(named, 2u);
}

TEST(Page, NothingComesFromElsewhereOrInline) {
  for (const Asset& asset : assets()) {
    if (asset.path == "/") {
      EXPECT_EQ(asset.bytes.find("style=\""), std::string_view::npos);
      EXPECT_EQ(asset.bytes.find(" onclick="), std::string_view::npos);
      EXPECT_EQ(asset.bytes.find("<script>"), std::string_view::npos);
    }
    for (const std::string_view host : {"src=\"http", "href=\"http", "url(http", "@import",
                                        "innerHTML", "eval("}) {
      EXPECT_EQ(asset.bytes.find(host), std::string_view::npos) << asset.path << " has " << host;
    }
  }
  EXPECT_EQ(security_policy().find("unsafe"), std::string_view::npos);
}

TEST(Page, IsSmall) {
  size_t bytes = 0;
  for (const Asset& asset : assets()) bytes += asset.bytes.size();
  EXPECT_LT(bytes, 160u << 10);
}

}  // namespace
}  // namespace tinyarms::page
