#include "report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/file.h"

namespace tinyarms::bench {
namespace {

std::string number(const std::optional<double>& value) {
  if (!value) return "-";
  return *value >= 1000 ? fmt::format("{:.0f}", *value) : fmt::format("{:.4g}", *value);
}

std::string goal_of(const Figure& figure) {
  switch (figure.kind) {
    case Goal::RatioAtLeast: return fmt::format("ratio ≥ {:g}", figure.goal);
    case Goal::RatioAtMost: return fmt::format("ratio ≤ {:g}", figure.goal);
    case Goal::OursAtMost: return fmt::format("≤ {:g} {}", figure.goal, figure.unit);
  }
  return "";
}

nlohmann::json or_null(const std::optional<double>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

}  // namespace

std::string table_of(const Report& report) {
  std::string table = fmt::format("{:<44} {:<9} {:>11} {:>11} {:>8}  {:<14} {}\n", "figure", "unit",
                                  "ours", "peer", "ratio", "goal", "met");
  for (const Figure& figure : report.figures) {
    table += fmt::format("{:<44} {:<9} {:>11} {:>11} {:>8}  {:<14} {}\n", figure.name, figure.unit,
                         number(figure.ours), number(figure.peer), number(figure.ratio),
                         goal_of(figure), figure.met() ? "yes" : "NO");
  }
  return table;
}

Result<void> write_json(const Report& report, const std::filesystem::path& file) {
  nlohmann::json json = {{"figures", nlohmann::json::array()},
                         {"machine", report.machine},
                         {"commit", report.commit},
                         {"model_sha", report.model_sha}};
  for (const Figure& figure : report.figures) {
    json["figures"].push_back({{"name", figure.name},
                               {"unit", figure.unit},
                               {"ours", figure.ours},
                               {"peer", or_null(figure.peer)},
                               {"ratio", or_null(figure.ratio)},
                               {"goal", figure.goal},
                               {"met", figure.met()}});
  }
  return write_file_atomically(file, json.dump(2) + "\n");
}

std::string describe_machine() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string processor = "unknown processor";
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.rfind("model name", 0) == 0) {
      processor = line.substr(line.find(':') + 2);
      break;
    }
  }
  const double memory = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
                        static_cast<double>(::sysconf(_SC_PAGESIZE));
  return fmt::format("{}, {} cores, {:.0f} GB", processor, std::thread::hardware_concurrency(),
                     memory / 1e9);
}

}  // namespace tinyarms::bench
