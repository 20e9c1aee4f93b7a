#include "service/migration.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <random>

#include "service/config_file.h"
#include "storage/test_folder.h"

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;

class Migrations : public testing::Test {
 protected:
  Migration step(const std::string& from, const std::string& to,
                 const std::string& calibrator = "") const {
    return {.at = 1, .key = "l2.model", .from = from, .from_sha256 = "f", .to = to,
            .to_sha256 = "t", .calibrator = calibrator};
  }

  std::string config() const { return read_bytes(files_.config); }

  // The model that a migration of the book would bring back; "none".
  std::string back_from(const std::string& configured) const {
    const auto last = last_migration(files_, "l2.model", configured);
    if (last) return last->from;
    EXPECT_EQ(last.error().code, ErrorCode::NotFound) << last.error().message();
    return "none";
  }

  storage::TestFolder folder_;
  MigrationFiles files_ = {folder_ / "config.toml", folder_ / "migrations.json",
                           folder_ / "calibrators"};
};

TEST_F(Migrations, ThereAndBack) {
  const std::string before =
      "# mine\n[l2]\nmodel = \"a\"\n\n[calibration]\nfiles = [\"~/own.json\"]\n";
  write_bytes(files_.config, before);
  ASSERT_TRUE(carry_out(files_, step("a", "b", "/new.json")));
  EXPECT_EQ(config(), "# mine\n[l2]\nmodel = \"b\"\n\n[calibration]\n"
                      "files = [\"/new.json\", \"~/own.json\"]\n");
  const auto last = last_migration(files_, "l2.model", "b");
  ASSERT_TRUE(last);
  EXPECT_EQ(last->calibrator, "/new.json");
  ASSERT_TRUE(take_back(files_, *last));
  EXPECT_EQ(config(), before);
  EXPECT_EQ(back_from("b"), "none");
}

TEST_F(Migrations, WithoutACalibratorLeaveTheListAlone) {
  write_bytes(files_.config, "[l2]\nmodel = \"a\"\n");
  ASSERT_TRUE(carry_out(files_, step("a", "b")));
  EXPECT_EQ(config(), "[l2]\nmodel = \"b\"\n");
}

TEST_F(Migrations, GiveBackAPlaceThatHadNoModelOfItsOwn) {
  write_bytes(files_.config, "[l2]\nmodel = \"a\"\n");
  Migration migration = step("", "b");
  migration.key = "l2.general_model";
  const ModelPlace general = *find_model_place("general");
  const auto configured = [&] {
    ConfigSources sources;
    sources.user_file = files_.config;
    const auto loaded = load_config(sources);
    return loaded ? model_at(loaded->settings, general) : loaded.error().message();
  };
  ASSERT_TRUE(carry_out(files_, migration));
  EXPECT_EQ(configured(), "b");
  ASSERT_TRUE(take_back(files_, migration));
  EXPECT_EQ(configured(), "a");
}

TEST_F(Migrations, KeepCalibratorsAddedSince) {
  write_bytes(files_.config, "[l2]\nmodel = \"a\"\n");
  const Migration migration = step("a", "b", "/new.json");
  ASSERT_TRUE(carry_out(files_, migration));
  write_bytes(files_.config, "[l2]\nmodel = \"b\"\n[calibration]\n"
                                      "files = [\"/later.json\", \"/new.json\"]\n");
  ASSERT_TRUE(take_back(files_, migration));
  EXPECT_EQ(config(), "[l2]\nmodel = \"a\"\n[calibration]\nfiles = [\"/later.json\"]\n");
}

TEST_F(Migrations, ABookAheadOfTheConfigurationIsOfNoEffect) {
  write_bytes(files_.config, "[l2]\nmodel = \"a\"\n");
  ASSERT_TRUE(carry_out(files_, step("a", "b")));
  // Killed after the book of b → c was written: b is still configured.
  const std::string config_of_b = config();
  ASSERT_TRUE(carry_out(files_, step("b", "c")));
  write_bytes(files_.config, config_of_b);
  EXPECT_EQ(back_from("b"), "a");
  EXPECT_EQ(back_from("a"), "none");
}

TEST_F(Migrations, GoBackStepByStep) {
  write_bytes(files_.config, "[l2]\nmodel = \"a\"\n");
  ASSERT_TRUE(carry_out(files_, step("a", "b")));
  ASSERT_TRUE(carry_out(files_, step("b", "a")));
  ASSERT_TRUE(carry_out(files_, step("a", "b")));
  for (const std::string expected : {"a", "b", "a"}) {
    const std::string now = expected == "a" ? "b" : "a";
    const auto last = last_migration(files_, "l2.model", now);
    ASSERT_TRUE(last);
    EXPECT_EQ(last->from, expected);
    ASSERT_TRUE(take_back(files_, *last));
    EXPECT_EQ(config(), "[l2]\nmodel = \"" + expected + "\"\n");
  }
  EXPECT_EQ(back_from("a"), "none");
}

TEST_F(Migrations, RefusedByTheConfigurationLeaveNothing) {
  const std::string text = "l2 = { model = \"a\" }\n";
  write_bytes(files_.config, text);
  const auto done = carry_out(files_, step("a", "b", "/new.json"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::Config);
  EXPECT_EQ(config(), text);
  EXPECT_EQ(back_from("b"), "none");
}

TEST_F(Migrations, ABrokenBookChangesNothing) {
  const std::string text = "[l2]\nmodel = \"a\"\n";
  write_bytes(files_.config, text);
  for (const char* book : {"{", "[]", "{\"schema\": \"tinyarms-migrations/2\"}",
                           "{\"schema\": \"tinyarms-migrations/1\", \"migrations\": [{}]}",
                           "{\"schema\": \"tinyarms-migrations/1\"}"}) {
    write_bytes(files_.book, book);
    const auto done = carry_out(files_, step("a", "b"));
    ASSERT_FALSE(done) << book;
    EXPECT_EQ(done.error().code, ErrorCode::Corrupt);
    EXPECT_EQ(config(), text);
    EXPECT_EQ(read_bytes(files_.book), book);
  }
}

// Killed at any moment the settings file is, to the byte, the one before or the one after, and what
// it says can be taken back.
TEST_F(Migrations, SurviveBeingKilledManyTimes) {
  const std::string before = "# mine\n[l2]\nmodel = \"a\"  # small\n";
  const std::string after = "# mine\n[l2]\nmodel = \"b\"  # small\n\n[calibration]\n"
                            "files = [\"/new.json\"]\n";
  write_bytes(files_.config, before);
  ASSERT_TRUE(carry_out(files_, step("a", "b", "/new.json")));
  ASSERT_EQ(config(), after);
  const unsigned seed = 5;
  std::mt19937 random(seed);
  int cut = 0;
  for (int round = 0; round < 40; ++round) {
    fs::remove_all(files_.book);
    write_bytes(files_.config, before);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      // There and back until it is killed.
      const Migration there = step("a", "b", "/new.json");
      while (carry_out(files_, there) && take_back(files_, there)) continue;
      ::_exit(1);
    }
    // From its first step on: a process takes a while to come into being.
    for (int wait = 0; wait < 5000 && config() == before; ++wait) ::usleep(1000);
    ::usleep(1 + static_cast<useconds_t>(random()) % 20000);
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "seed " << seed << " round " << round;
    const std::string now = config();
    // Taken back, the list of calibrators stays, empty.
    const std::string back = "# mine\n[l2]\nmodel = \"a\"  # small\n\n[calibration]\nfiles = []\n";
    ASSERT_TRUE(now == before || now == after || now == back) << now;
    cut += now == after ? 1 : 0;
    if (now == after) {
      const auto last = last_migration(files_, "l2.model", "b");
      ASSERT_TRUE(last) << last.error().message();
      ASSERT_TRUE(take_back(files_, *last));
      ASSERT_EQ(config(), back);
    }
  }
  EXPECT_GT(cut, 0);
}

TEST(ModelPlaces, AreWhatIsConfigured) {
  Settings settings;
  settings.l2.model = "small";
  settings.l3.model = "large";
  const ModelPlace general = *find_model_place("general");
  EXPECT_EQ(model_at(settings, *find_model_place("l2")), "small");
  EXPECT_EQ(model_at(settings, *find_model_place("l3")), "large");
  EXPECT_EQ(model_at(settings, general), "small");
  EXPECT_EQ(assigned_at(settings, general), "");
  settings.l2.general_model = "talker";
  EXPECT_EQ(model_at(settings, general), "talker");
  settings.l1.model = "encoder";
  EXPECT_EQ(model_at(settings, *find_model_place("l1")), "encoder");
  EXPECT_FALSE(find_model_place("l4"));
  for (const std::string& word : model_place_words()) {
    EXPECT_NE(find_setting(find_model_place(word)->key), nullptr) << word;
  }
}

TEST_F(Migrations, WantTheLastWord) {
  ConfigSources sources;
  sources.user_file = files_.config;
  sources.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "TINYARMS_L3_MODEL") return "other";
    return std::nullopt;
  };
  write_bytes(files_.config, "[l2]\nmodel = \"a\"\n");
  const auto loaded = load_config(sources);
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(check_changeable(*loaded, files_.config, "l2.model"));
  EXPECT_TRUE(check_changeable(*loaded, files_.config, "l2.general_model"));  // unset
  const auto refused = check_changeable(*loaded, files_.config, "l3.model");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("TINYARMS_L3_MODEL"), std::string::npos);
  EXPECT_FALSE(check_changeable(*loaded, "", "l2.model"));
}

}  // namespace
}  // namespace tinyarms::service
