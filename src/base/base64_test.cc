#include "base/base64.h"

#include <gtest/gtest.h>

namespace tinyarms {
namespace {

TEST(Base64, TheVectorsOfTheRfc) {
  const char* cases[][2] = {{"", ""},         {"f", "Zg=="},         {"fo", "Zm8="},
                            {"foo", "Zm9v"},  {"foob", "Zm9vYg=="},  {"fooba", "Zm9vYmE="},
                            {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(base64_encode(bytes), text);
    if (bytes[0] != '\0') {
      EXPECT_EQ(base64_decode(text), std::string(bytes));
    }
  }
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(base64_decode(base64_encode(all)), all);
}

TEST(Base64, OnlyWhatAnEncoderWritesIsRead) {
  for (const char* text : {"", "Zg", "Zg=", "Zh==", "Z===", "====", "Zm8*", " Zm8="}) {
    EXPECT_FALSE(base64_decode(text)) << text;
  }
}

}  // namespace
}  // namespace tinyarms
