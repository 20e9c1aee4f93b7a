#include "engine/gguf_header.h"

#include <gtest/gtest.h>

#include "engine/tiny_model.h"

namespace tinyarms::engine {
namespace {

using testing::GgufBytes;

ErrorCode code_of(const std::string& bytes) {
  auto header = GgufHeader::parse(bytes, "x.gguf");
  EXPECT_FALSE(header);
  return header ? ErrorCode::Internal : header.error().code;
}

std::string what_of(const std::string& bytes) {
  auto header = GgufHeader::parse(bytes, "x.gguf");
  EXPECT_FALSE(header);
  return header ? "" : header.error().what;
}

GgufBytes one_tensor(std::vector<uint64_t> shape, int32_t type, uint64_t offset = 0) {
  GgufBytes bytes(3, 1, 0);
  bytes.tensor("t", std::move(shape), type, offset).pad();
  return bytes;
}

TEST(GgufHeader, ReadsScalarsTextsArraysAndTensors) {
  GgufBytes bytes(3, 2, 5);
  bytes.text_pair("general.architecture", "llama").count_pair("llama.block_count", 30);
  bytes.text("f").number(int32_t(GGUF_TYPE_BOOL)).number(uint8_t(1));
  bytes.text("heads").number(int32_t(GGUF_TYPE_ARRAY)).number(int32_t(GGUF_TYPE_INT32));
  bytes.number(uint64_t(3)).number(int32_t(4)).number(int32_t(-1)).number(int32_t(8));
  bytes.text("tokens").number(int32_t(GGUF_TYPE_ARRAY)).number(int32_t(GGUF_TYPE_STRING));
  bytes.number(uint64_t(2)).text("a").text("bc");
  bytes.tensor("one", {3, 2}, GGML_TYPE_F32, 0).tensor("two", {32}, GGML_TYPE_Q8_0, 32);
  const size_t data = bytes.pad().bytes().size();
  bytes.data(24).pad().data(34);

  auto header = GgufHeader::parse(bytes.bytes(), "x.gguf");
  ASSERT_TRUE(header) << header.error().message();
  EXPECT_EQ(header->text("general.architecture"), "llama");
  EXPECT_EQ(header->integer("llama.block_count"), 30u);
  EXPECT_EQ(header->flag("f"), true);
  EXPECT_EQ(header->integer("f"), std::nullopt);
  EXPECT_EQ(header->text("missing"), std::nullopt);
  ASSERT_NE(header->array("heads"), nullptr);
  EXPECT_EQ(header->array("heads")->integers, (std::vector<uint64_t>{4, 0, 8}));
  EXPECT_EQ(header->array("tokens")->count, 2u);
  EXPECT_EQ(header->array("tokens")->texts(), (std::vector<std::string_view>{"a", "bc"}));
  EXPECT_TRUE(header->array("heads")->texts().empty());
  ASSERT_EQ(header->tensors().size(), 2u);
  ASSERT_NE(header->tensor("two"), nullptr);
  EXPECT_EQ(header->tensor("one")->elements(), 6u);
  EXPECT_EQ(header->tensor("two")->bytes, 34u);
  EXPECT_EQ(header->tensor("two")->offset, data + 32);
  EXPECT_EQ(header->tensor("three"), nullptr);
}

TEST(GgufHeader, RefusesWhatIsNotGguf) {
  EXPECT_EQ(code_of(""), ErrorCode::Corrupt);
  EXPECT_EQ(code_of("GG"), ErrorCode::Corrupt);
  EXPECT_EQ(code_of("GGUF"), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(std::string(4096, '\xA5')), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(GgufBytes(1, 0, 0).bytes()), ErrorCode::Unsupported);
  EXPECT_EQ(code_of(GgufBytes(0x03000000, 0, 0).bytes()), ErrorCode::Unsupported);
}

TEST(GgufHeader, RefusesCountsThatTheFileCannotHold) {
  EXPECT_EQ(code_of(GgufBytes(3, ~0ull, 0).bytes()), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(GgufBytes(3, 0, ~0ull).bytes()), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(GgufBytes(3, 1, 0).bytes()), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(GgufBytes(3, 0, 1).number(~0ull).data(64).bytes()), ErrorCode::Corrupt);
}

TEST(GgufHeader, RefusesArraysThatTheFileCannotHold) {
  for (const int32_t type : {int32_t(GGUF_TYPE_UINT8), int32_t(GGUF_TYPE_FLOAT64),
                             int32_t(GGUF_TYPE_STRING), int32_t(GGUF_TYPE_ARRAY), 77}) {
    GgufBytes bytes(3, 0, 1);
    bytes.text("k").number(int32_t(GGUF_TYPE_ARRAY)).number(type).number(~0ull / 2).data(100);
    EXPECT_EQ(code_of(bytes.bytes()), ErrorCode::Corrupt) << type;
  }
}

TEST(GgufHeader, RefusesUnknownValuesAndDuplicates) {
  EXPECT_EQ(code_of(GgufBytes(3, 0, 1).text("k").number(int32_t(99)).data(64).bytes()),
            ErrorCode::Corrupt);
  EXPECT_EQ(code_of(GgufBytes(3, 0, 1).text("").number(int32_t(4)).data(64).bytes()),
            ErrorCode::Corrupt);
  EXPECT_NE(what_of(GgufBytes(3, 0, 2).count_pair("k", 1).count_pair("k", 2).bytes())
                .find("twice"), std::string::npos);
  EXPECT_EQ(code_of(GgufBytes(3, 0, 1).count_pair("general.alignment", 24).bytes()),
            ErrorCode::Corrupt);
  EXPECT_EQ(code_of(GgufBytes(3, 0, 1).count_pair("general.alignment", 0).bytes()),
            ErrorCode::Corrupt);
}

TEST(GgufHeader, RefusesTensorsThatCannotBe) {
  EXPECT_EQ(code_of(one_tensor({}, 0).data(64).bytes()), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(one_tensor({1, 1, 1, 1, 1}, 0).data(64).bytes()), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(one_tensor({0}, 0).data(64).bytes()), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(one_tensor({1ull << 33, 1ull << 33}, 0).data(64).bytes()),
            ErrorCode::Corrupt);
  EXPECT_EQ(code_of(one_tensor({~0ull}, 0).data(64).bytes()), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(one_tensor({1ull << 62}, 0).data(64).bytes()), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(one_tensor({33}, GGML_TYPE_Q8_0).data(64).bytes()), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(one_tensor({32}, 12345).data(64).bytes()), ErrorCode::Unsupported);
  EXPECT_EQ(code_of(one_tensor({32}, -1).data(64).bytes()), ErrorCode::Unsupported);
}

TEST(GgufHeader, RefusesTensorsThatLieElsewhere) {
  EXPECT_TRUE(GgufHeader::parse(one_tensor({8}, 0).data(32).bytes(), "x"));
  EXPECT_NE(what_of(one_tensor({8}, 0).data(31).bytes()).find("ends before"), std::string::npos);
  EXPECT_EQ(code_of(one_tensor({8}, 0, 32).data(128).bytes()), ErrorCode::Corrupt);
  EXPECT_EQ(code_of(one_tensor({8}, 0, ~0ull - 31).data(128).bytes()), ErrorCode::Corrupt);
  GgufBytes twins(3, 2, 0);
  twins.tensor("t", {8}, 0, 0).tensor("t", {8}, 0, 32).pad().data(64);
  EXPECT_EQ(code_of(twins.bytes()), ErrorCode::Corrupt);
}

// Every prefix of a good file is either refused or, from the last needed byte on, accepted.
TEST(GgufHeader, RefusesEveryTruncation) {
  GgufBytes bytes(3, 1, 2);
  bytes.text_pair("general.architecture", "llama").count_pair("n", 3);
  bytes.tensor("t", {8}, GGML_TYPE_F32, 0).pad().data(32);
  const std::string whole = bytes.bytes();
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(code_of(whole.substr(0, length)), ErrorCode::Corrupt) << length;
  }
  EXPECT_TRUE(GgufHeader::parse(whole, "x"));
}

}  // namespace
}  // namespace tinyarms::engine
