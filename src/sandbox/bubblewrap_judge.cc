#include "sandbox/bubblewrap_judge.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <mutex>

#include "base/utf8.h"
#include "sandbox/jail.h"
#include "sandbox/toolchain.h"

namespace tinyarms::sandbox {
namespace {

constexpr double kGraceSeconds = 10;  // for process 1, beyond all limits of the program

std::string limits_text(const Limits& limits) {
  return fmt::format(
      "cpu_seconds {}\nwall_seconds {:.3f}\nmemory_bytes {}\noutput_bytes {}\nfile_bytes {}\n"
      "scratch_bytes {}\nprocesses {}\ncompile_seconds {}\n",
      limits.cpu_seconds, limits.wall_seconds, limits.memory_bytes, limits.output_bytes,
      limits.file_bytes, limits.scratch_bytes, limits.processes, limits.compile_seconds);
}

Limits limits_of(const Program& program, Limits limits) {
  if (program.cpu_seconds > 0) {
    limits.cpu_seconds = std::max(1, static_cast<int>(program.cpu_seconds + 0.999));
    limits.wall_seconds = 3 * program.cpu_seconds;
  }
  return limits;
}

// Output is whatever bytes a program wrote: invalid ones become U+FFFD.
std::string valid_utf8(std::string_view bytes) {
  std::string text;
  while (const auto at = find_invalid_utf8(bytes)) {
    text += bytes.substr(0, *at);
    text += "\xEF\xBF\xBD";
    bytes.remove_prefix(*at + 1);
  }
  return text += bytes;
}

std::optional<Outcome::End> end_named(std::string_view name) {
  if (name == "exited") return Outcome::End::Exited;
  if (name == "signalled") return Outcome::End::Signalled;
  if (name == "timed_out") return Outcome::End::TimedOut;
  if (name == "memory_exceeded") return Outcome::End::MemoryExceeded;
  if (name == "output_exceeded") return Outcome::End::OutputExceeded;
  if (name == "not_compiled") return Outcome::End::NotCompiled;
  return std::nullopt;
}

std::optional<Outcome> parse(const Jail::Message& answer) {
  if (answer.size() != 5) return std::nullopt;
  Outcome outcome;
  const auto end = end_named(answer[0]);
  const char* code_end = answer[1].data() + answer[1].size();
  const char* seconds_end = answer[2].data() + answer[2].size();
  if (!end ||
      std::from_chars(answer[1].data(), code_end, outcome.exit_code).ptr != code_end ||
      std::from_chars(answer[2].data(), seconds_end, outcome.seconds).ptr != seconds_end) {
    return std::nullopt;
  }
  outcome.end = *end;
  outcome.output = valid_utf8(answer[3]);
  outcome.errors = valid_utf8(answer[4]);
  return outcome;
}

// What is known of a program with which the whole sandbox went down.
Outcome went_down(const Jail& jail) {
  Outcome outcome;
  outcome.end = jail.killed_for_memory() ? Outcome::End::MemoryExceeded : Outcome::End::Signalled;
  outcome.exit_code = 9;
  outcome.errors = "the sandbox ended together with the program";
  return outcome;
}

class BubblewrapJudge final : public Judge {
 public:
  explicit BubblewrapJudge(const JudgeOptions& options)
      : options_(options), free_places_(std::max(1, options.sandboxes)) {}

  Result<void> available(std::string_view language) override {
    if (language != "python") {
      if (auto found = toolchain_available(language); !found) return found.error();
    }
    const Place place(*this);
    auto jail = idle_jail();
    if (!jail) return jail.error();
    give_back(*std::move(jail));
    return {};
  }

  Result<Outcome> run(const Program& program) override {
    const Place place(*this);
    if (program.language == "python") return run_python(program);
    return run_steps(program);
  }

 private:
  // A permission to run; waits until there is one.
  class Place {
   public:
    explicit Place(BubblewrapJudge& judge) : judge_(judge) {
      std::unique_lock lock(judge_.mutex_);
      judge_.place_freed_.wait(lock, [this] { return judge_.free_places_ > 0; });
      --judge_.free_places_;
    }
    ~Place() {
      {
        const std::lock_guard lock(judge_.mutex_);
        ++judge_.free_places_;
      }
      judge_.place_freed_.notify_one();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    BubblewrapJudge& judge_;
  };

  Result<std::unique_ptr<Jail>> idle_jail() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto jail = std::move(idle_.back());
        idle_.pop_back();
        return jail;
      }
    }
    return Jail::open({.limits = options_.python});
  }

  void give_back(std::unique_ptr<Jail> jail) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(jail));
  }

  Result<Outcome> run_python(const Program& program) {
    const Limits limits = limits_of(program, options_.python);
    const Jail::Message request = {"python", limits_text(limits), program.input, "0",
                                   program.source, program.tests};
    // An idle sandbox may have died of something else since; the program is judged by a fresh one.
    for (int tries = 0;; ++tries) {
      auto jail = tries == 0 ? idle_jail() : Jail::open({.limits = options_.python});
      if (!jail) return jail.error();
      const auto answer = (*jail)->exchange(request, limits.wall_seconds + kGraceSeconds);
      if (answer) {
        auto outcome = parse(*answer);
        if (!outcome) return nonsense();
        give_back(*std::move(jail));
        return *std::move(outcome);
      }
      if (tries > 0) return went_down(**jail);
    }
  }

  Result<Outcome> run_steps(const Program& program) {
    const Limits limits = limits_of(program, options_.toolchains);
    const auto recipe = recipe_for(program, limits);
    if (!recipe) return recipe.error();
    Jail::Message request = {"steps", limits_text(limits), program.input,
                             fmt::to_string(recipe->files.size())};
    for (const SourceFile& file : recipe->files) {
      request.insert(request.end(), {file.name, file.text});
    }
    double seconds_max = kGraceSeconds + limits.wall_seconds;
    for (const Step& step : recipe->steps) {
      const std::string_view separator("\0", 1);
      request.insert(request.end(), {step.compiles ? "compile" : "run",
                                     fmt::format("{}", fmt::join(step.arguments, separator))});
      if (step.compiles) seconds_max += 3 * limits.compile_seconds;
    }
    auto jail = Jail::open({.limits = limits, .toolchains = true});
    if (!jail) return jail.error();
    const auto answer = (*jail)->exchange(request, seconds_max);
    if (!answer) return went_down(**jail);
    auto outcome = parse(*answer);
    if (!outcome) return nonsense();
    return *std::move(outcome);
  }

  static Error nonsense() {
    return {ErrorCode::Internal, "the sandbox answered nonsense", "sandbox",
            "run the same program again; if it repeats, report it"};
  }

  const JudgeOptions options_;
  std::mutex mutex_;
  std::condition_variable place_freed_;
  int free_places_;                          // guarded by mutex_
  std::vector<std::unique_ptr<Jail>> idle_;  // guarded by mutex_
};

}  // namespace

std::unique_ptr<Judge> make_judge(const JudgeOptions& options) {
  return std::make_unique<BubblewrapJudge>(options);
}

Result<std::string> check() {
  auto jail = Jail::open({});
  if (!jail) return jail.error();
  const std::string group = (*jail)->control_group();
  jail->reset();
  const auto judge = make_judge({.sandboxes = 1});
  const auto outcome = judge->run({.language = "python", .source = "print(6 * 7)"});
  if (!outcome) return outcome.error();
  if (!outcome->passed() || outcome->output != "42\n") {
    return Error{ErrorCode::Unsupported,
                 fmt::format("a program in the sandbox gave '{}' {}", outcome->output,
                             outcome->errors),
                 "sandbox", "is the system's Python 3.9 or newer, with its standard library?"};
  }
  std::vector<std::string_view> languages = {"python"};
  for (const std::string_view language : compiled_languages()) {
    if (toolchain_available(language)) languages.push_back(language);
  }
  return fmt::format("bubblewrap, seccomp, rlimits, {}; runs {}",
                     group.empty() ? "no control group (not permitted here)"
                                   : fmt::format("control group ({})", group),
                     fmt::join(languages, ", "));
}

}  // namespace tinyarms::sandbox
