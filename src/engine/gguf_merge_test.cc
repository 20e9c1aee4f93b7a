#include "engine/gguf_merge.h"

#include <gguf.h>
#include <gtest/gtest.h>

#include "engine/gguf_header.h"
#include "engine/tiny_model.h"

namespace tinyarms::engine {
namespace {

using testing::GgufBytes;
using testing::TemporaryFolder;

GgufBytes& number(GgufBytes& bytes, const char* key, uint16_t value) {
  return bytes.text(key).number(int32_t(GGUF_TYPE_UINT16)).number(value);
}

std::string part(uint16_t which, uint16_t count, const std::string& tensor) {
  GgufBytes bytes(3, 1, 4);
  bytes.text_pair("general.architecture", "llama");
  number(bytes, "split.no", which);
  number(bytes, "split.count", count);
  bytes.text("split.tensors.count").number(int32_t(GGUF_TYPE_INT32)).number(int32_t(count));
  bytes.tensor(tensor, {5}, GGML_TYPE_F32, 0).pad();
  for (int i = 0; i < 5; ++i) bytes.number(static_cast<float>(10 * which + i));
  return bytes.bytes();
}

TEST(GgufMerge, JoinsPartsInOrder) {
  const TemporaryFolder folder;
  testing::write_bytes(folder / "a", part(0, 2, "one"));
  testing::write_bytes(folder / "b", part(1, 2, "two"));
  const StopFlag stop;
  uint64_t told = 0;
  auto merged = merge_gguf({folder / "a", folder / "b"}, folder / "whole", stop,
                           [&](uint64_t at, uint64_t) { told = at; });
  ASSERT_TRUE(merged) << merged.error().message();
  EXPECT_GT(told, 0u);
  const std::string bytes = testing::read_bytes(folder / "whole");
  auto header = GgufHeader::parse(bytes, "whole");
  ASSERT_TRUE(header) << header.error().message();
  EXPECT_EQ(header->pairs(), 1u);
  ASSERT_EQ(header->tensors().size(), 2u);
  float value = 0;
  std::memcpy(&value, bytes.data() + header->tensor("two")->offset + 8, sizeof value);
  EXPECT_EQ(value, 12.0f);
}

TEST(GgufMerge, RefusesPartsThatDoNotBelongTogether) {
  const TemporaryFolder folder;
  testing::write_bytes(folder / "a", part(0, 2, "one"));
  testing::write_bytes(folder / "b", part(1, 2, "one"));
  testing::write_bytes(folder / "c", part(1, 3, "two"));
  const StopFlag stop;
  const auto code = [&](const std::string& second) {
    auto merged = merge_gguf({folder / "a", folder / second}, folder / ("out" + second), stop, {});
    return merged ? ErrorCode::Internal : merged.error().code;
  };
  EXPECT_EQ(code("a"), ErrorCode::Corrupt);
  EXPECT_EQ(code("b"), ErrorCode::Corrupt);
  EXPECT_EQ(code("c"), ErrorCode::Corrupt);
  EXPECT_EQ(code("none"), ErrorCode::NotFound);
}

}  // namespace
}  // namespace tinyarms::engine
