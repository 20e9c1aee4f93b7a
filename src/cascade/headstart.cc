#include "cascade/headstart.h"

#include <fmt/format.h>

namespace tinyarms::cascade {

std::string describe(const SpentHeadstart& spent) {
  const HeadstartReport& report = spent.report;
  std::string text = fmt::format("{} had begun: ", level_name(spent.level));
  if (report.load_seconds > 0) text += fmt::format("loaded in {:.2f} s, ", report.load_seconds);
  text += fmt::format("{} tokens of the prompt, {:.2f} s in all", report.tokens, report.seconds);
  if (!report.problem.empty()) text += fmt::format(", then: {}", report.problem);
  if (!spent.used) text += ", for nothing";
  return text;
}

}  // namespace tinyarms::cascade
