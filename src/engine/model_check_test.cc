#include "engine/model_check.h"

#include <gguf.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <functional>
#include <random>
#include <set>

#include "engine/tiny_model.h"

namespace tinyarms::engine {
namespace {

using testing::TemporaryFolder;

template <typename T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}
std::string raw_text(const std::string& text) { return raw(uint64_t(text.size())) + text; }
std::string raw_texts(const std::vector<std::string>& texts) {
  std::string bytes = raw(int32_t(GGUF_TYPE_STRING)) + raw(uint64_t(texts.size()));
  for (const std::string& text : texts) bytes += raw_text(text);
  return bytes;
}

struct PairPlan {
  std::string key;
  int32_t type;
  std::string value;
};

struct TensorPlan {
  std::string name;
  std::vector<uint64_t> shape;
  int32_t type = GGML_TYPE_F32;
  uint64_t offset = 0;
};

// A small valid file in parts, so that a test can lie in any of them.
struct FilePlan {
  std::string magic = "GGUF";
  uint32_t version = 3;
  std::optional<uint64_t> tensor_count{};
  std::optional<uint64_t> pair_count{};
  std::vector<PairPlan> pairs{};
  std::vector<TensorPlan> tensors{};
  size_t data_bytes = 0;

  FilePlan() {
    const auto number = [this](const char* key, uint32_t value) {
      pairs.push_back({key, GGUF_TYPE_UINT32, raw(value)});
    };
    pairs.push_back({"general.architecture", GGUF_TYPE_STRING, raw_text("llama")});
    number("general.alignment", 32);
    number("llama.block_count", 1);
    number("llama.context_length", 64);
    number("llama.embedding_length", 8);
    number("llama.feed_forward_length", 16);
    number("llama.attention.head_count", 2);
    number("llama.attention.head_count_kv", 1);
    pairs.push_back({"llama.attention.layer_norm_rms_epsilon", GGUF_TYPE_FLOAT32, raw(1e-5f)});
    pairs.push_back({"tokenizer.ggml.tokens", GGUF_TYPE_ARRAY, raw_texts({"a", "b", "c"})});
    pairs.push_back({"tokenizer.ggml.scores", GGUF_TYPE_ARRAY,
                     raw(int32_t(GGUF_TYPE_FLOAT32)) + raw(uint64_t(3)) + std::string(12, '\0')});
    pairs.push_back({"tokenizer.ggml.add_bos_token", GGUF_TYPE_BOOL, raw(uint8_t(1))});
    pairs.push_back({"tokenizer.chat_template", GGUF_TYPE_STRING, raw_text("{{ messages }}")});
    tensors = {{"token_embd.weight", {8, 3}, GGML_TYPE_F32, 0},
               {"output_norm.weight", {8}, GGML_TYPE_F32, 96},
               {"blk.0.ffn_up.weight", {32, 2}, GGML_TYPE_Q8_0, 128}};
    data_bytes = 128 + 68;
  }

  PairPlan& pair(const std::string& key) {
    for (PairPlan& found : pairs) {
      if (found.key == key) return found;
    }
    throw std::runtime_error("no pair " + key);
  }
  void set_number(const std::string& key, uint32_t value) { pair(key).value = raw(value); }

  std::string header() const {
    std::string bytes = magic + raw(version) + raw(tensor_count.value_or(tensors.size())) +
                        raw(pair_count.value_or(pairs.size()));
    for (const PairPlan& each : pairs) bytes += raw_text(each.key) + raw(each.type) + each.value;
    for (const TensorPlan& each : tensors) {
      bytes += raw_text(each.name) + raw(uint32_t(each.shape.size()));
      for (const uint64_t extent : each.shape) bytes += raw(extent);
      bytes += raw(each.type) + raw(each.offset);
    }
    return bytes;
  }
  std::string bytes() const {
    std::string whole = header();
    whole.resize((whole.size() + 31) / 32 * 32);
    return whole + std::string(data_bytes, '\1');
  }
};

struct Damage {
  const char* kind;
  std::function<void(FilePlan&)> plan{};
  std::function<void(std::string&)> file{};  // after it was written out
};

std::vector<Damage> damages() {
  const auto array = [](int32_t type, uint64_t count, const std::string& rest) {
    return raw(type) + raw(count) + rest;
  };
  return {
      {"empty_file", {}, [](std::string& b) { b.clear(); }},
      {"magic", [](FilePlan& p) { p.magic = "GGML"; }},
      {"byte_order", [](FilePlan& p) { p.version = 0x03000000; }},
      {"version", [](FilePlan& p) { p.version = 1; }},
      {"version", [](FilePlan& p) { p.version = 4; }},
      {"tensor_count", [](FilePlan& p) { p.tensor_count = ~0ull; }},
      {"pair_count", [](FilePlan& p) { p.pair_count = 1ull << 40; }},
      {"truncated_header", {}, [](std::string& b) { b.resize(20); }},
      {"key_empty", [](FilePlan& p) { p.pairs[3].key = ""; }},
      {"key_length", [](FilePlan& p) { p.pairs[3].key = std::string(70'000, 'k'); }},
      {"key_characters", [](FilePlan& p) { p.pairs[3].key = std::string("a\0b", 3); }},
      {"key_characters", [](FilePlan& p) { p.pairs[3].key = "a\xff\xfe"; }},
      {"key_characters", [](FilePlan& p) { p.pairs[3].key = "a\x1b[2J"; }},
      {"duplicate_key", [](FilePlan& p) { p.pairs.push_back(p.pairs[3]); }},
      {"value_type", [](FilePlan& p) { p.pairs[3].type = 99; }},
      {"value_type", [](FilePlan& p) { p.pairs[3].type = -1; }},
      {"text_past_end",
       [](FilePlan& p) { p.pair("tokenizer.chat_template").value = raw(~0ull >> 1) + "x"; }},
      {"text_length",
       [](FilePlan& p) {
         p.pair("general.architecture").value = raw_text(std::string(17 << 20, 'x'));
       }},
      {"template_length",
       [](FilePlan& p) {
         p.pair("tokenizer.chat_template").value = raw_text(std::string(2 << 20, 'x'));
       }},
      {"flag_value",
       [](FilePlan& p) { p.pair("tokenizer.ggml.add_bos_token").value = raw(uint8_t(2)); }},
      {"array_nesting",
       [=](FilePlan& p) {
         p.pair("tokenizer.ggml.scores").value = array(GGUF_TYPE_ARRAY, 1, raw(uint64_t(0)));
       }},
      {"array_type",
       [=](FilePlan& p) { p.pair("tokenizer.ggml.scores").value = array(77, 1, "xxxxxxxx"); }},
      {"array_length",
       [=](FilePlan& p) {
         p.pair("tokenizer.ggml.scores").value = array(GGUF_TYPE_FLOAT32, ~0ull / 4, "xxxx");
       }},
      {"array_length",
       [=](FilePlan& p) {
         p.pair("tokenizer.ggml.tokens").value = array(GGUF_TYPE_STRING, 1ull << 61, "");
       }},
      {"alignment_value", [](FilePlan& p) { p.set_number("general.alignment", 24); }},
      {"alignment_value", [](FilePlan& p) { p.set_number("general.alignment", 0); }},
      {"alignment_value", [](FilePlan& p) { p.set_number("general.alignment", 1u << 31); }},
      {"tensor_name", [](FilePlan& p) { p.tensors[1].name = ""; }},
      {"tensor_name", [](FilePlan& p) { p.tensors[1].name = std::string(64, 't'); }},
      {"tensor_name", [](FilePlan& p) { p.tensors[1].name = "\n"; }},
      {"duplicate_tensor", [](FilePlan& p) { p.tensors[1].name = p.tensors[0].name; }},
      {"tensor_dimensions", [](FilePlan& p) { p.tensors[1].shape = {1, 1, 1, 1, 8}; }},
      {"tensor_dimensions", [](FilePlan& p) { p.tensors[1].shape = {}; }},
      {"tensor_extent", [](FilePlan& p) { p.tensors[1].shape = {8, 0}; }},
      {"tensor_shape", [](FilePlan& p) { p.tensors[1].shape = {1ull << 33, 1ull << 33}; }},
      {"tensor_shape", [](FilePlan& p) { p.tensors[1].shape = {~0ull}; }},
      {"tensor_type", [](FilePlan& p) { p.tensors[1].type = 4; }},  // Q4_2, long gone
      {"tensor_type", [](FilePlan& p) { p.tensors[1].type = 12345; }},
      {"tensor_blocks", [](FilePlan& p) { p.tensors[2].shape = {33, 2}; }},
      {"tensor_bytes", [](FilePlan& p) { p.tensors[1].shape = {1ull << 62}; }},
      {"tensor_alignment", [](FilePlan& p) { p.tensors[1].offset = 97; }},
      {"tensor_overlap", [](FilePlan& p) { p.tensors[1].offset = 64; }},
      {"tensor_gap", [](FilePlan& p) { p.tensors[1].offset = 128; }},
      {"tensor_offset", [](FilePlan& p) { p.tensors[1].offset = 1ull << 40; }},
      {"truncated_data", [](FilePlan& p) { p.data_bytes -= 1; }},
      {"truncated_data", [](FilePlan& p) { p.tensors[2].shape = {32, 1ull << 40}; }},
      {"no_architecture", [](FilePlan& p) { p.pairs[0].key = "general.other"; }},
      {"no_weights", [](FilePlan& p) { p.tensors.clear(); }},
      {"no_model",
       [](FilePlan& p) {
         p.pairs.push_back({"general.type", GGUF_TYPE_STRING, raw_text("imatrix")});
       }},
      {"part_of_several",
       [](FilePlan& p) {
         p.pairs.push_back({"split.count", GGUF_TYPE_UINT16, raw(uint16_t(3))});
       }},
      {"vocabulary_size",
       [](FilePlan& p) { p.pair("tokenizer.ggml.tokens").value = raw_texts({}); }},
      {"vocabulary_type",
       [=](FilePlan& p) {
         p.pair("tokenizer.ggml.tokens").value = array(GGUF_TYPE_INT8, 3, "abc");
       }},
      {"vocabulary_type",
       [=](FilePlan& p) {
         p.pair("tokenizer.ggml.scores").value = array(GGUF_TYPE_INT8, 3, "abc");
       }},
      {"vocabulary_lists",
       [](FilePlan& p) {
         p.pair("tokenizer.ggml.scores").value =
             raw(int32_t(GGUF_TYPE_FLOAT32)) + raw(uint64_t(1)) + raw(0.0f);
       }},
      {"duplicate_token",
       [](FilePlan& p) { p.pair("tokenizer.ggml.tokens").value = raw_texts({"a", "b", "a"}); }},
      {"context_length", [](FilePlan& p) { p.set_number("llama.context_length", 0); }},
      {"layers", [](FilePlan& p) { p.set_number("llama.block_count", 0); }},
      {"layers", [](FilePlan& p) { p.set_number("llama.block_count", 1u << 31); }},
      {"width", [](FilePlan& p) { p.set_number("llama.embedding_length", 1u << 30); }},
      {"heads", [](FilePlan& p) { p.set_number("llama.attention.head_count_kv", 7); }},
      {"heads", [](FilePlan& p) { p.set_number("llama.attention.head_count", 1u << 20); }},
      {"head_width",
       [](FilePlan& p) {
         p.pairs.push_back(
             {"llama.attention.key_length", GGUF_TYPE_UINT32, raw(uint32_t(1) << 30)});
       }},
      {"epsilon",
       [](FilePlan& p) { p.pair("llama.attention.layer_norm_rms_epsilon").value = raw(-1.0f); }},
      {"table_shape", [](FilePlan& p) { p.set_number("llama.embedding_length", 16); }},
  };
}

class ModelCheckTest : public ::testing::Test {
 protected:
  ModelCheck check(const std::string& bytes, const std::string& name = "model.gguf") {
    testing::write_bytes(folder_ / name, bytes);
    return check_model_file(folder_ / name);
  }
  TemporaryFolder folder_;
};

TEST_F(ModelCheckTest, TheFileBeforeTheDamageIsSound) {
  const ModelCheck sound = check(FilePlan().bytes());
  EXPECT_TRUE(sound.sound()) << sound.fault.kind;
  EXPECT_EQ(sound.format, "gguf");
  EXPECT_EQ(sound.architecture, "llama");
  EXPECT_EQ(sound.tensors, 3u);
  EXPECT_EQ(sound.pairs, 13u);
}

TEST_F(ModelCheckTest, EveryKindOfDamageIsNamed) {
  std::set<std::string> kinds;
  for (const Damage& damage : damages()) {
    SCOPED_TRACE(damage.kind);
    FilePlan plan;
    if (damage.plan) damage.plan(plan);
    std::string bytes = plan.bytes();
    if (damage.file) damage.file(bytes);
    const ModelCheck found = check(bytes);
    EXPECT_FALSE(found.sound());
    EXPECT_EQ(found.fault.kind, damage.kind);
    EXPECT_LE(found.fault.byte, bytes.size());
    const auto& error = found.problem ? found.problem : found.not_loadable;
    ASSERT_TRUE(error);
    EXPECT_FALSE(error->what.empty());
    EXPECT_NE(error->where.find("model.gguf"), std::string::npos);
    EXPECT_FALSE(error->hint.empty());
    kinds.insert(damage.kind);
  }
  EXPECT_GE(kinds.size(), 33u);
}

TEST_F(ModelCheckTest, TellsWhere) {
  FilePlan plan;
  const size_t at = plan.header().size();
  plan.pairs.push_back(plan.pairs[3]);
  ModelCheck found = check(plan.bytes());
  EXPECT_EQ(found.fault.name, "llama.context_length");
  EXPECT_GT(found.fault.byte, 100u);
  EXPECT_LT(found.fault.byte, at);
  EXPECT_NE(found.problem->where.find(", byte " + std::to_string(found.fault.byte)),
            std::string::npos);
  plan = FilePlan();
  plan.tensors[1].offset = 64;
  found = check(plan.bytes());
  EXPECT_EQ(found.fault.name, "output_norm.weight");
}

TEST_F(ModelCheckTest, WhatIsNoFile) {
  EXPECT_EQ(check_model_file(folder_ / "none").fault.kind, "not_readable");
  EXPECT_EQ(check_model_file(folder_.path()).fault.kind, "not_a_file");
  const std::string pipe = (folder_ / "pipe.gguf").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(check_model_file(pipe).fault.kind, "not_a_file");
  EXPECT_EQ(check_model_file("/dev/zero").fault.kind, "not_a_file");
}

// Whatever is changed, the check ends and stays inside the file (the sanitizers watch).
TEST_F(ModelCheckTest, SurvivesMutations) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string good = FilePlan().bytes();
  const size_t header = FilePlan().header().size();
  int refused = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string bytes = good;
    for (int i = 0; i < 3; ++i) bytes[random() % header] = static_cast<char>(random());
    if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    refused += check(bytes).sound() ? 0 : 1;
  }
  EXPECT_GT(refused, 700);
}

std::string table_file(const std::string& table, size_t data_bytes) {
  return raw(uint64_t(table.size())) + table + std::string(data_bytes, '\0');
}

TEST_F(ModelCheckTest, SafetensorsToo) {
  const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  const auto second = [&](const std::string& entry, size_t bytes = 16) {
    return table_file("{" + a + ",\"b\":" + entry + "}", bytes);
  };
  const struct {
    const char* kind;
    std::string bytes;
  } cases[] = {
      {"", second(R"({"dtype":"BF16","shape":[2,2],"data_offsets":[8,16]})")},
      {"", table_file(R"({"__metadata__":{"format":"pt"},)" + a + "}", 8)},
      {"empty_file", ""},
      {"truncated_header", "1234"},
      {"header_length", raw(~0ull) + "{}"},
      {"header_length", raw(uint64_t(1) << 30) + std::string(100, ' ')},
      {"header_json", table_file("[1]", 0)},
      {"header_json", table_file("{\"a\":", 0)},
      {"header_depth", table_file("{\"a\":{\"shape\":[[[1]]]}}", 0)},
      {"header_depth", table_file(std::string(50'000, '['), 0)},
      {"duplicate_name", table_file("{" + a + "," + a + "}", 8)},
      {"duplicate_name", table_file(R"({"a":{"dtype":"F32","dtype":"F16"}})", 8)},
      {"metadata", table_file(R"({"__metadata__":{"format":7},)" + a + "}", 8)},
      {"entry", second("7")},
      {"dtype", second(R"({"shape":[2],"data_offsets":[8,16]})")},
      {"unknown_dtype", second(R"({"dtype":"Q9","shape":[2],"data_offsets":[8,16]})")},
      {"shape", second(R"({"dtype":"F32","shape":[-2],"data_offsets":[8,16]})")},
      {"shape_overflow",
       second(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[8,16]})")},
      {"offsets", second(R"({"dtype":"F32","shape":[2],"data_offsets":[16,8]})")},
      {"offset_past_end", second(R"({"dtype":"F32","shape":[4],"data_offsets":[8,24]})")},
      {"tensor_bytes", second(R"({"dtype":"F32","shape":[1],"data_offsets":[8,16]})")},
      {"tensor_bytes", second(R"({"dtype":"F4","shape":[1],"data_offsets":[8,8]})", 8)},
      {"tensor_overlap", second(R"({"dtype":"F32","shape":[2],"data_offsets":[4,12]})", 12)},
      {"tensor_gap", second(R"({"dtype":"F32","shape":[1],"data_offsets":[12,16]})")},
      {"trailing_bytes", second(R"({"dtype":"F32","shape":[2],"data_offsets":[8,16]})", 17)},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.kind);
    const ModelCheck found = check(each.bytes, "model.safetensors");
    EXPECT_EQ(found.fault.kind, each.kind);
    EXPECT_EQ(found.problem.has_value(), each.kind[0] != '\0');
    EXPECT_EQ(found.format, "safetensors");
  }
}

// What is really used: everything that the set-up brought, and a whole model made here.
TEST_F(ModelCheckTest, RealFilesAreSound) {
  testing::write_tiny_model(folder_ / "tiny.gguf");
  EXPECT_TRUE(check_model_file(folder_ / "tiny.gguf").sound());
  const char* models = std::getenv("TINYARMS_TEST_MODELS");
  std::error_code problem;
  int seen = 0;
  for (std::filesystem::recursive_directory_iterator at(models == nullptr ? "" : models, problem),
       end;
       !problem && at != end; at.increment(problem)) {
    const auto extension = at->path().extension();
    if (extension != ".gguf" && extension != ".safetensors") continue;
    const ModelCheck found = check_model_file(at->path());
    EXPECT_TRUE(found.sound()) << at->path() << " " << found.fault.kind;
    ++seen;
  }
  if (seen == 0) {
    GTEST_SKIP() << "SKIPPED in part: no real model file below $TINYARMS_TEST_MODELS: run "
                    "./setup/install, which puts the default models there";
  }
}

}  // namespace
}  // namespace tinyarms::engine
