#include "service/reply_json.h"

#include <cmath>

namespace tinyarms::service {
namespace {

using Json = nlohmann::ordered_json;

// JSON has neither NaN nor infinity; null says "no number" honestly.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json number(const std::optional<double>& value) { return value ? number(*value) : Json(nullptr); }

std::string_view finish_name(cascade::Finish finish) {
  switch (finish) {
    case cascade::Finish::Stop: return "stop";
    case cascade::Finish::Length: return "length";
    case cascade::Finish::Interrupted: return "interrupted";
    case cascade::Finish::Abandoned: return "abandoned";
  }
  return "stop";
}

Json evidence_json(const cascade::Evidence& evidence) {
  Json object = Json::object();
  for (const auto& [name, value] : evidence.items()) {
    if (const auto* real = std::get_if<double>(&value)) object[name] = number(*real);
    if (const auto* flag = std::get_if<bool>(&value)) object[name] = *flag;
    if (const auto* text = std::get_if<std::string>(&value)) object[name] = *text;
  }
  return object;
}

Json cost_json(const cascade::Cost& cost) {
  return {{"prompt_tokens", cost.prompt_tokens},
          {"completion_tokens", cost.completion_tokens},
          {"prefill_seconds", number(cost.prefill_seconds)},
          {"decode_seconds", number(cost.decode_seconds)},
          {"load_seconds", number(cost.load_seconds)},
          {"dollars", number(cost.dollars)}};
}

Json calls_json(const std::vector<cascade::ToolCall>& calls) {
  Json list = Json::array();
  for (const cascade::ToolCall& call : calls) {
    list.push_back({{"id", call.id}, {"name", call.name}, {"arguments", call.arguments}});
  }
  return list;
}

Json headstart_json(const cascade::SpentHeadstart& spent) {
  return {{"tier", cascade::level_name(spent.level)},
          {"used", spent.used},
          {"tokens", spent.report.tokens},
          {"complete", spent.report.complete},
          {"seconds", number(spent.report.seconds)},
          {"load_seconds", number(spent.report.load_seconds)},
          {"problem", spent.report.problem}};
}

Json usage_json(const cascade::Trace& trace) {
  int64_t prompt = 0;
  int64_t completion = 0;
  double seconds = 0;
  for (const cascade::Step& step : trace) {
    prompt += step.attempt.cost.prompt_tokens;
    completion += step.attempt.cost.completion_tokens;
    seconds += step.seconds;
  }
  return {{"prompt_tokens", prompt},
          {"completion_tokens", completion},
          {"total_tokens", prompt + completion},
          {"seconds", number(seconds)}};
}

}  // namespace

Json step_json(const cascade::Step& step) {
  Json json = {{"tier", cascade::level_name(step.level)},
          {"decision", cascade::decision_name(step.decision)},
          {"reason", step.reason},
          {"error", step.error ? Json(error_code_name(*step.error)) : Json(nullptr)},
          {"source", step.attempt.source},
          {"notice", step.attempt.notice},
          {"confidence", number(step.confidence)},
          {"calibrated", step.calibrated},
          {"certified", step.certified},
          {"threshold", number(step.threshold)},
          {"propensity", number(step.propensity)},
          {"group", step.attempt.group},
          {"seconds", number(step.seconds)},
          {"evidence", evidence_json(step.attempt.evidence)},
          {"cost", cost_json(step.attempt.cost)},
          {"answer", step.attempt.answered ? Json(step.attempt.answer) : Json(nullptr)}};
  if (step.headstart) json["headstart"] = headstart_json(*step.headstart);
  for (const cascade::Attempt& other : step.attempt.others) {
    json["others"].push_back({{"source", other.source},
                              {"evidence", evidence_json(other.evidence)},
                              {"cost", cost_json(other.cost)},
                              {"answer", other.answer}});
  }
  if (!step.attempt.tool_calls.empty()) json["tool_calls"] = calls_json(step.attempt.tool_calls);
  return json;
}

Json reply_json(const cascade::Reply& reply, bool with_trace) {
  const cascade::Step* step = reply.step();
  Json object = {
      {"answer", step ? Json(step->attempt.answer) : Json(nullptr)},
      {"tier", step ? Json(cascade::level_name(step->level)) : Json(nullptr)},
      {"confidence", step ? number(step->confidence) : Json(nullptr)},
      {"calibrated", step != nullptr && step->calibrated},
      {"certified", step != nullptr && step->certified},
      {"sure", reply.sure},
      {"interrupted", reply.interrupted},
      {"source", step ? Json(step->attempt.source) : Json(nullptr)},
      {"notice", step ? Json(step->attempt.notice) : Json("")},
      {"finish", step ? Json(finish_name(step->attempt.finish)) : Json(nullptr)},
      {"id", reply.id.empty() ? Json(nullptr) : Json(reply.id)},
  };
  if (with_trace) {
    Json& trace = object["trace"] = Json::array();
    for (const cascade::Step& one : reply.trace) trace.push_back(step_json(one));
  }
  object["usage"] = usage_json(reply.trace);
  return object;
}

Json plan_json(const cascade::Trace& plan) {
  Json steps = Json::array();
  for (const cascade::Step& step : plan) {
    steps.push_back({{"tier", cascade::level_name(step.level)},
                     {"would_run", step.decision != cascade::Decision::Skip},
                     {"source", step.attempt.source},
                     {"reason", step.reason}});
    if (auto route = step.attempt.evidence.text(cascade::signal::kRouteReason)) {
      steps.back()["route_reason"] = *route;
    }
  }
  return {{"plan", steps}};
}

Json error_json(const Error& error) {
  return {{"error",
           {{"code", error_code_name(error.code)},
            {"message", error.message()},
            {"what", error.what},
            {"where", error.where},
            {"hint", error.hint}}}};
}

std::string json_text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tinyarms::service
