#include "catalog/model_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "base/sha256.h"
#include "catalog/copy_file.h"
#include "catalog/tiny_gguf_test.h"

namespace tinyarms::catalog {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::tiny_gguf;

void write_bytes(const fs::path& path, std::string_view bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream stream(path, std::ios::binary);
  stream << bytes;
  ASSERT_TRUE(stream.flush()) << path;
}

std::string read_bytes(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class ModelStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "catalog-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    store_ = ModelStore(folder_ / "models");
    source_ = folder_ / "downloads" / "Tiny Model.Q4.gguf";
    write_bytes(source_, tiny_gguf("llama", 1));
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  fs::path models(std::string_view name) const { return store_.folder() / name; }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    std::error_code absent;
    for (const auto& entry : fs::directory_iterator(store_.folder(), absent)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  InstalledModel add(const std::string& name, const std::string& bytes) {
    const fs::path from = folder_ / "incoming" / (name + ".gguf");
    write_bytes(from, bytes);
    auto model = store_.add_gguf(from, {});
    EXPECT_TRUE(model) << model.error().message();
    return model ? *model : InstalledModel{};
  }

  fs::path folder_;
  fs::path source_;
  ModelStore store_{""};
};

TEST(ModelName, RulesAndRepairs) {
  EXPECT_TRUE(is_model_name("qwen2.5-coder_3b"));
  EXPECT_TRUE(is_model_name(std::string(100, 'a')));
  for (const char* bad : {"", ".hidden", "-flag", "..", "../x", "a/b", "A", "a b", "ä", "a\nb"}) {
    EXPECT_FALSE(is_model_name(bad)) << bad;
  }
  EXPECT_FALSE(is_model_name(std::string(101, 'a')));
  EXPECT_FALSE(is_model_name(std::string_view("a\0b", 3)));
  EXPECT_EQ(make_model_name("Qwen2.5 Coder (3B)"), "qwen2.5-coder--3b");
  EXPECT_EQ(make_model_name("../../etc/passwd"), "etc-passwd");
  EXPECT_EQ(make_model_name("…"), "");
  EXPECT_TRUE(is_model_name(make_model_name(std::string(1000, 'X'))));
}

TEST_F(ModelStoreTest, AFolderThatIsNotThereHoldsNothing) {
  auto models = store_.list();
  ASSERT_TRUE(models);
  EXPECT_TRUE(models->empty());
  auto found = store_.find("anything");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::NotFound);
  EXPECT_THAT(found.error().hint, HasSubstr("no models are installed"));
  write_bytes(folder_ / "file", "");
  EXPECT_FALSE(ModelStore(folder_ / "file").list());
}

TEST_F(ModelStoreTest, AddsWithFactsHashAndSidecar) {
  auto added = store_.add_gguf(source_, {.name = "", .source_note = "from a friend"});
  ASSERT_TRUE(added) << added.error().message();
  EXPECT_EQ(added->name, "tiny-model.q4");
  EXPECT_EQ(added->path, models("tiny-model.q4.gguf"));
  EXPECT_THAT(files(), ElementsAre("tiny-model.q4.gguf", "tiny-model.q4.json"));
  EXPECT_EQ(read_bytes(added->path), read_bytes(source_));
  auto models_listed = store_.list();
  ASSERT_TRUE(models_listed);
  ASSERT_EQ(models_listed->size(), 1U);
  const InstalledModel& model = models_listed->front();
  EXPECT_EQ(model.sha256, sha256_hex(read_bytes(source_)));
  EXPECT_EQ(model.bytes, fs::file_size(source_));
  EXPECT_EQ(model.architecture, "llama");
  EXPECT_EQ(model.quantization, "F32");
  EXPECT_EQ(model.licence, "apache-2.0");
  EXPECT_EQ(model.source, "from a friend");
  EXPECT_EQ(model.parameters, 8U);
  EXPECT_FALSE(model.encoder);
  EXPECT_EQ(model.problem, "");
  EXPECT_TRUE(add("encoder", tiny_gguf("bert", 1)).encoder);
}

TEST_F(ModelStoreTest, TheSameAgainIsDoneAnotherIsRefused) {
  ASSERT_TRUE(store_.add_gguf(source_, {.name = "m", .source_note = ""}));
  auto again = store_.add_gguf(source_, {.name = "m", .source_note = ""});
  ASSERT_TRUE(again) << again.error().message();
  const std::string before = read_bytes(models("m.gguf"));
  write_bytes(folder_ / "other.gguf", tiny_gguf("llama", 2));
  auto other = store_.add_gguf(folder_ / "other.gguf", {.name = "m", .source_note = ""});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(other.error().hint, HasSubstr("models rm m"));
  EXPECT_EQ(read_bytes(models("m.gguf")), before);
  EXPECT_THAT(files(), ElementsAre("m.gguf", "m.json"));
}

TEST_F(ModelStoreTest, BadNamesNeverLeaveTheFolder) {
  for (const char* name : {"../evil", "a/b", "..", "UPPER", "-x"}) {
    auto added = store_.add_gguf(source_, {.name = name, .source_note = ""});
    ASSERT_FALSE(added) << name;
    EXPECT_EQ(added.error().code, ErrorCode::InvalidArgument);
  }
  auto named = store_.add_gguf(source_, {.name = "My Model", .source_note = ""});
  EXPECT_THAT(named.error().hint, HasSubstr("\"my-model\""));
  EXPECT_TRUE(files().empty());
  write_bytes(folder_ / "victim.gguf", tiny_gguf("llama", 3));
  fs::create_directories(store_.folder());
  EXPECT_FALSE(store_.remove("../victim"));
  EXPECT_TRUE(fs::exists(folder_ / "victim.gguf"));
}

TEST_F(ModelStoreTest, WhatIsNoModelLeavesNothingBehind) {
  const std::string good = tiny_gguf("llama", 1);
  for (const std::string& bytes : {std::string(), std::string("GGUF"), good.substr(0, 60),
                                   good.substr(0, good.size() - 1), std::string(5000, 'x')}) {
    write_bytes(folder_ / "bad.gguf", bytes);
    auto added = store_.add_gguf(folder_ / "bad.gguf", {});
    ASSERT_FALSE(added) << bytes.size();
    EXPECT_EQ(added.error().code, ErrorCode::Corrupt) << added.error().message();
    auto imported = store_.import(folder_ / "bad.gguf", {});
    ASSERT_FALSE(imported);
    EXPECT_EQ(imported.error().code, ErrorCode::Corrupt);
  }
  EXPECT_EQ(store_.add_gguf(folder_ / "none.gguf", {}).error().code, ErrorCode::NotFound);
  EXPECT_EQ(store_.import(folder_ / "none", {}).error().code, ErrorCode::NotFound);
  fs::create_directories(folder_ / "empty-folder");
  EXPECT_EQ(store_.import(folder_ / "empty-folder", {}).error().code, ErrorCode::NotFound);
  EXPECT_TRUE(files().empty());
}

TEST_F(ModelStoreTest, AnUnwritableFolderIsATypedError) {
  write_bytes(folder_ / "file", "");
  auto added = ModelStore(folder_ / "file/models").add_gguf(source_, {});
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, ErrorCode::Io);
  EXPECT_THAT(added.error().where, HasSubstr("file/models"));
}

// A limit on file sizes stands for the full disk: the copy begins and cannot end.
TEST_F(ModelStoreTest, ADiskThatFillsUpLeavesNothingBehind) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{64, 64};
    ::setrlimit(RLIMIT_FSIZE, &small);
    auto added = store_.add_gguf(source_, {});
    ::_exit(!added && added.error().code == ErrorCode::Io ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_TRUE(files().empty());
}

TEST_F(ModelStoreTest, ABrokenSidecarCostsFactsNotTheModel) {
  add("m", tiny_gguf("llama", 1));
  const std::string sidecar = read_bytes(models("m.json"));
  const std::string hash = store_.find("m")->sha256;
  for (const std::string& bytes :
       {std::string(), std::string("{"), std::string("[]"), std::string("{\"format\":1}"),
        std::string(1 << 20, '['), "{\"format\":1,\"sha256\":7" + sidecar.substr(1),
        std::string("\xFF\xFE")}) {
    write_bytes(models("m.json"), bytes);
    auto model = store_.find("m");
    ASSERT_TRUE(model) << model.error().message();
    EXPECT_EQ(model->architecture, "llama");
    EXPECT_EQ(model->problem, "");
    EXPECT_EQ(*store_.sha256_of(*model), hash);
    EXPECT_EQ(store_.list()->size(), 1U);
  }
  // Adding it where it lies mends the sidecar.
  write_bytes(models("m.json"), "{");
  EXPECT_EQ(store_.find("m")->sha256, "");
  ASSERT_TRUE(store_.add_gguf(models("m.gguf"), {}));
  EXPECT_EQ(store_.find("m")->sha256, hash);
}

TEST_F(ModelStoreTest, ASidecarVouchesOnlyForItsOwnFile) {
  add("m", tiny_gguf("llama", 1));
  // Same size, other content: the old hash must not stand for it.
  write_bytes(models("m.gguf"), tiny_gguf("llama", 2));
  fs::last_write_time(models("m.gguf"), fs::file_time_type::clock::now() + std::chrono::hours(1));
  auto model = store_.find("m");
  ASSERT_TRUE(model);
  EXPECT_EQ(model->sha256, "");
  EXPECT_EQ(*store_.sha256_of(*model), sha256_hex(tiny_gguf("llama", 2)));
}

TEST_F(ModelStoreTest, ADamagedModelIsListedWithItsProblem) {
  write_bytes(models("bad.gguf"), "not a model");
  write_bytes(models("good.gguf"), tiny_gguf("llama", 1));
  write_bytes(models("notes.txt"), "");
  fs::create_directories(models("folder.gguf"));
  fs::create_symlink(folder_ / "nowhere", models("dangling.gguf"));
  ASSERT_EQ(::mkfifo(models("pipe.gguf").c_str(), 0600), 0);
  fs::remove(models("good.json"));
  ASSERT_EQ(::mkfifo(models("good.json").c_str(), 0600), 0);
  auto listed = store_.list();
  ASSERT_TRUE(listed);
  auto taken = store_.add_gguf(source_, {.name = "pipe", .source_note = ""});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::InvalidArgument);
  std::vector<std::string> usable;
  std::vector<std::string> unusable;
  for (const auto& model : *listed) {
    (model.problem.empty() ? usable : unusable).push_back(model.name);
  }
  EXPECT_THAT(usable, ElementsAre("good"));
  EXPECT_THAT(unusable, ElementsAre("bad", "dangling", "pipe"));
}

TEST_F(ModelStoreTest, FindsByNamePrefixAndPath) {
  add("qwen2.5-coder-3b", tiny_gguf("llama", 1));
  add("qwen2.5-coder-7b", tiny_gguf("llama", 2));
  add("smollm2", tiny_gguf("llama", 3));
  add("smollm2-large", tiny_gguf("llama", 4));
  const auto name_of = [&](std::string_view word) {
    auto model = store_.find(word);
    return model ? model->name : std::string(error_code_name(model.error().code));
  };
  EXPECT_EQ(name_of("smollm2"), "smollm2");  // exact before prefix
  EXPECT_EQ(name_of("smollm2.gguf"), "smollm2");
  EXPECT_EQ(name_of("smollm2-"), "smollm2-large");
  EXPECT_EQ(name_of("qwen2.5-coder-3"), "qwen2.5-coder-3b");
  EXPECT_EQ(name_of("qwen"), "invalid_argument");
  EXPECT_THAT(store_.find("qwen").error().hint, HasSubstr("qwen2.5-coder-3b, qwen2.5-coder-7b"));
  EXPECT_EQ(name_of(""), "not_found");
  EXPECT_EQ(name_of("smolm2"), "not_found");
  EXPECT_THAT(store_.find("smolm2").error().hint, HasSubstr("did you mean \"smollm2\"?"));
  EXPECT_THAT(store_.find("banana").error().hint, HasSubstr("installed: qwen2.5-coder-3b"));
  EXPECT_EQ(name_of(source_.string()), "Tiny Model.Q4");
  EXPECT_EQ(name_of(models("smollm2.gguf").string()), "smollm2");
  EXPECT_EQ(name_of("../nowhere.gguf"), "not_found");
  write_bytes(folder_ / "broken.gguf", "GGUF?");
  EXPECT_EQ(name_of((folder_ / "broken.gguf").string()), "corrupt");
  EXPECT_EQ(name_of(std::string(100'000, 'x')), "not_found");
}

TEST_F(ModelStoreTest, RemovesByExactNameOnly) {
  add("m", tiny_gguf("llama", 1));
  EXPECT_EQ(store_.remove("").error().code, ErrorCode::NotFound);
  EXPECT_FALSE(store_.remove("m.gguf"));
  ASSERT_TRUE(store_.remove("m"));
  EXPECT_TRUE(files().empty());
  EXPECT_THAT(store_.remove("m").error().message(), HasSubstr("no model \"m\" is installed"));
}

TEST_F(ModelStoreTest, TwoAtOnceEndWithOneWholeModel) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    write_bytes(folder_ / (std::to_string(i) + ".gguf"), tiny_gguf("llama", static_cast<float>(i)));
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto added = store_.add_gguf(folder_ / (std::to_string(i) + ".gguf"),
                                   {.name = "m", .source_note = ""});
      ::_exit(added ? 0 : added.error().code == ErrorCode::InvalidArgument ? 1 : 2);
    }
    children.push_back(child);
  }
  int winners = 0;
  for (pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_LE(WEXITSTATUS(status), 1);
    winners += WEXITSTATUS(status) == 0 ? 1 : 0;
  }
  EXPECT_EQ(winners, 1);
  EXPECT_THAT(files(), ElementsAre("m.gguf", "m.json"));
  auto model = store_.find("m");
  ASSERT_TRUE(model);
  EXPECT_EQ(model->sha256, sha256_hex(read_bytes(model->path)));
}

TEST_F(ModelStoreTest, LeftoversOfTheDeadAreSweptOthersStay) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  const std::string dead = "a.gguf.partial-" + std::to_string(child) + "-0";
  const std::string recent = "b.gguf.partial-" + std::to_string(child) + "-0";
  const std::string alive = "c.gguf.partial-" + std::to_string(::getpid()) + "-0";
  for (const std::string& name : {dead, recent, alive, std::string("d.gguf.partial-x")}) {
    write_bytes(models(name), "half");
    if (name == recent) continue;
    fs::last_write_time(models(name), fs::file_time_type::clock::now() - std::chrono::hours(1));
  }
  sweep_unfinished(store_.folder());
  EXPECT_THAT(files(), ElementsAre(recent, alive, "d.gguf.partial-x"));
}

TEST_F(ModelStoreTest, CopyRefusesWhatIsNoFileAndNeverReplaces) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_FALSE(copy_file({.source = folder_ / "pipe", .destination = folder_ / "to"}));
  EXPECT_FALSE(copy_file({.source = folder_, .destination = folder_ / "to"}));
  write_bytes(folder_ / "to", "here before");
  EXPECT_FALSE(copy_file({.source = source_, .destination = folder_ / "to"}));
  EXPECT_EQ(read_bytes(folder_ / "to"), "here before");
  const std::string large(3'000'001, 'z');
  write_bytes(folder_ / "large", large);
  ASSERT_TRUE(copy_file({.source = folder_ / "large", .destination = folder_ / "copy"}));
  EXPECT_EQ(read_bytes(folder_ / "copy"), large);
}

}  // namespace
}  // namespace tinyarms::catalog
