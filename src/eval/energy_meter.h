// What the processors' packages took, by the counters that Linux shows of RAPL (powercap). Often
// only the administrator may read them; then there is no figure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace tinyarms::eval {

class EnergyMeter {
 public:
  explicit EnergyMeter(const std::filesystem::path& powercap = "/sys/class/powercap");

  // Joules since the last call, or since it was made; nothing where a counter cannot be read. A
  // counter that begins anew is seen, one that does so twice is not (at 100 W: 40 minutes each).
  std::optional<double> take();

 private:
  struct Counter {
    std::filesystem::path file;
    uint64_t range = 0;  // microjoules from which it begins anew
    uint64_t last = 0;
  };
  std::vector<Counter> counters_;
};

}  // namespace tinyarms::eval
