// The one line that tells how a bench is doing, on a terminal only.
#pragma once

#include <string>

#include "base/clock.h"
#include "cli/terminal.h"
#include "eval/runner.h"

namespace tinyarms::cli {

// "tiny · smollm2  37/256  14 %  2.1 items/s  1:44 left  41.2 % [27.8, 56.1]"
std::string progress_line(const eval::Progress& progress);

class BenchProgress final : public eval::RunListener {
 public:
  BenchProgress(const Terminal& terminal, const Clock& clock)
      : terminal_(terminal), clock_(clock) {}
  ~BenchProgress() override;  // leaves the line clean

  void progressed(const eval::Progress& progress) override;

 private:
  const Terminal& terminal_;
  const Clock& clock_;
  double shown_ = -1;
};

}  // namespace tinyarms::cli
