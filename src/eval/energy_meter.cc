#include "eval/energy_meter.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <system_error>

namespace tinyarms::eval {
namespace {

std::optional<uint64_t> read_microjoules(const std::filesystem::path& file) {
  uint64_t value = 0;
  std::ifstream stream(file);
  if (stream >> value) return value;
  return std::nullopt;
}

// "intel-rapl:0" is a package (on AMD too); "intel-rapl:0:1" a part of it, counted with it.
bool is_package(const std::filesystem::path& folder) {
  const std::string name = folder.filename().string();
  if (!name.starts_with("intel-rapl:") || std::count(name.begin(), name.end(), ':') != 1) {
    return false;
  }
  std::string what;
  std::ifstream(folder / "name") >> what;
  return what.starts_with("package");
}

}  // namespace

EnergyMeter::EnergyMeter(const std::filesystem::path& powercap) {
  std::error_code problem;
  for (std::filesystem::directory_iterator it(powercap, problem), end; !problem && it != end;
       it.increment(problem)) {
    if (!is_package(it->path())) continue;
    Counter counter{.file = it->path() / "energy_uj"};
    counter.range = read_microjoules(it->path() / "max_energy_range_uj").value_or(0);
    const auto now = read_microjoules(counter.file);
    if (!now) {
      counters_.clear();  // some packages alone would be too little
      return;
    }
    counter.last = *now;
    counters_.push_back(std::move(counter));
  }
}

std::optional<double> EnergyMeter::take() {
  if (counters_.empty()) return std::nullopt;
  double microjoules = 0;
  for (Counter& counter : counters_) {
    const auto now = read_microjoules(counter.file);
    if (!now) {
      counters_.clear();
      return std::nullopt;
    }
    const bool anew = *now < counter.last;
    if (anew && counter.range <= counter.last) return std::nullopt;
    microjoules += static_cast<double>(anew ? counter.range - counter.last + *now
                                            : *now - counter.last);
    counter.last = *now;
  }
  return microjoules / 1e6;
}

}  // namespace tinyarms::eval
