#include "eval/score_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "base/file.h"
#include "eval/data_file.h"

namespace tinyarms::eval {
namespace {

using OrderedJson = nlohmann::ordered_json;

struct Sample {
  std::string task_id;
  std::string text;
  bool completion = false;
  const Item* item = nullptr;  // none: an unknown task_id
};

// A number as an id ("task_id": 11 in MBPP) is its digits.
std::optional<std::string> id_of(const OrderedJson& object) {
  const auto id = object.find("task_id");
  if (id == object.end()) return std::nullopt;
  if (id->is_string()) return id->get<std::string>();
  if (id->is_number_integer()) return id->dump();
  return std::nullopt;
}

Result<Sample> parse_sample(std::string_view line) {
  const auto bad = [](std::string what) {
    return Error{ErrorCode::Corrupt, std::move(what), "",
                 "each line is {\"task_id\", \"solution\"} or {\"task_id\", \"completion\"}"};
  };
  const OrderedJson object = OrderedJson::parse(line, nullptr, false);
  if (!object.is_object()) return bad("is not a JSON object");
  Sample sample;
  const auto id = id_of(object);
  if (!id) return bad("lacks `task_id`");
  sample.task_id = *id;
  const auto solution = object.find("solution");
  const auto completion = object.find("completion");
  const bool has_solution = solution != object.end() && solution->is_string();
  const bool has_completion = completion != object.end() && completion->is_string();
  if (has_solution == has_completion) return bad("has not just one text of the two");
  sample.completion = has_completion;
  sample.text = (has_completion ? *completion : *solution).get<std::string>();
  return sample;
}

Result<std::vector<Sample>> read_samples(const ScoreOptions& options,
                                         const std::map<std::string, const Item*>& items) {
  auto text = read_data_file(options.samples.parent_path(), options.samples.filename().string());
  if (!text) {
    Error error = text.error();
    if (error.code == ErrorCode::NotFound) error.hint = "name a file of samples with --samples";
    return error;
  }
  std::vector<Sample> samples;
  auto read = each_line(*text, options.samples.string(),
                        [&](std::string_view line, const std::string& where) -> Result<void> {
                          auto sample = parse_sample(line);
                          if (!sample) {
                            Error error = sample.error();
                            error.where = where;
                            return error;
                          }
                          const auto item = items.find(sample->task_id);
                          if (item != items.end()) sample->item = item->second;
                          samples.push_back(std::move(*sample));
                          return {};
                        });
  if (!read) return read.error();
  return samples;
}

Result<Verdict> judge_sample(const Task& task, const Sample& sample, sandbox::Judge& judge) {
  if (sample.item == nullptr) {
    return Error{ErrorCode::NotFound, "the task has no such item", sample.task_id, ""};
  }
  return sample.completion ? task.score_completion(*sample.item, sample.text, judge)
                           : task.score(*sample.item, sample.text, judge);
}

std::string verdict_line(const Sample& sample, const Result<Verdict>& verdict) {
  OrderedJson line = {{"task_id", sample.task_id}};
  line["correct"] = verdict ? OrderedJson(verdict->correct) : OrderedJson(nullptr);
  line["reason"] = verdict ? verdict->reason : "not measured: " + verdict.error().message();
  return line.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

ScoredSamples account_for(const Task& task, const std::vector<Item>& items,
                          const std::vector<Sample>& samples,
                          const std::vector<std::optional<Result<Verdict>>>& verdicts) {
  ScoredSamples scored;
  scored.task = task.name();
  scored.samples = samples.size();
  std::map<std::string, Samples> by_item;
  for (size_t i = 0; i < samples.size(); ++i) {
    const Result<Verdict>& verdict = *verdicts[i];
    if (samples[i].item == nullptr) {
      ++scored.unknown;
    } else if (!verdict) {
      ++scored.unmeasured;
      ++scored.failures[verdict.error().message()];
    } else {
      ++scored.count.trials;
      Samples& item = by_item[samples[i].task_id];
      ++item.drawn;
      if (!verdict->correct) continue;
      ++scored.count.hits;
      ++item.correct;
    }
  }
  scored.items_missing = items.size() - std::min(items.size(), by_item.size());
  uint64_t fewest = by_item.empty() ? 0 : UINT64_MAX;
  for (const auto& [id, item] : by_item) fewest = std::min(fewest, item.drawn);
  for (const uint64_t k : {uint64_t{1}, uint64_t{10}, uint64_t{100}}) {
    if (k > fewest) break;
    double sum = 0;
    for (const auto& [id, item] : by_item) sum += pass_at_k(item, k);
    scored.pass_at_k[k] = sum / static_cast<double>(by_item.size());
  }
  return scored;
}

}  // namespace

Result<ScoredSamples> score_samples(const Task& task, const ScoreOptions& options,
                                    sandbox::Judge& judge, const StopFlag& stop) {
  auto items = task.read(options.data);
  if (!items) return items.error();
  std::map<std::string, const Item*> by_id;
  for (const Item& item : *items) by_id[item.id] = &item;
  auto samples = read_samples(options, by_id);
  if (!samples) return samples.error();

  std::vector<std::optional<Result<Verdict>>> verdicts(samples->size());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next++; i < samples->size() && !stop.raised(); i = next++) {
      verdicts[i] = judge_sample(task, (*samples)[i], judge);
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < options.concurrency; ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  if (stop.raised()) return Error{ErrorCode::Interrupted, "stopped; nothing is written", "", ""};

  std::string lines;
  for (size_t i = 0; i < samples->size(); ++i) {
    lines += verdict_line((*samples)[i], *verdicts[i]);
  }
  if (auto written = write_file_atomically(options.output, lines); !written) {
    return written.error();
  }
  return account_for(task, *items, *samples, verdicts);
}

std::string scored_json(const ScoredSamples& scored) {
  const Interval interval = wilson(scored.count);
  OrderedJson json = {{"task", scored.task},
               {"samples", scored.samples},
               {"measured", scored.count.trials},
               {"correct", scored.count.hits},
               {"interval", {interval.low, interval.high}},
               {"unmeasured", scored.unmeasured},
               {"unknown_task_id", scored.unknown},
               {"items_without_sample", scored.items_missing},
               {"failures", scored.failures}};
  for (const auto& [k, value] : scored.pass_at_k) {
    json["pass_at_k"][fmt::format("{}", k)] = value;
  }
  return json.dump(1) + "\n";
}

std::string scored_text(const ScoredSamples& scored) {
  const Interval interval = wilson(scored.count);
  const double share = scored.count.trials > 0 ? static_cast<double>(scored.count.hits) /
                                                     static_cast<double>(scored.count.trials)
                                               : 0;
  std::string text = fmt::format("{}: {} of {} samples correct, {:.1f} % [{:.1f}, {:.1f}]\n",
                                 scored.task, scored.count.hits, scored.count.trials, 100 * share,
                                 100 * interval.low, 100 * interval.high);
  for (const auto& [k, value] : scored.pass_at_k) {
    text += fmt::format("pass@{} {:.2f} %\n", k, 100 * value);
  }
  if (scored.items_missing > 0) {
    text += fmt::format("{} items have no sample\n", scored.items_missing);
  }
  if (scored.unknown > 0) {
    text += fmt::format("{} samples of a task_id that the data does not have\n", scored.unknown);
  }
  for (const auto& [why, count] : scored.failures) {
    text += fmt::format("{} × not measured: {}\n", count, why);
  }
  return text;
}

}  // namespace tinyarms::eval
