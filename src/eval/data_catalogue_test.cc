#include "eval/data_catalogue.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/sha256.h"
#include "eval/bench_test_support.h"
#include "remote/scripted_server.h"

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
                           .folder = folder / "data"},
                     stop);
  }
  Result<size_t> pull_from(const std::string& address) const {
    return pull_data(set, {.mirror = address, .folder = folder / "data"}, stop);
  }
  std::filesystem::path part() const { return folder / "data/x/a.jsonl.part"; }
  void leave_part(const std::string& bytes) const {
    std::filesystem::create_directories(part().parent_path());
    std::ofstream(part(), std::ios::binary) << bytes;
  }
  bool sound() const {
    return check_data_file(set.files[0], folder / "data") == DataState::Sound;
  }
  StopFlag stop;
  testing::TemporaryFolder folder;
  DataSet set{"x", {{"x/a.jsonl", 5, sha256_hex("right"), ""}}};
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
  for (const char* address : {"", "file://", "file://relative", "ftp://example.org/data"}) {
    auto pulled = mirror.pull_from(address);
    ASSERT_FALSE(pulled) << address;
    EXPECT_EQ(pulled.error().code, ErrorCode::Unsupported) << address;
  }
}

using remote::testing::http_reply;
using remote::testing::ScriptedServer;

TEST(DataPull, FetchesAndChecks) {
  const Mirror mirror("");
  ScriptedServer server({http_reply(200, "text/plain", "right")});
  auto pulled = mirror.pull_from(server.url());
  ASSERT_TRUE(pulled) << pulled.error().message();
  EXPECT_EQ(*pulled, 1u);
  EXPECT_TRUE(mirror.sound());
  EXPECT_FALSE(std::filesystem::exists(mirror.part()));
  EXPECT_NE(server.requests()[0].find("GET /v1/x/a.jsonl "), std::string::npos);
}

TEST(DataPull, GoesOnWhereItWasInterrupted) {
  const Mirror mirror("");
  mirror.leave_part("rig");
  ScriptedServer server({http_reply(206, "text/plain", "ht", "Content-Range: bytes 3-4/5\r\n")});
  auto pulled = mirror.pull_from(server.url());
  ASSERT_TRUE(pulled) << pulled.error().message();
  EXPECT_TRUE(mirror.sound());
  EXPECT_NE(server.requests()[0].find("Range: bytes=3-"), std::string::npos);
}

TEST(DataPull, BeginsAgainWhereTheServerCannotGoOn) {
  const Mirror mirror("");
  mirror.leave_part("rig");
  ScriptedServer server(
      {http_reply(200, "text/plain", "right"), http_reply(200, "text/plain", "right")});
  auto pulled = mirror.pull_from(server.url());
  ASSERT_TRUE(pulled) << pulled.error().message();
  EXPECT_TRUE(mirror.sound());
}

TEST(DataPull, AnInterruptedDownloadKeepsWhatCame) {
  const Mirror mirror("");
  ScriptedServer server({http_reply(200, "text/plain", "rig", "Content-Length: 5\r\n")});
  auto pulled = mirror.pull_from(server.url());
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().code, ErrorCode::Unavailable) << pulled.error().message();
  EXPECT_EQ(std::filesystem::file_size(mirror.part()), 3u);
  EXPECT_FALSE(mirror.sound());
}

TEST(DataPull, OtherAndLongerFilesAreRefused) {
  const Mirror mirror("");
  ScriptedServer server({http_reply(200, "text/plain", "wrong"),
                         http_reply(200, "text/plain", "right and more of it"),
                         http_reply(404, "text/plain", "gone"),
                         http_reply(503, "text/plain", "busy")});
  for (const ErrorCode code : {ErrorCode::Corrupt, ErrorCode::OverBudget, ErrorCode::NotFound,
                               ErrorCode::Unavailable}) {
    auto pulled = mirror.pull_from(server.url());
    ASSERT_FALSE(pulled);
    EXPECT_EQ(pulled.error().code, code) << pulled.error().message();
    EXPECT_FALSE(mirror.sound());
    std::filesystem::remove(mirror.part());
  }
}

TEST(DataPull, FollowsARedirect) {
  const Mirror mirror("");
  ScriptedServer target({http_reply(200, "text/plain", "right")});
  ScriptedServer server(
      {http_reply(302, "text/plain", "", "Location: " + target.url() + "/b\r\n")});
  auto pulled = mirror.pull_from(server.url());
  ASSERT_TRUE(pulled) << pulled.error().message();
  EXPECT_TRUE(mirror.sound());
}

TEST(DataPull, StopsWhenAsked) {
  const Mirror mirror("");
  StopFlag stop;
  stop.raise();
  ScriptedServer server({"<hang>"});
  auto pulled = pull_data(mirror.set, {.mirror = server.url(), .folder = mirror.folder / "data"},
                          stop);
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().code, ErrorCode::Interrupted);
}

}  // namespace
}  // namespace tinyarms::eval
