#include <gtest/gtest.h>

#include "pull/hub.h"
#include "pull/mirror.h"
#include "pull/source.h"

namespace tinyarms::pull {
namespace {

using Kind = PullSource::Kind;

Result<PullSource> parse(std::string_view text, bool there = false) {
  return parse_source(text, [there](const std::filesystem::path&) { return there; });
}

TEST(PullSourceTest, EachForm) {
  EXPECT_EQ(parse("qwen2.5-coder-3b")->kind, Kind::Name);
  EXPECT_EQ(parse("qwen2.5-coder-3b:q4_k_m")->quantisation, "q4_k_m");
  auto hub = parse("hf:Qwen/Qwen2.5-Coder-3B-Instruct-GGUF:Q4_K_M");
  ASSERT_TRUE(hub);
  EXPECT_EQ(hub->repository, "Qwen/Qwen2.5-Coder-3B-Instruct-GGUF");
  EXPECT_EQ(hub->quantisation, "Q4_K_M");
  EXPECT_EQ(hub->revision, "main");
  hub = parse("hf:a/b@v1.0/sub/x-q8_0.gguf");
  ASSERT_TRUE(hub);
  EXPECT_EQ(hub->revision, "v1.0");
  EXPECT_EQ(hub->file, "sub/x-q8_0.gguf");
  EXPECT_EQ(parse("https://h/x.gguf")->kind, Kind::Url);
  EXPECT_EQ(parse("file:///srv/x.gguf")->path, "/srv/x.gguf");
  EXPECT_EQ(parse("./x.gguf")->kind, Kind::Path);
  EXPECT_EQ(parse("minilm", true)->kind, Kind::Path);
  for (const char* bad : {"", "hf:", "hf:a", "hf:../..", "hf:a/..", "hf:a/b:", "hf:a/b:../x",
                          "hf:a/b@../x", "hf:a/b/../c.gguf", "hf:a/b//c.gguf", "a b", "a:b:c/",
                          "x\n", ".hidden"}) {
    EXPECT_FALSE(parse(bad) && parse(bad)->kind != Kind::Path) << bad;
  }
}

TEST(PullSourceTest, TypesAndPartsInNames) {
  EXPECT_EQ(quantisation_in("qwen2.5-coder-3b-instruct-q4_k_m.gguf"), "Q4_K_M");
  EXPECT_EQ(quantisation_in("dir/Model.IQ2_XXS.gguf"), "IQ2_XXS");
  EXPECT_EQ(quantisation_in("model-BF16-00001-of-00002.gguf"), "BF16");
  EXPECT_EQ(quantisation_in("qwen2.5.gguf"), "");
  const ShardName shard = shard_of("a/model-q8_0-00002-of-00003.gguf");
  EXPECT_EQ(shard.stem, "model-q8_0");
  EXPECT_EQ(shard.part, 2);
  EXPECT_EQ(shard.parts, 3);
  for (const char* none : {"model.gguf", "m-00000-of-00003.gguf", "m-00004-of-00003.gguf",
                           "m-0001-of-00003.gguf", "-00001-of-00003.gguf", "m-00001-of-00003"}) {
    EXPECT_EQ(shard_of(none).part, 0) << none;
  }
}

TEST(PullHubTest, ChoosesByTypeAndKeepsPartsTogether) {
  const std::string hash(64, 'a');
  auto files = parse_tree(
      R"([{"type":"directory","path":"q8"},{"type":"file","path":"README.md","size":1},)"
      R"({"type":"file","path":"m-q4_k_m.gguf","size":9,"lfs":{"oid":")" + hash +
          R"(","size":900}},)"
          R"({"type":"file","path":"q8/m-q8_0-00002-of-00002.gguf","size":5},)"
          R"({"type":"file","path":"q8/m-q8_0-00001-of-00002.gguf","size":5},)"
          R"({"type":"file","path":"mmproj-f16.gguf","size":5},)"
          R"({"type":"file","path":"../m-q2_k.gguf","size":5},)"
          R"({"type":"file","path":"m-q6_k-00001-of-00002.gguf","size":5}])",
      "hub");
  ASSERT_TRUE(files);
  EXPECT_EQ(files->size(), 5u);
  auto usual = choose_file(*files, "", "", "hub");
  ASSERT_TRUE(usual);
  EXPECT_EQ(usual->name, "m-q4_k_m");
  EXPECT_EQ(usual->parts.front().bytes, 900u);
  EXPECT_EQ(usual->parts.front().sha256, hash);
  auto parts = choose_file(*files, "q8_0", "", "hub");
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->parts.size(), 2u);
  EXPECT_EQ(parts->parts.front().path, "q8/m-q8_0-00001-of-00002.gguf");
  EXPECT_EQ(choose_file(*files, "q6_k", "", "hub").error().code, ErrorCode::Corrupt);
  EXPECT_EQ(choose_file(*files, "f16", "", "hub").error().code, ErrorCode::NotFound);
  EXPECT_EQ(choose_file(*files, "", "none.gguf", "hub").error().code, ErrorCode::NotFound);
  for (const char* bad : {"", "{}", "[1]", "[", "<html>"}) {
    EXPECT_EQ(parse_tree(bad, "hub").error().code, ErrorCode::Corrupt) << bad;
  }
  EXPECT_EQ(file_url("https://h", "a/b", "main", "x y.gguf"),
            "https://h/a/b/resolve/main/x%20y.gguf");
}

TEST(PullMirrorTest, ReadsAnIndexAndFindsByNameAndType) {
  const std::string hash(64, 'b');
  const auto entry = [&](const std::string& name, const std::string& file) {
    return R"({"name":")" + name + R"(","file":")" + file + R"(","bytes":5,"sha256":")" + hash +
           R"(","quantization":"Q4_1"})";
  };
  const auto index = [&](const std::string& entries) {
    return parse_index(R"({"format":1,"models":[)" + entries + "]}", "m");
  };
  auto entries = index(entry("smol.q4_1", "smol.q4_1.gguf") + "," + entry("other", "other.gguf"));
  ASSERT_TRUE(entries) << entries.error().message();
  EXPECT_EQ(find_entry(*entries, "smol", "q4_1")->name, "smol.q4_1");
  EXPECT_EQ(find_entry(*entries, "SMOL.q4_1", "")->name, "smol.q4_1");
  EXPECT_EQ(find_entry(*entries, "smol", "q8_0"), nullptr);
  EXPECT_EQ(find_entry(*entries, "", ""), nullptr);
  EXPECT_FALSE(index(entry("a", "../a.gguf")));
  EXPECT_FALSE(index(entry("../a", "../a.gguf")));
  EXPECT_FALSE(index("{}"));
  EXPECT_FALSE(parse_index("[]", "m"));
}

}  // namespace
}  // namespace tinyarms::pull
