#include "eval/data_catalogue.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/sha256.h"
#include "eval/bench_test_support.h"

namespace tinyarms::eval {
namespace {

// A mirror of one file, and the set that pins it.
struct Mirror {
  explicit Mirror(const std::string& served) {
    std::filesystem::create_directories(folder / "mirror/x");
    std::ofstream(folder / "mirror/x/a.jsonl", std::ios::binary) << served;
  }
  Result<size_t> pull() const {
    return pull_data(set, {.mirror = "file://" + (folder / "mirror").string(),
                           .folder = folder / "data"});
  }
  testing::TemporaryFolder folder;
  DataSet set{"x", {{"x/a.jsonl", 5, sha256_hex("right")}}};
};

TEST(DataCatalogue, KnowsTheSetsAndTheirHashes) {
  EXPECT_GE(data_catalogue().size(), 9u);
  for (const DataSet& set : data_catalogue()) {
    EXPECT_FALSE(set.files.empty()) << set.name;
    for (const DataFile& file : set.files) EXPECT_EQ(file.sha256.size(), 64u) << file.path;
  }
  EXPECT_NE(find_data_set("humanevl").error().hint.find("humaneval"), std::string::npos);
}

TEST(DataCatalogue, PullsOnce) {
  const Mirror mirror("right");
  EXPECT_EQ(*mirror.pull(), 1u);
  EXPECT_EQ(*mirror.pull(), 0u);
  EXPECT_EQ(check_data_file(mirror.set.files[0], mirror.folder / "data"), DataState::Sound);
}

TEST(DataCatalogue, AnotherFileIsRefusedAndNotWritten) {
  const Mirror mirror("wrong");
  auto pulled = mirror.pull();
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().code, ErrorCode::Corrupt);
  EXPECT_EQ(check_data_file(mirror.set.files[0], mirror.folder / "data"), DataState::Missing);
}

TEST(DataCatalogue, OtherAddressesAreUnsupported) {
  const Mirror mirror("right");
  for (const char* address : {"", "file://", "file://relative", "https://example.org/data"}) {
    auto pulled = pull_data(mirror.set, {.mirror = address, .folder = mirror.folder / "data"});
    ASSERT_FALSE(pulled) << address;
    EXPECT_EQ(pulled.error().code, ErrorCode::Unsupported) << address;
  }
}

}  // namespace
}  // namespace tinyarms::eval
