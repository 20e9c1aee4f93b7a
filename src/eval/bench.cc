#include "eval/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/file.h"
#include "base/sha256.h"
#include "eval/machine.h"
#include "eval/process_memory.h"
#include "eval/summarise.h"

namespace tinyarms::eval {
namespace {

using OrderedJson = nlohmann::ordered_json;

// Stands where nothing may run: choosing among options is judged without running anything.
class NoJudge final : public sandbox::Judge {
 public:
  Result<void> available(std::string_view) override { return refusal(); }
  Result<sandbox::Outcome> run(const sandbox::Program&) override { return refusal(); }

 private:
  static Error refusal() {
    return Error{ErrorCode::Unsupported, "no program is run here", "", ""};
  }
};

// What guessing among the options comes to over all items, those without options counting as
// missed. Options are alike by their place.
void add_guessing(BenchTask& bench) {
  NoJudge judge;
  double expected = 0;
  std::vector<uint64_t> right_at;
  bool any = false;
  for (const Item& item : bench.items) {
    if (item.mode != Mode::Choose || item.options.empty()) continue;
    any = true;
    size_t right = 0;
    right_at.resize(std::max(right_at.size(), item.options.size()));
    for (size_t i = 0; i < item.options.size(); ++i) {
      const auto verdict = bench.task->score(item, item.options[i], judge);
      if (!verdict || !verdict->correct) continue;
      ++right;
      ++right_at[i];
    }
    expected += static_cast<double>(right) / static_cast<double>(item.options.size());
  }
  if (!any) return;
  const double items = static_cast<double>(bench.items.size());
  bench.facts.random_option = expected / items;
  bench.facts.majority_option =
      static_cast<double>(*std::max_element(right_at.begin(), right_at.end())) / items;
}

std::vector<Item> spread(std::vector<Item> items, size_t limit) {
  if (limit == 0 || limit >= items.size()) return items;
  std::vector<Item> chosen;
  for (size_t i = 0; i < limit; ++i) {
    chosen.push_back(std::move(items[i * items.size() / limit]));
  }
  return chosen;
}

std::string hash_files(const Task& task, const std::filesystem::path& data) {
  std::string all;
  for (const std::string& name : task.files(data)) {
    const auto hash = sha256_file(data / name);
    all += fmt::format("{} {}\n", name, hash ? *hash : "missing");
  }
  return all.empty() ? "bundled" : sha256_hex(all);
}

// A file name that any subject's name can be: what is not plain becomes '_', a hash keeps them
// apart.
std::string file_stem(const std::string& subject) {
  std::string stem;
  for (const char c : subject) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-';
    stem += plain ? c : '_';
  }
  if (stem == subject && stem.front() != '.') return stem;
  return stem.substr(0, 80) + "-" + sha256_hex(subject).substr(0, 8);
}

OrderedJson run_identity(const Subject& subject, const RunOptions& run) {
  return {{"schema", kRecordSchema},
          {"subject", subject.name()},
          {"fingerprint", subject.fingerprint()},
          {"temperature", run.sampling.temperature},
          {"seed", run.sampling.seed},
          {"samples", run.samples}};
}

// A resumed run must be made of the same: its first difference is told.
Result<void> check_identity(const std::filesystem::path& path, const OrderedJson& now,
                            bool resume) {
  auto text = read_file(path, 1 << 20);
  if (!text && text.error().code == ErrorCode::NotFound) {
    return write_file_atomically(path, now.dump(1) + "\n");
  }
  if (!text) return text.error();
  const OrderedJson before = OrderedJson::parse(*text, nullptr, false);
  for (const auto& [key, value] : now.items()) {
    if (before.is_object() && before.contains(key) && before[key] == value) continue;
    if (!resume) break;
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("began with another {} ({}; now {})", key,
                             before.is_object() && before.contains(key) ? before[key].dump() : "?",
                             value.dump()),
                 path.string(), "run it as it began, or choose another --output"};
  }
  return {};
}

class Bench {
 public:
  Bench(const std::vector<BenchTask>& tasks, const BenchOptions& options, const RunAround& around)
      : tasks_(tasks), options_(options), around_(around) {
    Summary& summary = run_.summary;
    summary.version = options.version;
    summary.command = options.command;
    summary.engine = describe_engine();
    summary.machine = describe_machine();
    summary.started = around.clock.wall_seconds();
    summary.temperature = options.run.sampling.temperature;
    summary.seed = options.run.sampling.seed;
    summary.samples = options.run.samples;
    for (const BenchTask& task : tasks) summary.tasks.push_back(task.facts);
  }

  Result<BenchRun> run(const std::vector<SubjectSource>& sources) {
    for (const SubjectSource& source : sources) {
      if (auto done = run_subject(source); !done) return done.error();
    }
    Summary& summary = run_.summary;
    summary.complete = !run_.interrupted;
    summary.baselines = trivial_baselines(summary);
    summary.comparisons = compare_subjects(summary);
    return std::move(run_);
  }

 private:
  Result<void> run_subject(const SubjectSource& source) {
    SubjectFacts facts{.name = source.name, .fingerprint = {}, .note = source.note, .problem = {}};
    const std::filesystem::path path = records_file(options_.output, source.name);
    auto journal = Journal::open(
        path, options_.resume ? Journal::Begin::Resume : Journal::Begin::Afresh);
    if (!journal) return journal.error();
    if (!run_.interrupted) {
      reset_peak_memory();
      auto subject = source.open();
      if (subject) {
        facts.fingerprint = (*subject)->fingerprint();
        if (auto asked = ask(**subject, **journal, path); !asked) return asked.error();
      } else {
        facts.problem = subject.error().message();
      }
    }
    return add_results(facts, **journal, path);
  }

  Result<void> ask(Subject& subject, Journal& journal, const std::filesystem::path& path) {
    std::filesystem::path identity = path;
    identity.replace_extension(".run.json");
    if (auto same = check_identity(identity, run_identity(subject, options_.run), options_.resume);
        !same) {
      return same;
    }
    if (auto same = check_prompts(journal, path); !same) return same;
    for (const BenchTask& task : tasks_) {
      auto done =
          run_task(*task.task, task.items, subject, journal, options_.run, around_);
      if (done) continue;
      if (done.error().code != ErrorCode::Interrupted) return done;
      run_.interrupted = true;
      break;
    }
    return {};
  }

  // An item that was asked otherwise must not stand for the one that is asked now.
  Result<void> check_prompts(const Journal& journal, const std::filesystem::path& path) const {
    std::map<std::string, std::string> now;
    for (const BenchTask& task : tasks_) {
      for (const Item& item : task.items) now[record_id(*task.task, item, 0)] = prompt_sha(item);
    }
    for (const BenchRecord& record : journal.records()) {
      const auto at = now.find(fmt::format("{}/{}", record.task, record.item));
      if (at == now.end() || at->second == record.prompt_sha) continue;
      return Error{ErrorCode::InvalidArgument,
                   fmt::format("`{}` was asked with another prompt", record.id), path.string(),
                   "the task's data or template changed: choose another --output"};
    }
    return {};
  }

  Result<void> add_results(SubjectFacts& facts, const Journal& journal,
                           const std::filesystem::path& path) {
    auto failures = read_unmeasured(unmeasured_path(path));
    if (!failures) return failures.error();
    for (const BenchTask& task : tasks_) {
      std::set<std::string> planned;
      for (const Item& item : task.items) planned.insert(item.id);
      // An earlier run may have gone further than this one asks.
      std::vector<BenchRecord> records;
      for (const BenchRecord& record : journal.records()) {
        if (record.task == task.facts.name && record.sample < options_.run.samples &&
            planned.contains(record.item)) {
          records.push_back(record);
        }
      }
      std::vector<Unmeasured> unmeasured = *failures;
      if (!facts.problem.empty()) add_problem(task, facts.problem, records, unmeasured);
      TaskResult result = summarise_task(
          task.facts, facts, options_.run.samples, {.records = records, .failures = unmeasured});
      if (result.measured > 0) {
        run_.summary.scores[task.facts.name][facts.name] = item_scores(task.facts.name, records);
      }
      run_.summary.results.push_back(std::move(result));
    }
    run_.summary.subjects.push_back(std::move(facts));
    return {};
  }

  // Nothing that is planned may go missing from the account: each item counts, with the reason.
  void add_problem(const BenchTask& task, const std::string& problem,
                   const std::vector<BenchRecord>& records, std::vector<Unmeasured>& unmeasured) {
    std::set<std::string> measured;
    for (const BenchRecord& record : records) measured.insert(record.id);
    for (const Item& item : task.items) {
      for (int sample = 0; sample < options_.run.samples; ++sample) {
        std::string id = record_id(*task.task, item, sample);
        if (measured.contains(id)) continue;
        unmeasured.push_back({.id = std::move(id),
                              .task = task.facts.name,
                              .group = item.group,
                              .code = "unavailable",
                              .why = problem});
      }
    }
  }

  const std::vector<BenchTask>& tasks_;
  const BenchOptions& options_;
  const RunAround& around_;
  BenchRun run_;
};

}  // namespace

std::filesystem::path records_folder(const std::filesystem::path& output) {
  std::filesystem::path folder = output;
  return folder.replace_extension(".records");
}

std::filesystem::path records_file(const std::filesystem::path& output,
                                   const std::string& subject) {
  return records_folder(output) / (file_stem(subject) + ".jsonl");
}

BenchTask load_bench_task(const Task& task, const LoadOptions& options) {
  BenchTask bench;
  bench.task = &task;
  bench.facts.name = task.name();
  bench.facts.caveat = task.caveat();
  auto items = task.read(options.data);
  if (!items) {
    bench.facts.problem = items.error().message();
    return bench;
  }
  bench.facts.available = items->size();
  bench.items = spread(std::move(*items), options.limit);
  bench.facts.items = bench.items.size();
  bench.facts.data_sha = hash_files(task, options.data);
  std::string prompts;
  for (const Item& item : bench.items) {
    prompts += fmt::format("{} {} {}\n", item.id, prompt_sha(item), sha256_hex(item.reference));
  }
  bench.facts.prompts_sha = sha256_hex(prompts);
  add_guessing(bench);
  return bench;
}

Result<BenchRun> run_bench(const std::vector<BenchTask>& tasks,
                           const std::vector<SubjectSource>& subjects,
                           const BenchOptions& options, const RunAround& around) {
  auto run = Bench(tasks, options, around).run(subjects);
  if (!run) return run.error();
  if (auto written = write_file_atomically(options.output, summary_json(run->summary)); !written) {
    return written.error();
  }
  return run;
}

}  // namespace tinyarms::eval
