#include "signals/panel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/nearest.h"
#include "signals/registry.h"

namespace tinyarms::signals {

Result<Panel> Panel::of(const std::vector<std::string>& names) {
  Panel panel;
  for (const Signal* signal : all_signals()) {
    if (std::find(names.begin(), names.end(), signal->name) != names.end()) {
      panel.signals_.push_back(signal);
    }
  }
  for (const std::string& name : names) {
    if (find_signal(name) != nullptr) continue;
    std::vector<std::string> known;
    for (const Signal* signal : all_signals()) known.emplace_back(signal->name);
    const auto close = nearest(name, known);
    return Error{ErrorCode::InvalidArgument, fmt::format("there is no signal `{}`", name), "",
                 close ? fmt::format("did you mean `{}`?", *close)
                       : std::string("tinyarms signals list shows them")};
  }
  return panel;
}

bool Panel::needs(Cost cost) const {
  return std::any_of(signals_.begin(), signals_.end(),
                     [&](const Signal* signal) { return signal->cost == cost; });
}

std::vector<Measured> Panel::measure(const Occasion& occasion, const Instruments& instruments,
                                     const Clock& clock) const {
  std::vector<Measured> all;
  for (const Signal* signal : signals_) {
    if (occasion.stop.raised()) break;
    const double start = clock.monotonic_seconds();
    Measured measured{.name = signal->name};
    auto value = signal->measure(occasion, instruments);
    measured.seconds = clock.monotonic_seconds() - start;
    if (!value) {
      measured.problem = value.error().message();
    } else if (*value && std::isfinite(**value)) {
      measured.value = std::clamp(**value, signal->low, signal->high);
    }
    all.push_back(std::move(measured));
  }
  return all;
}

void Panel::add_to(cascade::Evidence& evidence, const Occasion& occasion,
                   const Instruments& instruments, const Clock& clock) const {
  if (signals_.empty()) return;
  double seconds = 0;
  std::string problems;
  for (const Measured& measured : measure(occasion, instruments, clock)) {
    seconds += measured.seconds;
    if (measured.value) evidence.set(measured.name, *measured.value);
    if (measured.problem.empty()) continue;
    problems += fmt::format("{}{}: {}", problems.empty() ? "" : "; ", measured.name,
                            measured.problem);
  }
  evidence.set(kSignalSeconds, seconds);
  if (!problems.empty()) evidence.set(kSignalProblems, std::move(problems));
}

}  // namespace tinyarms::signals
