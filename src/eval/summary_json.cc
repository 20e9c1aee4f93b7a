// The summary's JSON, written and read. One function a part and direction; NaN is null.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "eval/summary.h"

namespace tinyarms::eval {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson number(double value) {
  return std::isfinite(value) ? OrderedJson(value) : OrderedJson(nullptr);
}

double number_from(const OrderedJson& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

OrderedJson interval_json(const Interval& interval) {
  return {number(interval.low), number(interval.high)};
}

Interval interval_from(const OrderedJson& pair) {
  return {number_from(pair.at(0)), number_from(pair.at(1))};
}

OrderedJson task_json(const TaskFacts& task) {
  return {{"name", task.name},
          {"caveat", task.caveat},
          {"data_sha", task.data_sha},
          {"prompts_sha", task.prompts_sha},
          {"items", task.items},
          {"available", task.available},
          {"random_option", task.random_option},
          {"majority_option", task.majority_option},
          {"problem", task.problem}};
}

TaskFacts task_from(const OrderedJson& json) {
  return {.name = json.at("name").get<std::string>(),
          .caveat = json.at("caveat").get<std::string>(),
          .data_sha = json.at("data_sha").get<std::string>(),
          .prompts_sha = json.at("prompts_sha").get<std::string>(),
          .items = json.at("items").get<uint64_t>(),
          .available = json.at("available").get<uint64_t>(),
          .random_option = json.at("random_option").get<double>(),
          .majority_option = json.at("majority_option").get<double>(),
          .problem = json.at("problem").get<std::string>()};
}

OrderedJson subject_json(const SubjectFacts& subject) {
  return {{"name", subject.name},
          {"fingerprint", subject.fingerprint},
          {"note", subject.note},
          {"problem", subject.problem}};
}

SubjectFacts subject_from(const OrderedJson& json) {
  return {.name = json.at("name").get<std::string>(),
          .fingerprint = json.at("fingerprint").get<std::string>(),
          .note = json.at("note").get<std::string>(),
          .problem = json.at("problem").get<std::string>()};
}

OrderedJson confidence_json(const ConfidenceResult& confidence) {
  OrderedJson curve = OrderedJson::array();
  for (const auto& point : confidence.risk_coverage) {
    curve.push_back({number(point.threshold), number(point.coverage), number(point.risk)});
  }
  OrderedJson bins = OrderedJson::array();
  for (const auto& bin : confidence.reliability) {
    bins.push_back({{"low", bin.low},
                    {"high", bin.high},
                    {"count", bin.count},
                    {"mean_forecast", bin.mean_forecast},
                    {"observed", bin.observed}});
  }
  return {{"signal", confidence.signal},
          {"auroc", number(confidence.auroc)},
          {"ece", number(confidence.ece)},
          {"risk_coverage", curve},
          {"reliability", bins}};
}

ConfidenceResult confidence_from(const OrderedJson& json) {
  ConfidenceResult confidence;
  json.at("signal").get_to(confidence.signal);
  confidence.auroc = number_from(json.at("auroc"));
  confidence.ece = number_from(json.at("ece"));
  for (const OrderedJson& point : json.at("risk_coverage")) {
    confidence.risk_coverage.push_back({.threshold = number_from(point.at(0)),
                                        .coverage = number_from(point.at(1)),
                                        .risk = number_from(point.at(2))});
  }
  for (const OrderedJson& bin : json.at("reliability")) {
    confidence.reliability.push_back({.low = bin.at("low").get<double>(),
                                      .high = bin.at("high").get<double>(),
                                      .count = bin.at("count").get<size_t>(),
                                      .weight = bin.at("count").get<double>(),
                                      .mean_forecast = bin.at("mean_forecast").get<double>(),
                                      .observed = bin.at("observed").get<double>()});
  }
  return confidence;
}

OrderedJson tier_json(const TierResult& tier) {
  return {{"name", tier.name},       {"answered", tier.answered},
          {"kept", tier.kept},       {"kept_correct", tier.kept_correct},
          {"correct", tier.correct}, {"seconds", tier.seconds}};
}

TierResult tier_from(const OrderedJson& json) {
  return {.name = json.at("name").get<std::string>(),
          .answered = json.at("answered").get<uint64_t>(),
          .kept = json.at("kept").get<uint64_t>(),
          .kept_correct = json.at("kept_correct").get<uint64_t>(),
          .correct = json.at("correct").get<uint64_t>(),
          .seconds = json.at("seconds").get<double>()};
}

OrderedJson result_json(const TaskResult& result) {
  OrderedJson groups = OrderedJson::array();
  for (const GroupResult& group : result.groups) {
    groups.push_back({{"name", group.name},
                      {"correct", group.count.hits},
                      {"measured", group.count.trials},
                      {"interval", interval_json(wilson(group.count))}});
  }
  OrderedJson passes = OrderedJson::array();
  for (const PassAtK& pass : result.pass_at_k) {
    passes.push_back(
        {{"k", pass.k}, {"value", pass.value}, {"interval", interval_json(pass.interval)}});
  }
  OrderedJson tiers = OrderedJson::array();
  for (const TierResult& tier : result.tiers) tiers.push_back(tier_json(tier));
  return {{"task", result.task},
          {"subject", result.subject},
          {"planned", result.planned},
          {"measured", result.measured},
          {"unmeasured", result.unmeasured},
          {"not_reached", result.not_reached},
          {"correct", result.correct},
          {"accuracy", result.measured > 0 ? OrderedJson(result.accuracy) : OrderedJson(nullptr)},
          {"interval", interval_json(result.interval)},
          {"groups", groups},
          {"pass_at_k", passes},
          {"seconds", result.seconds},
          {"prompt_tokens", result.prompt_tokens},
          {"tokens", result.tokens},
          {"peak_memory_bytes", result.peak_memory_bytes},
          {"tiers", tiers},
          {"confidence", confidence_json(result.confidence)},
          {"failures", result.failures}};
}

TaskResult result_from(const OrderedJson& json) {
  TaskResult result;
  json.at("task").get_to(result.task);
  json.at("subject").get_to(result.subject);
  json.at("planned").get_to(result.planned);
  json.at("measured").get_to(result.measured);
  json.at("unmeasured").get_to(result.unmeasured);
  json.at("not_reached").get_to(result.not_reached);
  json.at("correct").get_to(result.correct);
  if (!json.at("accuracy").is_null()) json.at("accuracy").get_to(result.accuracy);
  result.interval = interval_from(json.at("interval"));
  for (const OrderedJson& group : json.at("groups")) {
    result.groups.push_back({group.at("name").get<std::string>(),
                             {.hits = group.at("correct").get<uint64_t>(),
                              .trials = group.at("measured").get<uint64_t>()}});
  }
  for (const OrderedJson& pass : json.at("pass_at_k")) {
    result.pass_at_k.push_back({.k = pass.at("k").get<uint64_t>(),
                                .value = pass.at("value").get<double>(),
                                .interval = interval_from(pass.at("interval"))});
  }
  json.at("seconds").get_to(result.seconds);
  json.at("prompt_tokens").get_to(result.prompt_tokens);
  json.at("tokens").get_to(result.tokens);
  json.at("peak_memory_bytes").get_to(result.peak_memory_bytes);
  for (const OrderedJson& tier : json.at("tiers")) result.tiers.push_back(tier_from(tier));
  result.confidence = confidence_from(json.at("confidence"));
  json.at("failures").get_to(result.failures);
  return result;
}

OrderedJson figure_json(const EmbeddingFigure& figure) {
  return {{"task", figure.task},   {"subject", figure.subject},
          {"name", figure.name},   {"value", number(figure.value)},
          {"interval", interval_json(figure.interval)},
          {"items", figure.items}, {"seconds", figure.seconds}};
}

EmbeddingFigure figure_from(const OrderedJson& json) {
  return {.task = json.at("task").get<std::string>(),
          .subject = json.at("subject").get<std::string>(),
          .name = json.at("name").get<std::string>(),
          .value = number_from(json.at("value")),
          .interval = interval_from(json.at("interval")),
          .items = json.at("items").get<uint64_t>(),
          .seconds = json.at("seconds").get<double>()};
}

OrderedJson comparison_json(const Comparison& comparison) {
  const Paired& paired = comparison.paired;
  return {{"task", comparison.task},
          {"first", comparison.first},
          {"second", comparison.second},
          {"items", paired.items},
          {"first_accuracy", paired.first},
          {"second_accuracy", paired.second},
          {"difference", paired.difference},
          {"interval", interval_json(paired.interval)},
          {"only_first", paired.only_first},
          {"only_second", paired.only_second},
          {"mcnemar_p", paired.p_value}};
}

Comparison comparison_from(const OrderedJson& json) {
  return {.task = json.at("task").get<std::string>(),
          .first = json.at("first").get<std::string>(),
          .second = json.at("second").get<std::string>(),
          .paired = {.items = json.at("items").get<uint64_t>(),
                     .first = json.at("first_accuracy").get<double>(),
                     .second = json.at("second_accuracy").get<double>(),
                     .difference = json.at("difference").get<double>(),
                     .interval = interval_from(json.at("interval")),
                     .only_first = json.at("only_first").get<uint64_t>(),
                     .only_second = json.at("only_second").get<uint64_t>(),
                     .p_value = json.at("mcnemar_p").get<double>()}};
}

OrderedJson baseline_json(const Baseline& baseline) {
  return {{"task", baseline.task},
          {"name", baseline.name},
          {"accuracy", number(baseline.accuracy)},
          {"what", baseline.what}};
}

Baseline baseline_from(const OrderedJson& json) {
  return {.task = json.at("task").get<std::string>(),
          .name = json.at("name").get<std::string>(),
          .accuracy = number_from(json.at("accuracy")),
          .what = json.at("what").get<std::string>()};
}

template <typename T>
OrderedJson array_of(const std::vector<T>& values, OrderedJson (*each)(const T&)) {
  OrderedJson array = OrderedJson::array();
  for (const T& value : values) array.push_back(each(value));
  return array;
}

template <typename T>
std::vector<T> vector_from(const OrderedJson& array, T (*each)(const OrderedJson&)) {
  std::vector<T> values;
  for (const OrderedJson& value : array) values.push_back(each(value));
  return values;
}

Summary summary_from(const OrderedJson& json) {
  Summary summary;
  json.at("version").get_to(summary.version);
  json.at("command").get_to(summary.command);
  json.at("engine").get_to(summary.engine);
  json.at("machine").get_to(summary.machine);
  json.at("started").get_to(summary.started);
  json.at("temperature").get_to(summary.temperature);
  json.at("seed").get_to(summary.seed);
  json.at("samples").get_to(summary.samples);
  json.at("complete").get_to(summary.complete);
  summary.tasks = vector_from(json.at("tasks"), task_from);
  summary.subjects = vector_from(json.at("subjects"), subject_from);
  summary.results = vector_from(json.at("results"), result_from);
  summary.figures = vector_from(json.at("embedding_figures"), figure_from);
  summary.baselines = vector_from(json.at("baselines"), baseline_from);
  summary.comparisons = vector_from(json.at("comparisons"), comparison_from);
  json.at("scores").get_to(summary.scores);
  return summary;
}

}  // namespace

std::string summary_json(const Summary& summary) {
  const OrderedJson json = {{"schema", kSummarySchema},
                     {"version", summary.version},
                     {"command", summary.command},
                     {"engine", summary.engine},
                     {"machine", summary.machine},
                     {"started", summary.started},
                     {"temperature", summary.temperature},
                     {"seed", summary.seed},
                     {"samples", summary.samples},
                     {"complete", summary.complete},
                     {"tasks", array_of(summary.tasks, task_json)},
                     {"subjects", array_of(summary.subjects, subject_json)},
                     {"results", array_of(summary.results, result_json)},
                     {"embedding_figures", array_of(summary.figures, figure_json)},
                     {"baselines", array_of(summary.baselines, baseline_json)},
                     {"comparisons", array_of(summary.comparisons, comparison_json)},
                     {"scores", summary.scores}};
  return json.dump(1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

Result<Summary> parse_summary(std::string_view text) {
  const OrderedJson json = OrderedJson::parse(text, nullptr, false);
  if (!json.is_object()) {
    return Error{ErrorCode::Corrupt, "is no bench summary: not a JSON object", "",
                 "name what `tinyarms bench --output` wrote"};
  }
  const auto schema = json.find("schema");
  if (schema == json.end() || *schema != kSummarySchema) {
    return Error{ErrorCode::Unsupported,
                 fmt::format("is no summary of the schema {}", kSummarySchema), "",
                 "name what this tinyArms' `bench --output` wrote"};
  }
  try {
    return summary_from(json);
  } catch (const OrderedJson::exception& problem) {
    return Error{ErrorCode::Corrupt, fmt::format("is no bench summary: {}", problem.what()), "",
                 "measure again"};
  }
}

Result<Summary> read_summary(const std::filesystem::path& file) {
  constexpr size_t kBytesMax = size_t{256} << 20;
  auto text = read_file(file, kBytesMax);
  if (!text) return text.error();
  auto summary = parse_summary(*text);
  if (summary) return summary;
  Error error = summary.error();
  error.where = file.string();
  return error;
}

}  // namespace tinyarms::eval
