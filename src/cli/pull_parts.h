// What `tinyarms pull` and `tinyarms models mirror` share: the terms of the settings, progress.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/context.h"
#include "pull/puller.h"

namespace tinyarms::cli {

// Of the settings, with `mirrors` before theirs. Errors: Config (the token).
Result<pull::PullTerms> pull_terms(const service::Settings& settings,
                                   const std::vector<std::string>& mirrors,
                                   const Context& context);

// What is asked for, with what the catalogue knows of a name.
Result<pull::PullRequest> pull_request(const std::string& source, const std::string& name,
                                       const Context& context);

// "model.gguf  412 of 1930 MB  21 %  35.2 MB/s  43 s left", over itself on a terminal.
class PullProgress {
 public:
  explicit PullProgress(const Terminal& terminal) : terminal_(terminal) {}
  ~PullProgress() { terminal_.status(""); }
  PullProgress(const PullProgress&) = delete;
  PullProgress& operator=(const PullProgress&) = delete;

  void show(const std::string& file, uint64_t there, uint64_t total);
  void say(const std::string& text);

 private:
  using Clock = std::chrono::steady_clock;

  const Terminal& terminal_;
  std::string file_;
  uint64_t first_ = 0;
  Clock::time_point begun_{};
  Clock::time_point shown_{};
};

}  // namespace tinyarms::cli
