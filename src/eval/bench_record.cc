#include "eval/bench_record.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace tinyarms::eval {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::string line_of(const OrderedJson& object) {
  return object.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

OrderedJson value_of(const cascade::EvidenceValue& value) {
  if (const double* number = std::get_if<double>(&value)) {
    return std::isfinite(*number) ? OrderedJson(*number) : OrderedJson(nullptr);
  }
  if (const bool* flag = std::get_if<bool>(&value)) return *flag;
  return std::get<std::string>(value);
}

cascade::Evidence evidence_from(const OrderedJson& object) {
  cascade::Evidence evidence;
  for (const auto& [name, value] : object.items()) {
    if (value.is_boolean()) {
      evidence.set(name, value.get<bool>());
    } else if (value.is_number()) {
      evidence.set(name, value.get<double>());
    } else if (value.is_string()) {
      evidence.set(name, value.get<std::string>());
    }
  }
  return evidence;
}

Result<OrderedJson> parse_object(std::string_view line) {
  OrderedJson object = OrderedJson::parse(line, nullptr, false);
  if (!object.is_object()) {
    return Error{ErrorCode::Corrupt, "is not a JSON object", "", "see docs/bench.md"};
  }
  const auto schema = object.find("schema");
  if (schema == object.end() || *schema != kRecordSchema) {
    return Error{ErrorCode::Unsupported,
                 fmt::format("has another schema than {}", kRecordSchema), "",
                 "read it with the tinyArms that wrote it"};
  }
  return object;
}

}  // namespace

std::string record_line(const BenchRecord& record) {
  OrderedJson evidence = OrderedJson::object();
  for (const auto& [name, value] : record.evidence.items()) evidence[name] = value_of(value);
  return line_of(OrderedJson{{"schema", kRecordSchema},
                      {"id", record.id},
                      {"task", record.task},
                      {"item", record.item},
                      {"group", record.group},
                      {"sample", record.sample},
                      {"subject", record.subject},
                      {"prompt_sha", record.prompt_sha},
                      {"tier", record.tier},
                      {"model_sha", record.model_sha},
                      {"quantization", record.quantization},
                      {"answer", record.answer},
                      {"evidence", std::move(evidence)},
                      {"correct", record.correct},
                      {"reason", record.reason},
                      {"kept", record.kept},
                      {"prompt_tokens", record.prompt_tokens},
                      {"tokens", record.tokens},
                      {"seconds", record.seconds},
                      {"peak_memory_bytes", record.peak_memory_bytes}});
}

Result<BenchRecord> parse_bench_record(std::string_view line) {
  auto object = parse_object(line);
  if (!object) return object.error();
  BenchRecord record;
  try {
    object->at("id").get_to(record.id);
    object->at("task").get_to(record.task);
    object->at("item").get_to(record.item);
    object->at("group").get_to(record.group);
    object->at("sample").get_to(record.sample);
    object->at("subject").get_to(record.subject);
    object->at("prompt_sha").get_to(record.prompt_sha);
    object->at("tier").get_to(record.tier);
    object->at("model_sha").get_to(record.model_sha);
    object->at("quantization").get_to(record.quantization);
    object->at("answer").get_to(record.answer);
    record.evidence = evidence_from(object->at("evidence"));
    object->at("correct").get_to(record.correct);
    object->at("reason").get_to(record.reason);
    object->at("kept").get_to(record.kept);
    object->at("prompt_tokens").get_to(record.prompt_tokens);
    object->at("tokens").get_to(record.tokens);
    object->at("seconds").get_to(record.seconds);
    object->at("peak_memory_bytes").get_to(record.peak_memory_bytes);
  } catch (const OrderedJson::exception& problem) {
    return Error{ErrorCode::Corrupt, fmt::format("is no bench record: {}", problem.what()), "",
                 "see docs/bench.md"};
  }
  if (record.id.empty() || !(record.seconds > 0)) {
    return Error{ErrorCode::Corrupt, "is no bench record: `id` is empty or `seconds` not above 0",
                 "", "see docs/bench.md"};
  }
  return record;
}

std::string unmeasured_line(const Unmeasured& failure) {
  return line_of(OrderedJson{{"schema", kRecordSchema},
                      {"id", failure.id},
                      {"task", failure.task},
                      {"group", failure.group},
                      {"code", failure.code},
                      {"why", failure.why}});
}

Result<Unmeasured> parse_unmeasured(std::string_view line) {
  auto object = parse_object(line);
  if (!object) return object.error();
  Unmeasured failure;
  try {
    object->at("id").get_to(failure.id);
    object->at("task").get_to(failure.task);
    object->at("group").get_to(failure.group);
    object->at("code").get_to(failure.code);
    object->at("why").get_to(failure.why);
  } catch (const OrderedJson::exception& problem) {
    return Error{ErrorCode::Corrupt, fmt::format("is no failure: {}", problem.what()), "",
                 "see docs/bench.md"};
  }
  return failure;
}

}  // namespace tinyarms::eval
