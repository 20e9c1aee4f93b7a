#include "catalog/measured_speed.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <limits>

#include "base/file.h"

namespace tinyarms::catalog {
namespace {

namespace fs = std::filesystem;

class MeasuredStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "measured-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  MeasuredSpeed figures(int threads, double rate, double at = 1) const {
    MeasuredSpeed speed;
    speed.on = {.model_sha256 = hash_, .engine = "e", .processor = "p", .threads = threads};
    speed.model = "m";
    speed.at = at;
    speed.load_seconds = 0.5;
    speed.memory_bytes = 7;
    speed.prompt_tokens_rate = 10 * rate;
    speed.answer_tokens_rate = rate;
    speed.prompt_tokens = 256;
    speed.answer_tokens = 64;
    return speed;
  }

  const std::string hash_ = std::string(64, 'a');
  fs::path folder_;
  MeasuredStore store() const { return MeasuredStore(folder_ / "measured"); }
};

TEST_F(MeasuredStoreTest, HoldsForTheSameFileEngineProcessorAndThreadsAlone) {
  MeasuredSpeed speed = figures(2, 30);
  speed.watts = 41.5;
  EXPECT_FALSE(store().find(speed.on));
  ASSERT_TRUE(store().keep(speed));
  const auto found = store().find(speed.on);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->on, speed.on);
  EXPECT_EQ(found->answer_tokens_rate, 30);
  EXPECT_EQ(found->prompt_tokens_rate, 300);
  EXPECT_EQ(found->memory_bytes, 7u);
  EXPECT_EQ(found->watts, 41.5);
  EXPECT_TRUE(found->generates());
  for (int changed = 0; changed < 4; ++changed) {
    MeasuredOn other = speed.on;
    if (changed == 0) other.model_sha256 = std::string(64, 'b');
    if (changed == 1) other.engine = "another build";
    if (changed == 2) other.processor = "another machine";
    if (changed == 3) other.threads = 1;
    EXPECT_FALSE(store().find(other)) << changed;
  }
}

TEST_F(MeasuredStoreTest, NewerFiguresTakeThePlaceOfTheSameAndOfTheOldest) {
  for (int threads = 1; threads <= 40; ++threads) {
    ASSERT_TRUE(store().keep(figures(threads, 20, threads)));
  }
  EXPECT_FALSE(store().find(figures(8, 0).on));  // the oldest went
  EXPECT_TRUE(store().find(figures(9, 0).on));
  ASSERT_TRUE(store().keep(figures(40, 25, 99)));
  EXPECT_EQ(store().find(figures(40, 0).on)->answer_tokens_rate, 25);
  EXPECT_TRUE(store().find(figures(9, 0).on));  // replacing made nobody leave
}

TEST_F(MeasuredStoreTest, ABrokenFileIsNoMeasurementAndIsReplaced) {
  const fs::path file = folder_ / "measured" / (hash_ + ".json");
  for (const char* text :
       {"", "{", "[]", "{\"format\": \"1\"}", "{\"format\": 2, \"measured\": []}",
        "{\"format\": 1, \"measured\": 7}", "{\"format\": 1, \"measured\": [{\"threads\": 2}]}"}) {
    ASSERT_TRUE(write_file_atomically(file, text));
    EXPECT_FALSE(store().find(figures(2, 1).on)) << text;
    ASSERT_TRUE(store().keep(figures(2, 5))) << text;
    EXPECT_EQ(store().find(figures(2, 1).on)->answer_tokens_rate, 5) << text;
  }
}

TEST_F(MeasuredStoreTest, RefusesWhatIsNoMeasurement) {
  MeasuredSpeed nameless = figures(2, 30);
  nameless.on.model_sha256 = "../elsewhere";
  EXPECT_FALSE(store().keep(nameless));
  EXPECT_FALSE(store().find(nameless.on));
  EXPECT_FALSE(store().keep(figures(2, 0)));
  EXPECT_FALSE(store().keep(figures(2, std::numeric_limits<double>::infinity())));
  EXPECT_FALSE(store().keep(figures(2, std::nan(""))));
  EXPECT_FALSE(store().keep(figures(0, 30)));
  MeasuredSpeed both = figures(2, 30);
  both.texts_rate = 4;
  EXPECT_FALSE(store().keep(both));
  EXPECT_FALSE(fs::exists(folder_ / "measured"));
}

}  // namespace
}  // namespace tinyarms::catalog
