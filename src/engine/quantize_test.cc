#include "engine/quantize.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "engine/language_model.h"
#include "engine/tiny_model.h"

namespace tinyarms::engine {
namespace {

using testing::TemporaryFolder;

TEST(Quantize, WritesASmallerModelThatLoads) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  auto report = quantize(folder / "tiny.gguf", folder / "q8.gguf", {.type = "Q8_0", .threads = 1});
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
  auto report = quantize(folder / "tiny.gguf", folder / "q2.gguf", {.type = "q2_k", .threads = 1});
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->fallback_tensors, 2 * 7 + 1);
  EXPECT_TRUE(LanguageModel::load(folder / "q2.gguf"));
}

TEST(Quantize, RequantisesWhatIsQuantisedAlready) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  ASSERT_TRUE(quantize(folder / "tiny.gguf", folder / "q8.gguf", {.type = "q8_0", .threads = 1}));
  auto report = quantize(folder / "q8.gguf", folder / "q4.gguf", {.type = "q4_0", .threads = 1});
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_LT(report->bytes_after, report->bytes_before);
}

TEST(Quantize, AnUnknownTypeNamesTheNearest) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  auto report = quantize(folder / "tiny.gguf", folder / "out.gguf", {.type = "q4_k_n"});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::InvalidArgument);
  EXPECT_NE(report.error().hint.find("q4_k_"), std::string::npos) << report.error().hint;
  EXPECT_EQ(quantize(folder / "tiny.gguf", folder / "out.gguf", {.type = ""}).error().code,
            ErrorCode::InvalidArgument);
}

TEST(Quantize, BadSourcesLeaveNothingBehind) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  const std::string good = testing::read_bytes(folder / "tiny.gguf");
  std::filesystem::remove(folder / "tiny.gguf");
  const auto code = [&](const std::string& bytes) {
    testing::write_bytes(folder / "bad.gguf", bytes);
    auto report = quantize(folder / "bad.gguf", folder / "out.gguf", {.type = "q8_0"});
    EXPECT_FALSE(report);
    EXPECT_EQ(folder.files(), 1u);
    return report ? ErrorCode::Internal : report.error().code;
  };
  EXPECT_EQ(quantize(folder / "none.gguf", folder / "out.gguf", {.type = "q8_0"}).error().code,
            ErrorCode::NotFound);
  EXPECT_EQ(code(""), ErrorCode::Corrupt);
  EXPECT_EQ(code(std::string(9999, 'q')), ErrorCode::Corrupt);
  EXPECT_EQ(code(good.substr(0, good.size() - 100)), ErrorCode::Corrupt);
  EXPECT_EQ(code(testing::GgufBytes(3, 0, 1).text_pair("general.architecture", "llama").bytes()),
            ErrorCode::Corrupt);
  EXPECT_EQ(code(testing::GgufBytes(3, 0, 1).text_pair("general.architecture", "bert").bytes()),
            ErrorCode::Corrupt);
}

TEST(Quantize, AnUnwritableDestinationIsAnError) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  auto report = quantize(folder / "tiny.gguf", folder / "no" / "out.gguf", {.type = "q8_0"});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::Io);
}

// A limit on the size of files stands in for a full disk: writing fails in the same places. The
// limit holds for a child process only.
TEST(Quantize, AFullDiskIsSaidToBeFull) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf", {.layers = 2});
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{20000, 20000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(100);
    auto report =
        quantize(folder / "tiny.gguf", folder / "out.gguf", {.type = "q8_0", .threads = 1});
    const bool io = !report && report.error().code == ErrorCode::Io;
    ::_exit(io ? static_cast<int>(folder.files()) : 99);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 1);  // the source alone
}

TEST(Quantize, ReportsAndTakesEveryName) {
  TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  for (const std::string& name : quantization_names()) {
    auto report = quantize(folder / "tiny.gguf", folder / (name + ".gguf"), {.type = name});
    EXPECT_TRUE(report) << name << ": " << report.error().message();
  }
}

TEST(Quantize, NamesAreUnique) {
  const auto names = quantization_names();
  EXPECT_NE(std::find(names.begin(), names.end(), "q2_k"), names.end());
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

}  // namespace
}  // namespace tinyarms::engine
