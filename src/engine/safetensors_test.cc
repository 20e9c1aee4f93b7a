#include "engine/safetensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "engine/tiny_model.h"

namespace tinyarms::engine {
namespace {

using testing::TemporaryFolder;

std::string file_of(const std::string& table, size_t data_bytes) {
  const uint64_t length = table.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof(length));
  return bytes + table + std::string(data_bytes, '\0');
}

class SafetensorsTest : public ::testing::Test {
 protected:
  Result<Safetensors> open(const std::string& bytes) {
    testing::write_bytes(folder_ / "model.safetensors", bytes);
    return Safetensors::open(folder_ / "model.safetensors");
  }
  std::string refusal(const std::string& bytes) {
    auto opened = open(bytes);
    EXPECT_FALSE(opened);
    if (opened) return "";
    EXPECT_EQ(opened.error().code, ErrorCode::Corrupt);
    return opened.error().what;
  }
  std::string entry(const std::string& fields) { return file_of("{\"t\":{" + fields + "}}", 64); }

  TemporaryFolder folder_;
};

TEST_F(SafetensorsTest, ReadsTensorsOfEachFloatType) {
  std::string bytes = file_of(
      R"({"__metadata__":{"format":"pt"},)"
      R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
      R"("h":{"dtype":"F16","shape":[1,2],"data_offsets":[8,12]},)"
      R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[12,16]},)"
      R"("i":{"dtype":"I64","shape":[],"data_offsets":[16,24]}})", 24);
  const size_t data = bytes.size() - 24;
  const float plain[] = {1.5f, -2.0f};
  const uint16_t halves[] = {0x3C00, 0xC000};  // 1, −2
  const uint16_t brains[] = {0x3F80, 0xC000};  // 1, −2
  std::memcpy(bytes.data() + data, plain, 8);
  std::memcpy(bytes.data() + data + 8, halves, 4);
  std::memcpy(bytes.data() + data + 12, brains, 4);
  auto opened = open(bytes);
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(opened->tensors().size(), 4u);
  EXPECT_EQ(*to_floats(*opened->find("a"), "a"), (std::vector<float>{1.5f, -2.0f}));
  EXPECT_EQ(*to_floats(*opened->find("h"), "h"), (std::vector<float>{1.0f, -2.0f}));
  EXPECT_EQ(*to_floats(*opened->find("b"), "b"), (std::vector<float>{1.0f, -2.0f}));
  EXPECT_EQ(to_floats(*opened->find("i"), "i").error().code, ErrorCode::Unsupported);
  EXPECT_EQ(opened->find("none"), nullptr);
}

TEST_F(SafetensorsTest, RefusesWhatIsNotATable) {
  EXPECT_EQ(Safetensors::open(folder_ / "none").error().code, ErrorCode::NotFound);
  refusal("");
  refusal("1234567");
  refusal(std::string(4096, '\xEE'));
  refusal(file_of("[1,2]", 0));
  refusal(file_of("{\"t\":", 0));
  refusal(file_of(std::string(50'000, '['), 0));
  refusal(file_of("{\"t\":3}", 0));
  std::string lying = file_of("{}", 0);
  lying[0] = 100;
  refusal(lying);
}

TEST_F(SafetensorsTest, RefusesEntriesThatDoNotFit) {
  EXPECT_NE(refusal(entry(R"("dtype":"F32","shape":[17],"data_offsets":[0,68])"))
                .find("outside"), std::string::npos);
  EXPECT_NE(refusal(entry(R"("dtype":"F32","shape":[4],"data_offsets":[0,12])"))
                .find("another number"), std::string::npos);
  refusal(entry(R"("dtype":"F32","shape":[4],"data_offsets":[16,0])"));
  refusal(entry(R"("dtype":"F32","shape":[-4],"data_offsets":[0,16])"));
  refusal(entry(R"("dtype":"F32","shape":[4.0],"data_offsets":[0,16])"));
  refusal(entry(R"("dtype":"F32","shape":"4","data_offsets":[0,16])"));
  refusal(entry(R"("dtype":7,"shape":[4],"data_offsets":[0,16])"));
  refusal(entry(R"("dtype":"F32","shape":[4],"data_offsets":[0])"));
  refusal(entry(R"("dtype":"F32","shape":[4],"data_offsets":[-1,15])"));
  refusal(entry(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])"));
  refusal(entry(R"("dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0])"));
  refusal(entry(R"("dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4])"));
}

TEST_F(SafetensorsTest, RefusesOverlaps) {
  EXPECT_NE(refusal(file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                            R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12))
                .find("overlaps"), std::string::npos);
}

TEST_F(SafetensorsTest, RefusesWhatIsNotANumber) {
  std::string bytes = file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4);
  const float nan = std::nanf("");
  std::memcpy(bytes.data() + bytes.size() - 4, &nan, 4);
  auto opened = open(bytes);
  ASSERT_TRUE(opened);
  EXPECT_EQ(to_floats(*opened->find("a"), "a").error().code, ErrorCode::Corrupt);
}

TEST_F(SafetensorsTest, SurvivesMutations) {
  const std::string good = file_of(
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"F16","shape":[2,2],"data_offsets":[8,16]}})", 16);
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  int refused = 0;
  for (int round = 0; round < 1000; ++round) {
    std::string bytes = good;
    bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    auto opened = open(bytes);
    if (!opened) {
      ++refused;
      continue;
    }
    for (const auto& [name, tensor] : opened->tensors()) {
      EXPECT_TRUE(to_floats(tensor, name) || !to_floats(tensor, name).error().what.empty());
    }
  }
  EXPECT_GT(refused, 300);
}

}  // namespace
}  // namespace tinyarms::engine
