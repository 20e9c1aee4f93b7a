#include "service/config_edit.h"

#include <gtest/gtest.h>

#include "storage/test_folder.h"

namespace tinyarms::service {
namespace {

class ConfigEdit : public testing::Test {
 protected:
  // The file after the edit, "refused" where it was left alone.
  std::string after(const std::string& text, bool value) {
    write_bytes(file_, text);
    const auto done = set_flag(file_, "l1", "cache", value);
    const std::string now = read_bytes(file_);
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
  EXPECT_EQ(read_bytes(path), "[l1]\ncache = false\n");
}

TEST_F(ConfigEdit, KeepsEverythingElse) {
  EXPECT_EQ(after("# mine\n[l1]  # level\nmodel = \"m\"\n[l2]\nenabled = true\n", false),
            "# mine\n[l1]  # level\ncache = false\nmodel = \"m\"\n[l2]\nenabled = true\n");
  EXPECT_EQ(after("[l1]\n  cache=true # so far\n", false), "[l1]\n  cache=false # so far\n");
  EXPECT_EQ(after("l1.cache = false\n", true), "l1.cache = true\n");
  EXPECT_EQ(after("offline = true\nl1.model = \"m\"\n", true),
            "offline = true\nl1.cache = true\nl1.model = \"m\"\n");
  EXPECT_EQ(after("offline = true", false), "offline = true\n\n[l1]\ncache = false\n");
}

TEST_F(ConfigEdit, LeavesAloneWhatItCannotChange) {
  EXPECT_EQ(after("l1 = { cache = true }\n", false), "refused");
  EXPECT_EQ(after("this is not TOML", false), "refused");
}

class ConfigEdits : public testing::Test {
 protected:
  using Texts = std::vector<std::string>;

  // A model and a list at once; "refused" where the file was left alone.
  std::string after(const std::string& text, const Texts& files) {
    write_bytes(file_, text);
    const auto done = edit_config(file_, {{.key = "l2.model", .value = std::string("new")},
                                          {.key = "calibration.files", .value = files}});
    const std::string now = read_bytes(file_);
    if (done) return now;
    EXPECT_EQ(done.error().code, ErrorCode::Config);
    EXPECT_EQ(now, text);
    return "refused";
  }

  storage::TestFolder folder_;
  std::filesystem::path file_ = folder_ / "config.toml";
};

TEST_F(ConfigEdits, ReplaceTextsAndLists) {
  EXPECT_EQ(after("[l2] # small\nmodel = \"old\"  # why\n[calibration]\nfiles = ['a#b'] # mine\n",
                  {"x", "a#b"}),
            "[l2] # small\nmodel = \"new\"  # why\n"
            "[calibration]\nfiles = [\"x\", \"a#b\"] # mine\n");
  EXPECT_EQ(after("[calibration]\nfiles = [\n  \"a]\",\n  \"b\",\n]\nallow_foreign = true\n",
                  {}),
            "[calibration]\nfiles = []\nallow_foreign = true\n\n[l2]\nmodel = \"new\"\n");
  EXPECT_EQ(after("l2.model = 'old'\n", {"q\"\n"}),
            "l2.model = \"new\"\n\n[calibration]\nfiles = [\"q\\\"\\n\"]\n");
}

TEST_F(ConfigEdits, AreDoneTogetherOrNotAtAll) {
  // The model alone could be changed; the list holds a comment that would be lost.
  EXPECT_EQ(after("[l2]\nmodel = \"old\"\n[calibration]\nfiles = [\n \"a\", # why\n]\n", {"x"}),
            "refused");
  EXPECT_EQ(after("l2 = { model = \"old\" }\n", {"x"}), "refused");
  EXPECT_EQ(after("calibration = { allow_foreign = true }\n", {"x"}), "refused");
}

TEST_F(ConfigEdits, KeepALinkALink) {
  write_bytes(folder_ / "real.toml", "[l2]\nmodel = \"old\"\n");
  std::filesystem::create_symlink("real.toml", file_);
  ASSERT_TRUE(edit_config(file_, {{.key = "l2.model", .value = std::string("new")}}));
  EXPECT_TRUE(std::filesystem::is_symlink(file_));
  EXPECT_EQ(read_bytes(folder_ / "real.toml"), "[l2]\nmodel = \"new\"\n");
}

}  // namespace
}  // namespace tinyarms::service
