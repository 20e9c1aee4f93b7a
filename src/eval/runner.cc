#include "eval/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "base/sha256.h"
#include "eval/process_memory.h"

namespace tinyarms::eval {
namespace {

// An answer that came at once still costs something: records carry costs above 0.
constexpr double kSecondsMin = 1e-6;

std::string_view role_name(cascade::Role role) {
  switch (role) {
    case cascade::Role::System: return "system";
    case cascade::Role::User: return "user";
    case cascade::Role::Assistant: return "assistant";
    case cascade::Role::Tool: return "tool";
  }
  return "user";
}

struct Job {
  const Item* item = nullptr;
  int sample = 0;
};

class Run {
 public:
  Run(const Task& task, Subject& subject, Journal& journal, const RunOptions& options,
      const RunAround& around)
      : task_(task), subject_(subject), journal_(journal), options_(options), around_(around) {}

  Result<void> run(const std::vector<Item>& items) {
    collect(items);
    started_ = around_.clock.monotonic_seconds();
    const int workers =
        static_cast<int>(std::min<size_t>(jobs_.size(), std::max(1, options_.concurrency)));
    std::vector<std::thread> others;
    for (int i = 1; i < workers; ++i) others.emplace_back([this] { work(); });
    work();
    for (std::thread& other : others) other.join();
    if (failure_) return *failure_;
    if (around_.stop.raised()) {
      return Error{ErrorCode::Interrupted, "stopped; what is measured is kept", "",
                   "go on with --resume"};
    }
    return {};
  }

 private:
  void collect(const std::vector<Item>& items) {
    progress_.task = task_.name();
    progress_.subject = subject_.name();
    progress_.total = items.size() * static_cast<size_t>(options_.samples);
    for (const BenchRecord& record : journal_.records()) {
      if (record.task == task_.name() && record.kept && record.correct) ++progress_.correct;
    }
    for (const Item& item : items) {
      for (int sample = 0; sample < options_.samples; ++sample) {
        if (journal_.has(record_id(task_, item, sample))) {
          ++progress_.done;
          ++progress_.measured;
        } else {
          jobs_.push_back({&item, sample});
        }
      }
    }
  }

  // Takes job after job until there is none, or something ends the run.
  void work() {
    while (true) {
      Job job;
      {
        const std::lock_guard lock(mutex_);
        if (next_ == jobs_.size() || failure_ || around_.stop.raised()) return;
        job = jobs_[next_++];
      }
      auto records = measure(job);
      if (around_.stop.raised()) return;  // an interrupted item is asked again
      const std::lock_guard lock(mutex_);
      if (failure_) return;
      finish(job, std::move(records));
    }
  }

  Result<Response> ask(const Job& job) {
    const Sampling sampling{.temperature = options_.sampling.temperature,
                            .seed = options_.sampling.seed + static_cast<uint32_t>(job.sample)};
    std::unique_lock lock(subject_mutex_, std::defer_lock);
    if (subject_.concurrency_max() < options_.concurrency) lock.lock();
    return subject_.answer(*job.item, sampling, around_.stop);
  }

  Result<std::vector<BenchRecord>> measure(const Job& job) {
    auto response = ask(job);
    if (!response) return response.error();
    if (response->tiers.empty()) {
      return Error{ErrorCode::Unavailable, "no tier answered", "", ""};
    }
    std::vector<BenchRecord> records;
    for (TierResponse& tier : response->tiers) {
      auto verdict = task_.score(*job.item, tier.answer, around_.judge);
      if (!verdict) return verdict.error().wrap("scoring");
      records.push_back(record_of(job, tier, *verdict));
    }
    records.back().kept = true;
    return records;
  }

  BenchRecord record_of(const Job& job, const TierResponse& tier, const Verdict& verdict) const {
    BenchRecord record;
    record.id = record_id(task_, *job.item, job.sample);
    record.task = task_.name();
    record.item = job.item->id;
    record.group = job.item->group;
    record.sample = job.sample;
    record.subject = subject_.name();
    record.prompt_sha = prompt_sha(*job.item);
    record.tier = tier.tier;
    record.model_sha = tier.model_sha;
    record.quantization = tier.quantization;
    record.answer = tier.answer;
    record.evidence = tier.evidence;
    record.correct = verdict.correct;
    record.reason = verdict.reason;
    record.prompt_tokens = tier.prompt_tokens;
    record.tokens = tier.completion_tokens;
    record.seconds = std::max(tier.seconds, kSecondsMin);
    record.peak_memory_bytes = peak_memory_bytes();
    return record;
  }

  // Under the lock.
  void finish(const Job& job, Result<std::vector<BenchRecord>> records) {
    Result<void> written;
    if (records) {
      written = journal_.append(*records);
      ++progress_.measured;
      if (records->back().correct) ++progress_.correct;
    } else {
      const Error& error = records.error();
      written = journal_.append(Unmeasured{.id = record_id(task_, *job.item, job.sample),
                                           .task = std::string(task_.name()),
                                           .group = job.item->group,
                                           .code = std::string(error_code_name(error.code)),
                                           .why = error.message()});
    }
    if (!written) {
      failure_ = written.error();
      return;
    }
    ++progress_.done;
    ++done_now_;
    const double seconds = around_.clock.monotonic_seconds() - started_;
    progress_.items_per_second = seconds > 0 ? static_cast<double>(done_now_) / seconds : 0;
    progress_.seconds_left =
        static_cast<double>(progress_.total - progress_.done) * seconds /
        static_cast<double>(done_now_);
    progress_.interval = wilson({.hits = progress_.correct, .trials = progress_.measured});
    around_.listener.progressed(progress_);
  }

  const Task& task_;
  Subject& subject_;
  Journal& journal_;
  const RunOptions& options_;
  const RunAround& around_;

  std::mutex subject_mutex_;  // for subjects that answer one at a time
  std::mutex mutex_;          // guards all below, and the journal
  std::vector<Job> jobs_;
  size_t next_ = 0;
  size_t done_now_ = 0;
  double started_ = 0;
  Progress progress_;
  std::optional<Error> failure_;
};

}  // namespace

std::string prompt_sha(const Item& item) {
  nlohmann::ordered_json shown;
  shown["mode"] = item.mode == Mode::Choose ? "choose" : "generate";
  shown["plain"] = item.plain;
  for (const cascade::Message& message : item.messages) {
    shown["messages"].push_back({role_name(message.role), message.content});
  }
  shown["stop"] = item.stop;
  shown["tokens_max"] = item.tokens_max;
  shown["options"] = item.options;
  return sha256_hex(
      shown.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

std::string record_id(const Task& task, const Item& item, int sample) {
  return sample == 0 ? fmt::format("{}/{}", task.name(), item.id)
                     : fmt::format("{}/{}#{}", task.name(), item.id, sample + 1);
}

Result<void> run_task(const Task& task, const std::vector<Item>& items, Subject& subject,
                      Journal& journal, const RunOptions& options, const RunAround& around) {
  return Run(task, subject, journal, options, around).run(items);
}

}  // namespace tinyarms::eval
