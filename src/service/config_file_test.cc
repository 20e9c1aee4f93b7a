#include "service/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <random>

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

class ConfigFileTest : public testing::Test {
 protected:
  ConfigFileTest() {
    std::string pattern = (fs::temp_directory_path() / "tinyarms-config-file-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~ConfigFileTest() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  Result<std::vector<FileSetting>> read(std::string_view text) {
    std::ofstream(folder_ / "c.toml", std::ios::binary) << text;
    return read_config_file(folder_ / "c.toml");
  }
  Error failure(std::string_view text) {
    auto settings = read(text);
    if (!settings) return settings.error();
    ADD_FAILURE() << "was accepted";
    return {};
  }

  fs::path folder_;
};

TEST_F(ConfigFileTest, FlattensInTheOrderOfTheFile) {
  auto settings = read("threads = 3\n[l2]\nmodel = \"a\"\ncontext = 512\n[l1]\ncache = false\n");
  ASSERT_TRUE(settings) << settings.error().message();
  ASSERT_EQ(settings->size(), 4u);
  EXPECT_EQ((*settings)[0].key, "threads");
  EXPECT_EQ((*settings)[0].value, RawValue(int64_t{3}));
  EXPECT_EQ((*settings)[1].key, "l2.model");
  EXPECT_EQ((*settings)[2].line, 4u);
  EXPECT_EQ((*settings)[2].column, 1u);
  EXPECT_EQ((*settings)[3].key, "l1.cache");
  EXPECT_EQ((*settings)[3].value, RawValue(false));
}

TEST_F(ConfigFileTest, OtherTypesAreKeptAsUnusable) {
  auto settings = read("threads = 2020-01-01\ncolor = [1, 2]\nstream = {a = 1}\n");
  ASSERT_TRUE(settings) << settings.error().message();
  ASSERT_EQ(settings->size(), 3u);
  for (const FileSetting& setting : *settings) {
    EXPECT_TRUE(std::holds_alternative<Unusable>(setting.value)) << setting.key;
  }
}

TEST_F(ConfigFileTest, EmptyFilesAndCommentsSayNothing) {
  for (const char* text : {"", "\n\n", "# only this", "\xef\xbb\xbf"}) {
    auto settings = read(text);
    ASSERT_TRUE(settings) << settings.error().message();
    EXPECT_TRUE(settings->empty());
  }
}

TEST_F(ConfigFileTest, SyntaxErrorsNameLineAndColumn) {
  const Error error = failure("threads = 1\ncolor = \n");
  EXPECT_EQ(error.code, ErrorCode::Config);
  EXPECT_THAT(error.where, HasSubstr("c.toml:2:"));
  EXPECT_FALSE(error.what.empty());
}

// The TOML library's behaviour is undefined for these.
TEST_F(ConfigFileTest, CharactersBeyondAsciiNeedQuotes) {
  EXPECT_THAT(failure("a = 1\ngr\xc3\xb6\xc3\x9f" "e = 1\n").where, EndsWith("c.toml:2:3"));
  EXPECT_EQ(failure("\xc2\xa0" "threads = 1\n").code, ErrorCode::Config);
  EXPECT_EQ(failure("threads = 1 \xc3\xa4\n").code, ErrorCode::Config);
  auto settings = read("color = \"\xc3\xa4\" # \xc3\xa4\n");
  ASSERT_TRUE(settings) << settings.error().message();
  EXPECT_EQ(settings->front().value, RawValue(std::string("\xc3\xa4")));
}

// What the TOML library would end the program for.
TEST_F(ConfigFileTest, HeadersWithoutAKeyAreErrors) {
  for (const char* text : {"[=", "[,]", "[]", "[[]]", "[ ", "[a.]", "[a..b]", "[.a]"}) {
    EXPECT_EQ(failure(text).code, ErrorCode::Config) << text;
  }
}

TEST_F(ConfigFileTest, DuplicateKeysAreErrors) {
  EXPECT_THAT(failure("threads = 1\nthreads = 2\n").where, HasSubstr("c.toml:2:"));
  EXPECT_EQ(failure("[l2]\n[l1]\n[l2]\n").code, ErrorCode::Config);
}

TEST_F(ConfigFileTest, NulAndInvalidUtf8NameTheirPlace) {
  EXPECT_THAT(failure(std::string_view("a = 1\nb\0 = 2\n", 13)).where, EndsWith("c.toml:2:2"));
  EXPECT_THAT(failure("a = \"\xff\"\n").where, EndsWith("c.toml:1:6"));
}

TEST_F(ConfigFileTest, TooLargeFilesAreRefusedUnread) {
  const Error error = failure(std::string(10 << 20, '#'));
  EXPECT_EQ(error.code, ErrorCode::Config);
  EXPECT_THAT(error.what, HasSubstr("larger than 1 MiB"));
}

TEST_F(ConfigFileTest, DeepNestingIsRefusedNotFollowed) {
  const std::string deep = "a = " + std::string(100000, '[') + std::string(100000, ']');
  EXPECT_EQ(failure(deep).code, ErrorCode::Config);
}

// The TOML library recurses once a part: unbounded, each of these exhausts the stack.
TEST_F(ConfigFileTest, LongDottedKeysAreRefusedWhereverTheyHide) {
  std::string dotted = "a";
  for (int i = 0; i < 50000; ++i) dotted += ".a";
  std::string quoted = "\"a\"";
  for (int i = 0; i < 50000; ++i) quoted += " . 'a'";
  for (const std::string& text : {
           dotted + " = 1",
           quoted + " = 1",
           "[" + dotted + "]",
           "x = {y = \"'\", " + dotted + " = 1}",
           "x = {y = \"\"\"\n'\"\"\"\"\", " + dotted + " = 1}",
           "x = {y = \"\\\"\", " + dotted + " = 1}",
           "x = {y = '\\', " + dotted + " = 1}",
           "x = {y = \"\", z = '', " + dotted + " = 1}",
           "x = '''\n\"''' # '\n" + dotted + " = 1",
       }) {
    EXPECT_THAT(failure(text).what, HasSubstr("dotted")) << text.substr(0, 40);
  }
}

TEST_F(ConfigFileTest, DotsInStringsAndCommentsAreFree) {
  const std::string dots(5000, '.');
  for (const std::string& text : {
           "# " + dots + "\n",
           "color = \"" + dots + "\"\n",
           "color = '" + dots + "'\n",
           "color = \"\"\"\n'\\\"" + dots + "\"\"\"\n",
           "color = '''\n\"" + dots + "'''\nstream = \"a\"\n",
       }) {
    auto settings = read(text);
    EXPECT_TRUE(settings) << settings.error().message();
  }
}

TEST_F(ConfigFileTest, ControlCharactersOfAFileNeverReachAnError) {
  EXPECT_THAT(failure("\x1b[2J = 1\n").what, Not(HasSubstr("\x1b")));
  auto settings = read("\"\\u001b[2J\" = 1\n");
  ASSERT_TRUE(settings);
  EXPECT_THAT(settings->front().key, Not(HasSubstr("\x1b")));
}

TEST_F(ConfigFileTest, RandomBytesAreAnErrorOrSettingsNeverACrash) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const std::string alphabet = "ab.=[]{}\"'\\\n\r\t #0123456789-:Tu,_\xc3\xa4";
  for (int round = 0; round < 3000; ++round) {
    std::string text(random() % 60, ' ');
    for (char& c : text) c = alphabet[random() % alphabet.size()];
    auto settings = read(text);
    if (!settings) {
      EXPECT_EQ(settings.error().code, ErrorCode::Config) << text;
    }
  }
}

TEST(ParseTomlValue, OneValueOnly) {
  EXPECT_EQ(parse_toml_value("[\"a\"]"), RawValue(std::vector<std::string>{"a"}));
  EXPECT_EQ(parse_toml_value("[\"a\"]\nb = 1"), std::nullopt);
  EXPECT_EQ(parse_toml_value("["), std::nullopt);
  EXPECT_EQ(parse_toml_value("\xff"), std::nullopt);
}

}  // namespace
}  // namespace tinyarms::service
