#include "cli/text_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace tinyarms::cli {
namespace {

using testing::HasSubstr;

TEST(CheckTextTest, TakesText) {
  auto text = check_text("Wie kehrt man eine Liste um? 逆順", "the question", 1000);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "Wie kehrt man eine Liste um? 逆順");
}

struct Refusal {
  std::string text;
  std::string says;
};

class CheckTextRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(CheckTextRefuses, AndSaysWhatWhereAndWhatToDo) {
  auto text = check_text(GetParam().text, "the question", 100);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(text.error().what, HasSubstr(GetParam().says));
  EXPECT_EQ(text.error().where, "the question");
  EXPECT_FALSE(text.error().hint.empty());
}

INSTANTIATE_TEST_SUITE_P(
    BadText, CheckTextRefuses,
    testing::Values(Refusal{"", "is empty"}, Refusal{" \n\t ", "is empty"},
                    Refusal{std::string(101, 'a'), "is larger than"},
                    Refusal{std::string("a\0b", 3), "NUL byte at offset 1"},
                    Refusal{"ab\xFFz", "not UTF-8 at byte 2"},
                    Refusal{"\xC0\xAF", "not UTF-8 at byte 0"},
                    Refusal{"\xED\xA0\x80", "not UTF-8 at byte 0"}));

TEST(ReadStreamTest, StopsReadingPastTheLimit) {
  std::istringstream endless(std::string(1 << 20, 'a'));
  EXPECT_FALSE(read_stream(endless, "standard input", 1000));
  EXPECT_FALSE(endless.eof());
}

TEST(ReadContextFileTest, AMissingFileIsAMatterOfUsage) {
  std::istringstream none;
  auto file = read_context_file("/nonexistent/file.py", none);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(file.error().where, HasSubstr("file.py"));
}

TEST(ReadContextFileTest, DashIsStandardInput) {
  std::istringstream input("x = 1\n");
  auto file = read_context_file("-", input);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->path, "standard input");
  EXPECT_EQ(file->content, "x = 1\n");
}

}  // namespace
}  // namespace tinyarms::cli
