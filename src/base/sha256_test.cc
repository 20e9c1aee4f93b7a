#include "base/sha256.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace tinyarms {
namespace {

namespace fs = std::filesystem;

// FIPS 180-4's examples, and the empty message.
TEST(Sha256, AgreesWithTheStandard) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// RFC 4231's cases 1, 2 and 6 (a key longer than a block).
TEST(Sha256, SealsAsTheStandardDoes) {
  EXPECT_EQ(hmac_sha256_hex(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hmac_sha256_hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hmac_sha256_hex(std::string(131, '\xaa'),
                            "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_TRUE(same_seal("abc", "abc"));
  EXPECT_FALSE(same_seal("abc", "abd"));
  EXPECT_FALSE(same_seal("abc", "ab"));
}

TEST(Sha256, IsSpeltInOneWay) {
  EXPECT_TRUE(is_sha256(sha256_hex("")));
  for (const std::string& other : {std::string(), std::string(63, 'a'), std::string(65, 'a'),
                                   std::string(64, 'A'), std::string(64, 'g'),
                                   std::string(63, 'a') + '\0'}) {
    EXPECT_FALSE(is_sha256(other)) << other;
  }
}

TEST(Sha256, OfAFileIsThatOfItsBytes) {
  std::string pattern = (fs::temp_directory_path() / "sha-XXXXXX").string();
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  const fs::path folder = pattern;
  // One block, its neighbours, and several.
  for (const size_t size : {0U, 1U, (1U << 20) - 1, 1U << 20, (1U << 20) + 1, (5U << 20) + 7}) {
    std::string bytes(size, '\0');
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + i / 256);
    std::ofstream(folder / "f", std::ios::binary) << bytes;
    EXPECT_EQ(*sha256_file(folder / "f"), sha256_hex(bytes)) << size;
  }
  EXPECT_EQ(sha256_file(folder / "none").error().code, ErrorCode::NotFound);
  EXPECT_EQ(sha256_file(folder).error().code, ErrorCode::Io);
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(sha256_file(folder / "pipe").error().code, ErrorCode::Io);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace tinyarms
