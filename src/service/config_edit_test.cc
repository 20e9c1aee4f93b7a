#include "service/config_edit.h"

#include <gtest/gtest.h>

#include "storage/test_folder.h"

namespace tinyarms::service {
namespace {

class ConfigEdit : public testing::Test {
 protected:
  // The file after the edit, "refused" where it was left alone.
  std::string after(const std::string& text, bool value) {
    storage::write_bytes(file_, text);
    const auto done = set_flag(file_, "l1", "cache", value);
    const std::string now = storage::read_bytes(file_);
    if (done) return now;
    EXPECT_EQ(now, text);
    return "refused";
  }

  storage::TestFolder folder_;
  std::filesystem::path file_ = folder_ / "config.toml";
};

TEST_F(ConfigEdit, MakesTheFile) {
  const auto path = folder_ / "new/config.toml";
  ASSERT_TRUE(set_flag(path, "l1", "cache", false));
  EXPECT_EQ(storage::read_bytes(path), "[l1]\ncache = false\n");
}

TEST_F(ConfigEdit, KeepsEverythingElse) {
  EXPECT_EQ(after("# mine\n[l1]  # level\nmodel = \"m\"\n[l2]\nenabled = true\n", false),
            "# mine\n[l1]  # level\ncache = false\nmodel = \"m\"\n[l2]\nenabled = true\n");
  EXPECT_EQ(after("[l1]\n  cache=true # so far\n", false), "[l1]\n  cache=false # so far\n");
  EXPECT_EQ(after("l1.cache = false\n", true), "l1.cache = true\n");
  EXPECT_EQ(after("offline = true", false), "offline = true\n\n[l1]\ncache = false\n");
}

TEST_F(ConfigEdit, LeavesAloneWhatItCannotChange) {
  EXPECT_EQ(after("l1.model = \"m\"\n", false), "refused");
  EXPECT_EQ(after("l1 = { cache = true }\n", false), "refused");
  EXPECT_EQ(after("this is not TOML", false), "refused");
}

}  // namespace
}  // namespace tinyarms::service
