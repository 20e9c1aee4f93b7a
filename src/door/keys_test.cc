#include "door/keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/file.h"
#include "base/sha256.h"

namespace tinyarms::door {
namespace {

namespace fs = std::filesystem;

class Keys : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    file_ = folder_ / "keys.json";
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_;
  fs::path file_;
};

TEST_F(Keys, NoFileHoldsNoKeys) {
  auto ring = KeyRing::load(file_);
  ASSERT_TRUE(ring);
  EXPECT_TRUE(ring->empty());
}

TEST_F(Keys, AreKeptAsHashesForTheirOwnerOnly) {
  auto key = make_key();
  ASSERT_TRUE(key);
  EXPECT_NE(*key, *make_key());
  const KeyRing ring({{.name = "editor", .sha256 = sha256_hex(*key), .scopes = {Scope::Chat},
                       .requests_per_minute = 3}});
  ASSERT_TRUE(ring.save(file_));
  struct stat status {};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  auto text = read_file(file_, 1 << 20);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->find(*key), std::string::npos);

  auto read = KeyRing::load(file_);
  ASSERT_TRUE(read);
  const ApiKey* found = read->find(*key);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->name, "editor");
  EXPECT_EQ(found->requests_per_minute, 3);
  EXPECT_EQ(found->scopes, std::vector<Scope>{Scope::Chat});
  EXPECT_EQ(read->find("sk-tinyarms-000"), nullptr);
  EXPECT_EQ(read->find(""), nullptr);
}

TEST_F(Keys, AFileThatOthersMayReadIsRefused) {
  ASSERT_TRUE(KeyRing({}).save(file_));
  ::chmod(file_.c_str(), 0644);
  auto read = KeyRing::load(file_);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::Config);
}

TEST_F(Keys, ABrokenFileIsAnError) {
  for (const char* text : {"", "[]", "{\"keys\": 1}", "{\"keys\": [1]}",
                           "{\"keys\": [{\"name\": \"a\"}]}"}) {
    ASSERT_TRUE(write_file_atomically(file_, text));
    ::chmod(file_.c_str(), 0600);
    EXPECT_FALSE(KeyRing::load(file_)) << text;
  }
}

TEST(KeyLimiter, LetsThroughWhatTheKeyMay) {
  KeyLimiter limiter;
  const ApiKey key{.name = "a", .sha256 = "1", .scopes = {}, .requests_per_minute = 2};
  EXPECT_FALSE(limiter.take(key, 0));
  EXPECT_FALSE(limiter.take(key, 0));
  EXPECT_EQ(limiter.take(key, 0), 30);
  EXPECT_EQ(limiter.take(key, 15), 15);
  EXPECT_FALSE(limiter.take(key, 31));
  const ApiKey free{.name = "b", .sha256 = "2"};
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(limiter.take(free, 0));
}

}  // namespace
}  // namespace tinyarms::door
