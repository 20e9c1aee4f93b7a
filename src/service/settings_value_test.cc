#include "service/settings_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tinyarms::service {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const AssignContext kUser{.folder = "/here", .home = "/users/ada"};
const AssignContext kProject{.folder = "/clone", .home = "/users/ada", .from_project = true};

// What assigning says, or "" where it went well.
std::string say(const char* key, const RawValue& value, const AssignContext& context = kUser) {
  Settings settings;
  auto assigned = assign(settings, *find_setting(key), value, context);
  return assigned ? "" : assigned.error().message();
}

std::string toml_after(const char* key, const RawValue& value,
                       const AssignContext& context = kUser) {
  Settings settings;
  auto assigned = assign(settings, *find_setting(key), value, context);
  return assigned ? value_as_toml(settings, *find_setting(key)) : assigned.error().message();
}

TEST(ReadText, ReadsByKind) {
  EXPECT_EQ(read_text(*find_setting("offline"), "no"), RawValue(false));
  EXPECT_EQ(read_text(*find_setting("offline"), "1"), RawValue(true));
  EXPECT_EQ(read_text(*find_setting("threads"), "4"), RawValue(int64_t{4}));
  EXPECT_EQ(read_text(*find_setting("threads"), "4x"), RawValue(std::string("4x")));
  EXPECT_EQ(read_text(*find_setting("sampling.temperature"), "0.5"), RawValue(0.5));
  EXPECT_EQ(read_text(*find_setting("l2.model"), "true"), RawValue(std::string("true")));
}

TEST(ReadText, AListIsOneTextOrToml) {
  const SettingInfo& stop = *find_setting("sampling.stop");
  EXPECT_EQ(read_text(stop, "END"), RawValue(std::vector<std::string>{"END"}));
  EXPECT_EQ(read_text(stop, R"(["a,b", "\n"])"), RawValue(std::vector<std::string>{"a,b", "\n"}));
  EXPECT_TRUE(std::holds_alternative<Unusable>(read_text(stop, "[\"a\"")));
  EXPECT_TRUE(std::holds_alternative<Unusable>(read_text(stop, "[\"a\"]\nother = 1")));
}

TEST(Assign, SaysWhatIsAllowed) {
  EXPECT_EQ(say("l2.context", int64_t{5}),
            "l2.context cannot be 5 (allowed: a whole number from 256 to 1048576)");
  EXPECT_EQ(say("offline", std::string("maybe")),
            "offline cannot be \"maybe\" (allowed: true or false)");
  EXPECT_THAT(say("color", std::string("Always")), HasSubstr("\"auto\", \"always\" or \"never\""));
  EXPECT_THAT(say("l2.context", 4096.5), HasSubstr("a whole number"));
  EXPECT_THAT(say("threads", Unusable{"a date"}), HasSubstr("threads cannot be a date"));
}

TEST(Assign, RangesIncludeTheirEnds) {
  EXPECT_EQ(say("threads", int64_t{0}), "");
  EXPECT_EQ(say("threads", int64_t{512}), "");
  EXPECT_NE(say("threads", int64_t{513}), "");
  EXPECT_NE(say("threads", int64_t{-1}), "");
  EXPECT_EQ(toml_after("sampling.seed", int64_t{4294967295}), "4294967295");
  EXPECT_NE(say("sampling.seed", int64_t{4294967296}), "");
  EXPECT_NE(say("sampling.seed", std::numeric_limits<int64_t>::max()), "");
}

TEST(Assign, NotANumberIsInNoRange) {
  EXPECT_NE(say("confidence_threshold", std::nan("")), "");
  EXPECT_NE(say("l1.similarity", std::numeric_limits<double>::infinity()), "");
  EXPECT_EQ(toml_after("confidence_threshold", int64_t{1}), "1");
}

TEST(Assign, LooseSimilarityIsRefusedWithTheReason) {
  EXPECT_EQ(say("l1.similarity", 0.7), "");
  EXPECT_THAT(say("l1.similarity", 0.69), HasSubstr("different questions"));
}

TEST(Assign, SizesAndAuto) {
  EXPECT_EQ(toml_after("memory_budget", std::string("2.5GB")), "\"2.5GB\"");
  EXPECT_EQ(toml_after("memory_budget", std::string("auto")), "\"auto\"");
  EXPECT_EQ(toml_after("memory_budget", int64_t{1073741824}), "\"1GiB\"");
  EXPECT_THAT(say("memory_budget", std::string("2.5XB")), HasSubstr("unit"));
  EXPECT_THAT(say("memory_budget", std::string("3")), HasSubstr("less than 1MiB"));
  EXPECT_THAT(say("memory_budget", int64_t{-5}), HasSubstr("negative"));
}

TEST(Assign, SizesThatMayBeOff) {
  EXPECT_EQ(default_as_toml(*find_setting("prefix.disk_limit")), "\"off\"");
  EXPECT_EQ(toml_after("prefix.disk_limit", std::string("512MB")), "\"512MB\"");
  EXPECT_EQ(toml_after("prefix.disk_limit", std::string("off")), "\"off\"");
  EXPECT_EQ(toml_after("prefix.disk_limit", int64_t{0}), "\"off\"");
  EXPECT_THAT(say("prefix.disk_limit", std::string("12kB")), HasSubstr("less than 1MiB"));
  EXPECT_THAT(say("prefix.disk_limit", std::string("much")), HasSubstr("prefix.disk_limit"));
}

TEST(Assign, RefusedValuesChangeNothing) {
  Settings settings;
  settings.sampling.stop = {"kept"};
  EXPECT_FALSE(assign(settings, *find_setting("sampling.stop"),
                      std::vector<std::string>{"new", ""}, kUser));
  EXPECT_THAT(settings.sampling.stop, ElementsAre("kept"));
}

TEST(Assign, ModelPathsAreResolvedNamesAreNot) {
  EXPECT_EQ(toml_after("l3.model", std::string("qwen2.5")), "\"qwen2.5\"");
  EXPECT_EQ(toml_after("l3.model", std::string("../m/big.gguf")), "\"/m/big.gguf\"");
  EXPECT_EQ(toml_after("l3.model", std::string("big.gguf")), "\"/here/big.gguf\"");
  EXPECT_EQ(toml_after("l3.model", std::string("~/big.gguf")), "\"/users/ada/big.gguf\"");
  EXPECT_EQ(toml_after("l3.model", std::string("")), "\"\"");
  EXPECT_NE(say("l3.model", std::string("..")), "");
  EXPECT_NE(say("l3.model", std::string("a\nb")), "");
}

TEST(Assign, AProjectNamesInstalledModelsOnly) {
  EXPECT_EQ(say("l2.model", std::string("qwen2.5-coder-3b.q4_k_m"), kProject), "");
  for (const char* path : {"/etc/x", "../evil.gguf", "evil.gguf", "~/evil", "models/evil", ".."}) {
    EXPECT_NE(say("l2.model", std::string(path), kProject), "") << path;
  }
}

TEST(Assign, AProjectMayNotSetWhatIsForbidden) {
  EXPECT_THAT(say("offline", false, kProject), HasSubstr("a project may not set offline"));
  // Not even to the value it has anyway: the key itself is the user's.
  EXPECT_NE(say("offline", true, kProject), "");
  EXPECT_THAT(say("l4.url", std::string("https://a.example"), kProject),
              HasSubstr("your own config.toml"));
}

TEST(Assign, KeysAreNeverTakenForNamesNorRepeated) {
  for (const char* name : {"MY_API_KEY", "OPENAI_API_KEY", "KEY", ""}) {
    EXPECT_EQ(say("l4.api_key_env", std::string(name)), "") << name;
  }
  for (const char* key : {"sk-abcDEF123", "hf_abcdefgh", "AKIAIOSFODNN7EXAMPLE", "ghp_16C7e42F",
                          "my key", "1KEY", "$MY_API_KEY"}) {
    const std::string said = say("l4.api_key_env", std::string(key));
    EXPECT_THAT(said, HasSubstr("environment variable")) << key;
    EXPECT_THAT(said, Not(HasSubstr(key)));
  }
}

TEST(Assign, RemoteAddressesAreEncryptedOrLocal) {
  for (const char* url : {"https://api.example/v1", "http://localhost:8080/v1",
                          "http://127.0.0.1:9", "http://[::1]:9/v1", ""}) {
    EXPECT_EQ(say("l4.url", std::string(url)), "") << url;
  }
  for (const char* url :
       {"http://api.example", "ftp://a", "api.example", "https://", "https://:80", "http://[::1",
        "http://localhost.evil.example", "http://localhost@evil.example", "file:///etc/passwd",
        "https://a.example/x y", "https://a.example\\@b", "https://u:secret@a.example"}) {
    const std::string said = say("l4.url", std::string(url));
    EXPECT_NE(said, "") << url;
    EXPECT_THAT(said, Not(HasSubstr("secret@")));
  }
}

TEST(Assign, TextsAreWholeText) {
  EXPECT_NE(say("l2.system_prompt", std::string("a\0b", 3)), "");
  EXPECT_NE(say("l2.system_prompt", std::string("\xff")), "");
  EXPECT_EQ(say("l2.system_prompt", std::string("two\nlines")), "");
}

TEST(Assign, PathListsAreResolved) {
  EXPECT_EQ(toml_after("l0.packs", std::vector<std::string>{"a.yml", "/b.yml", "~/c.yml"}),
            R"(["/here/a.yml", "/b.yml", "/users/ada/c.yml"])");
}

TEST(Printable, NothingReachesTheTerminalThatItWouldObey) {
  EXPECT_EQ(printable("a\x1b[2Jb\nc\x7f"), "a?[2Jb?c?");
  EXPECT_EQ(printable("x\xc2\x9by"), "x?y");
  EXPECT_EQ(printable("\xff\xfe ä"), "?? ä");
  EXPECT_EQ(printable("abcdef", 3), "abc…");
  EXPECT_EQ(printable("aää", 2), "a…");
}

TEST(TomlString, Escapes) {
  EXPECT_EQ(toml_string("a\"\\\n\x01 ä"), "\"a\\\"\\\\\\n\\u0001 ä\"");
}

}  // namespace
}  // namespace tinyarms::service
