#include "eval/energy_meter.h"

#include <gtest/gtest.h>

#include <fstream>

#include "eval/bench_test_support.h"

namespace tinyarms::eval {
namespace {

class EnergyMeterTest : public ::testing::Test {
 protected:
  void write(const std::string& zone, const std::string& file, const std::string& text) {
    std::filesystem::create_directories(folder_ / zone);
    std::ofstream(folder_ / (zone + "/" + file)) << text << "\n";
  }
  void package(const std::string& zone, uint64_t microjoules) {
    write(zone, "name", "package-" + zone);
    write(zone, "max_energy_range_uj", "10000000");
    write(zone, "energy_uj", std::to_string(microjoules));
  }

  testing::TemporaryFolder folder_;
};

TEST_F(EnergyMeterTest, AddsUpPackagesAndSeesACounterBeginAnew) {
  package("intel-rapl:0", 9'000'000);
  package("intel-rapl:1", 1'000'000);
  package("intel-rapl:0:0", 5'000'000);  // a part of the first
  write("intel-rapl:2", "name", "psys");
  write("intel-rapl:2", "energy_uj", "77");
  EnergyMeter meter(folder_ / "");
  package("intel-rapl:0", 2'000'000);  // 1 to the end, then 2
  package("intel-rapl:1", 1'500'000);
  package("intel-rapl:0:0", 9'000'000);
  EXPECT_DOUBLE_EQ(*meter.take(), 3.5);
  EXPECT_DOUBLE_EQ(*meter.take(), 0);
}

TEST_F(EnergyMeterTest, ASumThatLacksAPackageIsNoFigure) {
  EXPECT_FALSE(EnergyMeter(folder_ / "nowhere").take());
  package("intel-rapl:0", 1);
  write("intel-rapl:1", "name", "package-1");  // its counter cannot be read
  EXPECT_FALSE(EnergyMeter(folder_ / "").take());
  package("intel-rapl:1", 1);
  EnergyMeter meter(folder_ / "");
  EXPECT_TRUE(meter.take());
  std::filesystem::remove(folder_ / "intel-rapl:1/energy_uj");
  EXPECT_FALSE(meter.take());
}

}  // namespace
}  // namespace tinyarms::eval
