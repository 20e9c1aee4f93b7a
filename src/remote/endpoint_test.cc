#include "remote/endpoint.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace tinyarms::remote {
namespace {

TEST(Endpoint, TakesApisAndDropsTheLastSlash) {
  for (const char* url : {"http://127.0.0.1:8080/v1", "https://api.example.com/v1/",
                          "http://[::1]:9/v1", "http://gpu.lan:8000"}) {
    auto checked = check_endpoint({.url = url, .model = "m"});
    ASSERT_TRUE(checked) << url << ": " << checked.error().message();
    EXPECT_NE(checked->back(), '/');
  }
}

TEST(Endpoint, RefusesWhatIsNoApi) {
  for (const char* url :
       {"", "example.com/v1", "ftp://example.com", "file:///etc/passwd", "gopher://h/1",
        "http://", "http://user:secret@example.com/v1", "http://example.com/v1?key=x",
        "http://example.com/v1#x", "http://exa mple.com"}) {
    auto checked = check_endpoint({.url = url, .model = "m"});
    ASSERT_FALSE(checked) << url;
    EXPECT_EQ(checked.error().code, ErrorCode::Config);
    EXPECT_EQ(checked.error().message().find("secret"), std::string::npos);
  }
}

TEST(Endpoint, AKeyNeverCrossesTheNetworkUnencrypted) {
  const ApiKey key("canary-key");
  EXPECT_TRUE(check_endpoint({.url = "http://127.0.0.1:1/v1", .model = "m", .key = key}));
  EXPECT_TRUE(check_endpoint({.url = "https://example.com/v1", .model = "m", .key = key}));
  for (const char* url : {"http://example.com/v1", "http://10.0.0.1/v1", "http://128.0.0.1/v1",
                          "http://localhost.example.com/v1", "http://127.example.com/v1"}) {
    auto checked = check_endpoint({.url = url, .model = "m", .key = key});
    ASSERT_FALSE(checked) << url;
    EXPECT_EQ(checked.error().message().find("canary"), std::string::npos);
  }
}

TEST(Endpoint, KeysComeFromTheEnvironment) {
  ::setenv("TINYARMS_TEST_KEY", "abc", 1);
  EXPECT_EQ(key_from_environment("TINYARMS_TEST_KEY")->reveal(), "abc");
  ::setenv("TINYARMS_TEST_KEY", "a\r\nX: y", 1);
  EXPECT_FALSE(key_from_environment("TINYARMS_TEST_KEY"));
  ::unsetenv("TINYARMS_TEST_KEY");
  EXPECT_FALSE(key_from_environment("TINYARMS_TEST_KEY"));
  EXPECT_TRUE(key_from_environment("")->empty());
}

TEST(Endpoint, ThisMachineIsKnownByItsSpelling) {
  for (const char* url : {"http://127.0.0.1:8080/v1", "https://localhost/v1", "http://[::1]:9",
                          "http://127.3.2.1"}) {
    EXPECT_TRUE(is_on_this_machine(url)) << url;
  }
  for (const char* url : {"http://127.example.com/v1", "http://localhost.example.com", "http://::1",
                          "http://128.0.0.1", "http://127.0.0.1.example.com", "http://[::2]:9",
                          "http://127.0.0.1@example.com", "http://", ""}) {
    EXPECT_FALSE(is_on_this_machine(url)) << url;
  }
}

TEST(Endpoint, PlacesAreHostAndPort) {
  EXPECT_EQ(place_of("http://127.0.0.1:8080/v1"), "127.0.0.1:8080");
  EXPECT_EQ(place_of("https://example.com"), "example.com");
}

}  // namespace
}  // namespace tinyarms::remote
