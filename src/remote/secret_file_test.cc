#include "remote/secret_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

namespace tinyarms::remote {
namespace {

class SecretFileTest : public ::testing::Test {
 protected:
  SecretFileTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "secret-file-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~SecretFileTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::filesystem::path write(const std::string& text, mode_t mode = 0600) {
    const std::filesystem::path path = folder_ / "key";
    std::ofstream(path, std::ios::binary) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }

  std::filesystem::path folder_;
};

TEST_F(SecretFileTest, HoldsTheKeyAlone) {
  EXPECT_EQ(find_key({.file = write("canary-key\n")})->reveal(), "canary-key");
  for (const std::string& text : {std::string("canary key"), std::string("canary\r\nX: y"),
                                  std::string("\xff canary"), std::string("canary\0x", 8)}) {
    const auto key = find_key({.file = write(text)});
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code, ErrorCode::Config);
    EXPECT_EQ(key.error().message().find("canary"), std::string::npos);
  }
}

TEST_F(SecretFileTest, ThatOthersMayReadIsRefusedWithWhatToDo) {
  for (const mode_t mode : {0644, 0640, 0604}) {
    const auto key = find_key({.file = write("canary-key", mode)});
    ASSERT_FALSE(key) << mode;
    EXPECT_NE(key.error().hint.find("chmod 600"), std::string::npos);
    EXPECT_EQ(key.error().message().find("canary"), std::string::npos);
  }
}

TEST_F(SecretFileTest, ThatIsNamedMustBeThere) {
  for (const std::filesystem::path& path : {folder_ / "none", folder_, write("")}) {
    const auto key = find_key({.file = path});
    ASSERT_FALSE(key) << path;
    EXPECT_EQ(key.error().code, ErrorCode::Config);
  }
  EXPECT_FALSE(*read_secret_file(folder_ / "none"));
  EXPECT_TRUE(find_key({})->empty());
}

}  // namespace
}  // namespace tinyarms::remote
