#include "remote/web_rules.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "remote/curl_library.h"

namespace tinyarms::remote {
namespace {

const WebRules kRules{.hosts = {"huggingface.co", "*.hf.co", "models.example.com:8443",
                                "127.0.0.1:8080", "localhost"}};

bool allowed(const std::string& url) { return check_web_address(url, kRules).has_value(); }

class WebRulesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!curl_library()) GTEST_SKIP() << "SKIPPED: libcurl.so.4 is missing: run ./setup/install";
  }
};

TEST_F(WebRulesTest, OnlyHttpsToNamedHosts) {
  EXPECT_TRUE(allowed("https://huggingface.co/a/b"));
  EXPECT_TRUE(allowed("https://HuggingFace.co:443/a"));
  EXPECT_TRUE(allowed("https://cdn-lfs.hf.co/x?sig=1"));
  EXPECT_TRUE(allowed("https://models.example.com:8443/x"));
  for (const char* url :
       {"http://huggingface.co/a", "https://huggingface.co:8443/a", "https://hf.co/x",
        "https://evilhf.co/x", "https://hf.co.evil.com/x", "https://models.example.com/x",
        "https://user@huggingface.co/a", "https://user:secret@huggingface.co/", "ftp://hf.co/x",
        "file:///etc/passwd", "huggingface.co/a", "https://", "https://huggingface.co.",
        "https://evil.com/?u=huggingface.co", "https://evil.com#huggingface.co",
        "https://1.2.3.4/x", ""}) {
    EXPECT_FALSE(allowed(url)) << url;
  }
}

TEST_F(WebRulesTest, PlainHttpReachesOnlyThisMachineWhereItIsNamed) {
  EXPECT_TRUE(allowed("http://127.0.0.1:8080/x"));
  EXPECT_TRUE(allowed("http://localhost:1234/x"));
  EXPECT_FALSE(allowed("http://127.0.0.1:8081/x"));
  EXPECT_FALSE(allowed("http://127.0.0.2:8080/x"));
  EXPECT_FALSE(allowed("http://0.0.0.0:8080/x"));
  EXPECT_FALSE(allowed("http://[::1]:8080/x"));
}

TEST_F(WebRulesTest, SecretsAreInNoMessage) {
  auto refused = check_web_address("https://user:secret@huggingface.co/", kRules);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message().find("secret"), std::string::npos);
}

TEST(WebPeers, AddressesAreHeldAgainstWhatWasNamed) {
  const auto reaches = [](const char* text, const WebAddress& address) {
    sockaddr_storage storage{};
    in6_addr v6{};
    if (::inet_pton(AF_INET6, text, &v6) == 1) {
      sockaddr_in6 peer{};
      peer.sin6_family = AF_INET6;
      peer.sin6_addr = v6;
      std::memcpy(&storage, &peer, sizeof peer);
    } else {
      sockaddr_in peer{};
      peer.sin_family = AF_INET;
      EXPECT_EQ(::inet_pton(AF_INET, text, &peer.sin_addr), 1) << text;
      std::memcpy(&storage, &peer, sizeof peer);
    }
    return may_connect(address, reinterpret_cast<const sockaddr*>(&storage));
  };
  WebAddress pattern;
  WebAddress named;
  named.by_name = true;
  WebAddress here;
  here.this_machine = true;
  EXPECT_TRUE(reaches("93.184.216.34", pattern));
  EXPECT_TRUE(reaches("2606:2800:220:1::1", pattern));
  EXPECT_FALSE(reaches("93.184.216.34", here));
  for (const char* local : {"10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1",
                            "::ffff:10.0.0.1"}) {
    EXPECT_FALSE(reaches(local, pattern)) << local;
    EXPECT_TRUE(reaches(local, named)) << local;
  }
  for (const char* loopback : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_FALSE(reaches(loopback, pattern)) << loopback;
    EXPECT_FALSE(reaches(loopback, named)) << loopback;
    EXPECT_TRUE(reaches(loopback, here)) << loopback;
  }
  for (const char* never : {"169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255",
                            "fe80::1", "ff02::1", "::"}) {
    EXPECT_FALSE(reaches(never, named)) << never;
    EXPECT_FALSE(reaches(never, here)) << never;
  }
}

TEST(WebPaths, AreEscaped) {
  EXPECT_EQ(escape_path("a/b c?.gguf"), "a/b%20c%3F.gguf");
  EXPECT_EQ(escape_path("ü%"), "%C3%BC%25");
}

}  // namespace
}  // namespace tinyarms::remote
