// The signals in use, measured one after the other, each with the time it took.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cascade/evidence.h"
#include "signals/signal.h"

namespace tinyarms::signals {

// What the panel adds beside the signals themselves.
inline constexpr std::string_view kSignalSeconds = "signal_seconds";    // spent on all of them
inline constexpr std::string_view kSignalProblems = "signal_problems";  // text; where there are

struct Measured {
  std::string_view name;
  std::optional<double> value{};  // nothing: it did not apply
  std::string problem{};          // why it could not be measured; empty: it could
  double seconds = 0;
};

class Panel {
 public:
  Panel() = default;

  // Errors: InvalidArgument for a name that is no signal, with the nearest one.
  static Result<Panel> of(const std::vector<std::string>& names);

  bool empty() const { return signals_.empty(); }
  bool needs(Cost cost) const;

  std::vector<Measured> measure(const Occasion&, const Instruments&, const Clock&) const;

  // The same, written into the evidence.
  void add_to(cascade::Evidence& evidence, const Occasion&, const Instruments&,
              const Clock&) const;

 private:
  std::vector<const Signal*> signals_;  // cheapest first
};

}  // namespace tinyarms::signals
