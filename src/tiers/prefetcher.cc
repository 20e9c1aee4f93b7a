#include "tiers/prefetcher.h"

#include <algorithm>
#include <exception>
#include <system_error>

namespace tinyarms::tiers {

// Held by the worker and by whoever it works for.
class Prefetcher::Work {
 public:
  Work(Job wanted, const Clock& clock)
      : job(std::move(wanted)), clock_(clock), began_(clock.monotonic_seconds()) {}

  Job job;        // of the worker alone
  StopFlag stop;

  void loaded(double seconds) {
    const std::lock_guard lock(mutex_);
    report_.load_seconds = seconds;
  }
  void computed(int tokens) {
    const std::lock_guard lock(mutex_);
    report_.tokens = std::max<int64_t>(report_.tokens, tokens);
  }
  void complete(int tokens) {
    const std::lock_guard lock(mutex_);
    report_.tokens = tokens;
    report_.complete = true;
  }
  // A problem that it was told to have is none.
  void fail(const std::string& problem) {
    const std::lock_guard lock(mutex_);
    if (!stop.raised()) report_.problem = problem;
  }
  void end() {
    const std::lock_guard lock(mutex_);
    report_.seconds = clock_.monotonic_seconds() - began_;
    over_ = true;
  }
  bool over() const {
    const std::lock_guard lock(mutex_);
    return over_;
  }
  cascade::HeadstartReport report() const {
    const std::lock_guard lock(mutex_);
    cascade::HeadstartReport now = report_;
    if (!over_) now.seconds = clock_.monotonic_seconds() - began_;
    return now;
  }

 private:
  const Clock& clock_;
  const double began_;
  mutable std::mutex mutex_;
  cascade::HeadstartReport report_;
  bool over_ = false;
};

class Prefetcher::Handle final : public cascade::Headstart {
 public:
  explicit Handle(std::shared_ptr<Work> work) : work_(std::move(work)) {}
  ~Handle() override { cancel(); }
  cascade::HeadstartReport report() const override { return work_->report(); }
  void cancel() override { work_->stop.raise(); }

 private:
  std::shared_ptr<Work> work_;
};

Prefetcher::~Prefetcher() {
  const std::lock_guard lock(mutex_);
  if (work_) work_->stop.raise();
  if (thread_.joinable()) thread_.join();
}

std::unique_ptr<cascade::Headstart> Prefetcher::begin(Job job) {
  const std::lock_guard lock(mutex_);
  if (work_ && !work_->over()) return nullptr;
  if (thread_.joinable()) thread_.join();  // at its last instruction
  work_ = std::make_shared<Work>(std::move(job), clock_);
  try {
    thread_ = std::thread([this, work = work_] { run(*work); });
  } catch (const std::system_error&) {
    work_.reset();  // no thread is to be had
    return nullptr;
  }
  return std::make_unique<Handle>(work_);
}

void Prefetcher::run(Work& work) {
  try {
    auto spare = shelf_.take_spare(work.job.file, work.job.context_tokens, work.stop);
    if (!spare) {
      work.fail(spare.error().message());
    } else if ((*spare)->loan().completions == nullptr) {
      work.fail("its engine computes nothing ahead");
    } else {
      work.loaded((*spare)->loan().load_seconds);
      auto stream = work.job.submit(*(*spare)->loan().completions, work.stop);
      if (!stream) {
        work.fail(stream.error().message());
      } else {
        while (const auto event = (*stream)->next()) work.computed(event->prompt_done);
        auto completion = (*stream)->result();
        if (completion) {
          work.complete(completion->prompt_tokens - completion->cached_tokens);
        } else {
          work.fail(completion.error().message());
        }
      }
    }
  } catch (const std::exception& problem) {
    work.fail(problem.what());
  }
  work.end();
}

}  // namespace tinyarms::tiers
