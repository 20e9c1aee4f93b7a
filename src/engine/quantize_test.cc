#include "engine/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine/language_model.h"
#include "engine/tiny_model.h"

namespace tinyarms::engine {
namespace {

using testing::TemporaryFolder;

TEST(Quantize, WritesASmallerModelThatLoads) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  auto report = quantize(folder / "tiny.gguf", folder / "q8.gguf", "Q8_0", 1);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_LT(report->bytes_after, report->bytes_before);
  EXPECT_EQ(report->bytes_after, std::filesystem::file_size(folder / "q8.gguf"));
  EXPECT_EQ(report->fallback_tensors, 0);
  auto model = LanguageModel::load(folder / "q8.gguf");
  ASSERT_TRUE(model) << model.error().message();
  EXPECT_EQ((*model)->facts().quantization, "Q8_0");
}

// 64 and 96 columns do not divide into blocks of 256.
TEST(Quantize, CountsTheTensorsThatFellBack) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf", {.layers = 2});
  auto report = quantize(folder / "tiny.gguf", folder / "q2.gguf", "q2_k", 1);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->fallback_tensors, 2 * 7 + 1);
  EXPECT_TRUE(LanguageModel::load(folder / "q2.gguf"));
}

TEST(Quantize, RequantisesWhatIsQuantisedAlready) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  ASSERT_TRUE(quantize(folder / "tiny.gguf", folder / "q8.gguf", "q8_0", 1));
  auto report = quantize(folder / "q8.gguf", folder / "q4.gguf", "q4_0", 1);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_LT(report->bytes_after, report->bytes_before);
}

TEST(Quantize, AnUnknownTypeNamesTheNearest) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  auto report = quantize(folder / "tiny.gguf", folder / "out.gguf", "q4_k_n", 1);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::InvalidArgument);
  EXPECT_NE(report.error().hint.find("q4_k_"), std::string::npos) << report.error().hint;
  EXPECT_EQ(quantize(folder / "tiny.gguf", folder / "out.gguf", "", 1).error().code,
            ErrorCode::InvalidArgument);
}

TEST(Quantize, BadSourcesLeaveNothingBehind) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  const std::string good = testing::read_bytes(folder / "tiny.gguf");
  std::filesystem::remove(folder / "tiny.gguf");
  const auto code = [&](const std::string& bytes) {
    testing::write_bytes(folder / "bad.gguf", bytes);
    auto report = quantize(folder / "bad.gguf", folder / "out.gguf", "q8_0", 1);
    EXPECT_FALSE(report);
    EXPECT_EQ(folder.files(), 1u);
    return report ? ErrorCode::Internal : report.error().code;
  };
  EXPECT_EQ(quantize(folder / "none.gguf", folder / "out.gguf", "q8_0", 1).error().code,
            ErrorCode::NotFound);
  EXPECT_EQ(code(""), ErrorCode::Corrupt);
  EXPECT_EQ(code(std::string(9999, 'q')), ErrorCode::Corrupt);
  EXPECT_EQ(code(good.substr(0, good.size() - 100)), ErrorCode::Corrupt);
  EXPECT_EQ(code(testing::GgufBytes(3, 0, 1).text_pair("general.architecture", "llama").bytes()),
            ErrorCode::Corrupt);
  EXPECT_EQ(code(testing::GgufBytes(3, 0, 1).text_pair("general.architecture", "bert").bytes()),
            ErrorCode::Unsupported);
}

TEST(Quantize, AnUnwritableDestinationIsAnError) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  auto report = quantize(folder / "tiny.gguf", folder / "no" / "out.gguf", "q8_0", 1);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::Io);
}

TEST(Quantize, NamesAreUnique) {
  const auto names = quantization_names();
  EXPECT_NE(std::find(names.begin(), names.end(), "q2_k"), names.end());
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

}  // namespace
}  // namespace tinyarms::engine
