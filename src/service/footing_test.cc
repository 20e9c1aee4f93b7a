#include "service/footing.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;

class FootingTest : public testing::Test {
 protected:
  FootingTest() {
    std::string name = (fs::temp_directory_path() / "tinyarms-footing-XXXXXX").string();
    home_ = ::mkdtemp(name.data());
    paths_.data_dir = home_ / "data";
    paths_.models_dir = home_ / "models";
    fs::create_directories(paths_.models_dir);
    sources_.environment = [this](const std::string& which) -> std::optional<std::string> {
      return which == "THE_KEY" ? key_ : std::nullopt;
    };
  }
  ~FootingTest() override { fs::remove_all(home_); }

  Footing footing() {
    auto loaded = load_config(sources_);
    EXPECT_TRUE(loaded) << loaded.error().message();
    return footing_of(*loaded, paths_, sources_.environment, program_);
  }
  void set(const std::string& key, const std::string& value) {
    sources_.overrides.push_back({key, value, "--flag"});
  }
  void write(const fs::path& file, const std::string& text) const { std::ofstream(file) << text; }

  fs::path home_;
  Paths paths_;
  ConfigSources sources_;
  std::string program_ = "1";
  std::optional<std::string> key_;
};

using Names = std::vector<std::string>;

TEST_F(FootingTest, TheSameIsTheSame) { EXPECT_EQ(differences(footing(), footing()), Names()); }

TEST_F(FootingTest, WhatTravelsWithARequestIsNoPartOfIt) {
  const Footing before = footing();
  for (const char* key : {"sampling.seed", "sampling.max_tokens", "thresholds.l2"}) set(key, "1");
  set("stream", "always");
  set("use_server", "false");
  set("cost.watts", "30");  // of reports, not of answers
  set("telemetry.otlp_endpoint", "http://127.0.0.1:4318");
  EXPECT_EQ(differences(before, footing()), Names());
}

TEST_F(FootingTest, EverySettingThatAnswersDependOnIs) {
  const Footing before = footing();
  set("threads", "3");
  EXPECT_EQ(differences(before, footing()), Names{"threads"});
  set("l1.cache", "false");
  EXPECT_EQ(differences(before, footing()), (Names{"l1.cache", "threads"}));
  program_ = "2";
  EXPECT_EQ(differences(before, footing()), (Names{"l1.cache", "the program", "threads"}));
}

TEST_F(FootingTest, AFileThatWasWrittenAnewIsAnother) {
  const fs::path pack = home_ / "pack.yml";
  write(pack, "a");
  set("l0.packs", pack.string());
  set("l2.model", "small");
  set("l1.model", "encoder");
  for (const char* name : {"small.gguf", "encoder.gguf"}) write(paths_.models_dir / name, "a");
  const Footing before = footing();
  write(pack, "ab");
  EXPECT_EQ(differences(before, footing()), Names{"the files of l0.packs"});
  write(paths_.models_dir / "small.gguf", "ab");
  write(paths_.models_dir / "other.gguf", "nobody asks it");
  EXPECT_EQ(differences(before, footing()),
            (Names{"the files of l0.packs", "the models of l2"}));
}

TEST_F(FootingTest, AKeyCountsWhereItIsUsedAndIsNeverTold) {
  set("l4.url", "https://example.org/v1");
  set("l4.model", "m");
  set("l4.api_key_env", "THE_KEY");
  key_ = "canary-one";
  const Footing closed = footing();
  key_ = "canary-two";
  EXPECT_EQ(differences(closed, footing()), Names());
  set("offline", "false");
  const Footing open = footing();
  key_ = "canary-one";
  EXPECT_EQ(differences(open, footing()), Names{"the key in THE_KEY"});
  for (const auto& [name, text] : footing()) {
    EXPECT_EQ((name + text).find("canary"), std::string::npos);
  }
}

}  // namespace
}  // namespace tinyarms::service
