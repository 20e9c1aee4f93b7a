#include "eval/trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/sha256.h"
#include "eval/own_failures.h"
#include "eval/summarise.h"
#include "eval/validate.h"

namespace tinyarms::eval {
namespace {

using TrialJson = nlohmann::ordered_json;

constexpr const char* kTrialSchema = "tinyarms-trial/1";
constexpr size_t kTrialBytesMax = size_t{4} << 20;
constexpr size_t kTrialsMax = 1000;
constexpr double kTestLevel = 0.05;

TrialJson trial_model_json(const TrialModel& model) {
  return {{"model", model.name},
          {"sha256", model.sha256},
          {"quantization", model.quantization},
          {"file_bytes", model.file_bytes},
          {"memory_bytes", model.memory_bytes},
          {"prompt_tokens_per_second", model.prompt_tokens_rate},
          {"answer_tokens_per_second", model.answer_tokens_rate},
          {"seconds_per_item", model.seconds_per_item}};
}

TrialModel read_trial_model(const TrialJson& json) {
  return {.name = json.at("model"),
          .sha256 = json.at("sha256"),
          .quantization = json.at("quantization"),
          .file_bytes = json.at("file_bytes"),
          .memory_bytes = json.at("memory_bytes"),
          .prompt_tokens_rate = json.at("prompt_tokens_per_second"),
          .answer_tokens_rate = json.at("answer_tokens_per_second"),
          .seconds_per_item = json.at("seconds_per_item")};
}

TrialJson trial_task_json(const TrialTask& task) {
  return {{"task", task.name},
          {"items", task.paired.items},
          {"in_use", task.paired.first},
          {"on_trial", task.paired.second},
          {"only_in_use", task.paired.only_first},
          {"only_on_trial", task.paired.only_second},
          {"p_value", task.paired.p_value},
          {"one_sided", task.one_sided},
          {"unmeasured", task.unmeasured}};
}

TrialTask read_trial_task(const TrialJson& json) {
  TrialTask task;
  task.name = json.at("task");
  task.one_sided = json.at("one_sided");
  task.unmeasured = json.at("unmeasured");
  Paired& paired = task.paired;
  paired.items = json.at("items");
  paired.first = json.at("in_use");
  paired.second = json.at("on_trial");
  paired.only_first = json.at("only_in_use");
  paired.only_second = json.at("only_on_trial");
  paired.p_value = json.at("p_value");
  paired.difference = paired.second - paired.first;
  return task;
}

TrialJson trial_calibration_json(const TrialCalibration& calibration) {
  return {{"written", calibration.written},
          {"right", calibration.right},
          {"brier", calibration.brier},
          {"brier_of_share", calibration.brier_of_share},
          {"problem", calibration.problem}};
}

TrialCalibration read_trial_calibration(const TrialJson& json) {
  return {.written = json.at("written"),
          .right = json.at("right"),
          .brier = json.at("brier"),
          .brier_of_share = json.at("brier_of_share"),
          .problem = json.at("problem")};
}

Trial read_trial_object(const TrialJson& json) {
  Trial trial;
  trial.at = json.at("at");
  trial.version = json.at("version");
  trial.engine = json.at("engine");
  trial.tier = json.at("tier");
  trial.context_tokens = json.at("context_tokens");
  trial.threads = json.at("threads");
  trial.in_use = read_trial_model(json.at("in_use"));
  trial.on_trial = read_trial_model(json.at("on_trial"));
  for (const TrialJson& task : json.at("tasks")) trial.tasks.push_back(read_trial_task(task));
  trial.all = read_trial_task(json.at("all"));
  trial.calibration = read_trial_calibration(json.at("calibration"));
  return trial;
}

// What no run could have written.
bool contradicts_itself(const TrialTask& task) {
  const Paired& paired = task.paired;
  const auto share = [](double value) { return value >= 0 && value <= 1; };
  return !share(paired.first) || !share(paired.second) || !share(paired.p_value) ||
         paired.only_first > paired.items || paired.only_second > paired.items ||
         paired.only_first + paired.only_second > paired.items;
}

using ItemScores = std::map<std::string, double>;

const ItemScores& trial_scores(const Summary& summary, const std::string& task,
                            const std::string& subject) {
  static const ItemScores kNone;
  const auto of_task = summary.scores.find(task);
  if (of_task == summary.scores.end()) return kNone;
  const auto scores = of_task->second.find(subject);
  return scores == of_task->second.end() ? kNone : scores->second;
}

double mean_seconds(const Summary& summary, const std::string& subject) {
  double seconds = 0;
  uint64_t measured = 0;
  for (const TaskResult& result : summary.results) {
    if (result.subject != subject) continue;
    seconds += result.seconds;
    measured += result.measured;
  }
  return measured > 0 ? seconds / static_cast<double>(measured) : 0;
}

std::string in_points(double value) { return fmt::format("{:+.1f}", value); }

}  // namespace

void count_outcomes(const Summary& summary, Trial& trial) {
  std::vector<ScorePair> all;
  trial.tasks.clear();
  trial.all = {};
  trial.all.name = "all";
  for (const TaskFacts& facts : summary.tasks) {
    const ItemScores& in_use = trial_scores(summary, facts.name, trial.in_use.name);
    const ItemScores& on_trial = trial_scores(summary, facts.name, trial.on_trial.name);
    const std::vector<ScorePair> pairs = pair_up(in_use, on_trial);
    TrialTask& task = trial.tasks.emplace_back();
    task.name = facts.name;
    task.paired = compare(pairs);
    task.one_sided = in_use.size() + on_trial.size() - 2 * pairs.size();
    task.unmeasured = facts.items - std::min<uint64_t>(facts.items, pairs.size() + task.one_sided);
    if (facts.name == kOwnFailures) continue;  // nobody wins by what was chosen for failing
    trial.all.one_sided += task.one_sided;
    trial.all.unmeasured += task.unmeasured;
    all.insert(all.end(), pairs.begin(), pairs.end());
  }
  trial.all.paired = compare(all);
  trial.in_use.seconds_per_item = mean_seconds(summary, trial.in_use.name);
  trial.on_trial.seconds_per_item = mean_seconds(summary, trial.on_trial.name);
}

std::string_view trial_finding_text(TrialFinding finding) {
  switch (finding) {
    case TrialFinding::Better: return "better";
    case TrialFinding::NotShown: return "not shown";
    case TrialFinding::Worse: return "worse";
  }
  return "";
}

TrialVerdict judge_trial(const Trial& trial, double margin_points) {
  const Paired& paired = trial.all.paired;
  TrialVerdict verdict;
  verdict.margin = margin_points;
  verdict.interval = {-100, 100};
  if (paired.items == 0) {
    verdict.reason = "no question was measured of both models";
    return verdict;
  }
  verdict.difference = 100 * paired.difference;
  verdict.interval = paired_interval(paired);
  const std::string figures = fmt::format(
      "{} points [{}, {}], p {:.2g}, margin {:g}", in_points(verdict.difference),
      in_points(verdict.interval.low), in_points(verdict.interval.high), paired.p_value,
      margin_points);
  if (trial.all.one_sided > 0) {
    verdict.reason = fmt::format("{}; {} questions were measured of one model alone", figures,
                                 trial.all.one_sided);
    return verdict;
  }
  const bool tested = paired.p_value < kTestLevel;
  if (tested && verdict.interval.low > margin_points) verdict.finding = TrialFinding::Better;
  if (tested && verdict.interval.high < 0) verdict.finding = TrialFinding::Worse;
  verdict.reason = figures;
  return verdict;
}

std::string trial_json(const Trial& trial, const TrialVerdict& verdict) {
  TrialJson tasks = TrialJson::array();
  for (const TrialTask& task : trial.tasks) tasks.push_back(trial_task_json(task));
  const TrialJson json = {
      {"schema", kTrialSchema},
      {"at", trial.at},
      {"version", trial.version},
      {"engine", trial.engine},
      {"tier", trial.tier},
      {"context_tokens", trial.context_tokens},
      {"threads", trial.threads},
      {"in_use", trial_model_json(trial.in_use)},
      {"on_trial", trial_model_json(trial.on_trial)},
      {"tasks", std::move(tasks)},
      {"all", trial_task_json(trial.all)},
      {"calibration", trial_calibration_json(trial.calibration)},
      {"verdict",
       {{"finding", trial_finding_text(verdict.finding)},
        {"difference_points", verdict.difference},
        {"interval_points", {verdict.interval.low, verdict.interval.high}},
        {"margin_points", verdict.margin},
        {"reason", verdict.reason}}}};
  return json.dump(1, ' ', false, TrialJson::error_handler_t::replace) + "\n";
}

Result<Trial> parse_trial(std::string_view text) {
  const TrialJson json = TrialJson::parse(text, nullptr, false);
  if (!json.is_object()) return Error{ErrorCode::Corrupt, "is no trial: not a JSON object", "", ""};
  if (!json.contains("schema") || json["schema"] != kTrialSchema) {
    return Error{ErrorCode::Unsupported, fmt::format("is not of schema {}", kTrialSchema), "",
                 "repeat the trial"};
  }
  try {
    Trial trial = read_trial_object(json);
    const bool sound = !contradicts_itself(trial.all) &&
                       std::none_of(trial.tasks.begin(), trial.tasks.end(), contradicts_itself);
    if (sound && std::isfinite(trial.at)) return trial;
    return Error{ErrorCode::Corrupt, "is no trial: its figures contradict each other", "",
                 "repeat the trial"};
  } catch (const TrialJson::exception& problem) {
    return Error{ErrorCode::Corrupt, fmt::format("is no trial: {}", problem.what()), "",
                 "repeat the trial"};
  }
}

// Whatever an answer depends on is in the name: a run never continues another one's.
TrialFiles trial_files(const std::filesystem::path& trials, const Trial& trial) {
  std::string key =
      fmt::format("{}\n{} {}\n", trial.engine, trial.context_tokens, trial.threads);
  for (const TrialModel* model : {&trial.in_use, &trial.on_trial}) {
    key += fmt::format("{} {}\n", model->sha256, model->name);
  }
  return {trials / sha256_hex(key).substr(0, 16)};
}

std::vector<StoredTrial> stored_trials(const std::filesystem::path& trials) {
  std::vector<StoredTrial> found;
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator(trials, problem)) {
    if (found.size() >= kTrialsMax) break;
    const TrialFiles files{entry.path()};
    const auto text = read_file(files.trial(), kTrialBytesMax);
    if (!text) continue;
    auto trial = parse_trial(*text);
    if (trial) found.push_back({std::move(*trial), files});
  }
  std::sort(found.begin(), found.end(), [](const StoredTrial& a, const StoredTrial& b) {
    return a.trial.at > b.trial.at;
  });
  return found;
}

}  // namespace tinyarms::eval
