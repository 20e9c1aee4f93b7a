#include "corpus/secrets.h"

#include <gtest/gtest.h>

namespace tinyarms::corpus {
namespace {

// Put together here, so that no scanner takes this file for a leak.
std::string joined(const char* a, const char* b) { return std::string(a) + b; }

TEST(Secrets, NamesOfFiles) {
  for (const char* name : {"a/.env", ".env.production", "id_rsa", "x/server.pem", "tls.key",
                           ".netrc", "credentials"}) {
    EXPECT_TRUE(secret_name(name)) << name;
  }
  for (const char* name : {".env.example", "environment.py", "keys.py", "monkey.txt",
                           "src/key_store.cc", "id_rsa.py"}) {
    EXPECT_FALSE(secret_name(name)) << name;
  }
}

TEST(Secrets, KeysOfWellKnownForm) {
  const auto found = find_secret(
      "a = 1\n" + joined("token = 'ghp", "_0123456789abcdefghij0123456789abcdef'\n"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->line, 2U);
  EXPECT_EQ(found->pattern, "GitHub token");
  EXPECT_TRUE(find_secret(joined("AK", "IAIOSFODNN7EXAMPLE")));
  EXPECT_TRUE(find_secret(joined("-----BEGIN RSA PRIV", "ATE KEY-----")));
  EXPECT_TRUE(find_secret(joined("sk", "-proj-abcdefghij0123456789ABCDEFGHIJ0123")));
  EXPECT_TRUE(find_secret("API_KEY = \"q8Zt3LmX0vRw7KpB2nYd5HsJ\""));
  EXPECT_TRUE(find_secret("{\"client_secret\": \"q8Zt3LmX0vRw7KpB2nYd5HsJ\"}"));
}

TEST(Secrets, CodeThatOnlyTalksOfThem) {
  for (const char* text : {"password = read_password()", "api_key = os.environ['API_KEY']",
                           "password: \"your-password-goes-here\"",
                           "task-list-of-things-to-do-today",
                           "AKIA is how they begin", "-----BEGIN CERTIFICATE-----",
                           "def check_password(password): return True"}) {
    EXPECT_FALSE(find_secret(text)) << text;
  }
}

}  // namespace
}  // namespace tinyarms::corpus
