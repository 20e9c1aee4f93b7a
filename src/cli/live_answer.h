// Shows an answer while it is generated. Where a draft is not sure enough and the cascade climbs
// on, the draft stays visible and a line says so: routing is never hidden.
#pragma once

#include <string>

#include "cascade/tier.h"
#include "cli/terminal.h"

namespace tinyarms::cli {

class LiveAnswer final : public cascade::Listener {
 public:
  // `streaming`: pieces go to stdout as they come; otherwise nothing does. `announce`: lines about
  // tiers go to stderr.
  struct Options {
    bool streaming = false;
    bool announce = false;
  };
  LiveAnswer(const Terminal& terminal, const Options& options);

  void tier_started(cascade::Level level, std::string_view source) override;
  void text_generated(cascade::Level level, std::string_view piece) override;
  void step_finished(const cascade::Step& step) override;
  bool shows(cascade::Level) const override { return options_.streaming; }

  // Whether `answer` stands on the screen as the last thing shown.
  bool has_shown(std::string_view answer) const { return shown_ == answer && !shown_.empty(); }

 private:
  void clear_status();

  const Terminal& terminal_;
  Options options_;
  std::string shown_;    // of the tier that was asked last
  std::string pending_;  // why the last tier was not enough, said when the next one starts
  bool status_visible_ = false;
};

}  // namespace tinyarms::cli
