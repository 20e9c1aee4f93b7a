#include "resident/wire.h"

#include <array>
#include <limits>

#include "service/reply_json.h"

namespace tinyarms::resident {
namespace {

using Json = nlohmann::ordered_json;
using cascade::Level;

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json level_json(const std::optional<Level>& level) {
  return level ? Json(cascade::level_name(*level)) : Json(nullptr);
}

template <typename Value>
Json optional_json(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// What follows throws nlohmann's exceptions for whatever is not as it should be; the two readers at
// the end turn them into errors.

Level level_of(const Json& json) {
  const auto level = cascade::parse_level(json.get<std::string>());
  if (!level) throw std::invalid_argument("no such tier");
  return *level;
}

std::optional<Level> optional_level(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(level_of(json));
}

std::optional<double> optional_number(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(json.get<double>());
}

// NaN and infinity go as null.
double number_or_nan(const Json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

cascade::Decision decision_of(const std::string& name) {
  using cascade::Decision;
  for (const Decision one : {Decision::Accept, Decision::Escalate, Decision::Abstain,
                             Decision::Fail, Decision::Skip, Decision::Interrupt}) {
    if (cascade::decision_name(one) == name) return one;
  }
  throw std::invalid_argument("no such decision");
}

std::optional<ErrorCode> error_of(const Json& json) {
  if (json.is_null()) return std::nullopt;
  const auto name = json.get<std::string>();
  for (int i = 0; i <= static_cast<int>(ErrorCode::Internal); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    if (error_code_name(code) == name) return code;
  }
  return ErrorCode::Internal;
}

cascade::Evidence evidence_of(const Json& json) {
  cascade::Evidence evidence;
  for (const auto& [name, value] : json.items()) {
    if (value.is_boolean()) {
      evidence.set(name, value.get<bool>());
    } else if (value.is_string()) {
      evidence.set(name, value.get<std::string>());
    } else {
      evidence.set(name, number_or_nan(value));
    }
  }
  return evidence;
}

cascade::SpentHeadstart headstart_of(const Json& json) {
  cascade::SpentHeadstart spent;
  spent.level = level_of(json.at("tier"));
  spent.used = json.at("used").get<bool>();
  spent.report = {.seconds = number_or_nan(json.at("seconds")),
                  .load_seconds = number_or_nan(json.at("load_seconds")),
                  .tokens = json.at("tokens").get<int64_t>(),
                  .complete = json.at("complete").get<bool>(),
                  .problem = json.at("problem").get<std::string>()};
  return spent;
}

Json wire_step(const cascade::Step& step) {
  Json json = service::step_json(step);
  json["finish"] = static_cast<int>(step.attempt.finish);
  json["certificate"] = step.certificate;
  return json;
}

cascade::Step step_of(const Json& json) {
  cascade::Step step;
  step.level = level_of(json.at("tier"));
  step.decision = decision_of(json.at("decision").get<std::string>());
  step.reason = json.at("reason").get<std::string>();
  step.error = error_of(json.at("error"));
  step.confidence = optional_number(json.at("confidence"));
  step.calibrated = json.at("calibrated").get<bool>();
  step.certified = json.at("certified").get<bool>();
  step.certificate = json.at("certificate").get<std::string>();
  step.threshold = optional_number(json.at("threshold"));
  step.propensity = number_or_nan(json.at("propensity"));
  step.seconds = number_or_nan(json.at("seconds"));
  if (json.contains("headstart")) step.headstart = headstart_of(json.at("headstart"));
  cascade::Attempt& attempt = step.attempt;
  attempt.source = json.at("source").get<std::string>();
  attempt.notice = json.at("notice").get<std::string>();
  attempt.group = json.at("group").get<std::string>();
  attempt.evidence = evidence_of(json.at("evidence"));
  attempt.answered = !json.at("answer").is_null();
  if (attempt.answered) attempt.answer = json.at("answer").get<std::string>();
  const int finish = json.at("finish").get<int>();
  if (finish < 0 || finish > static_cast<int>(cascade::Finish::Abandoned)) {
    throw std::invalid_argument("no such end");
  }
  attempt.finish = static_cast<cascade::Finish>(finish);
  const Json& cost = json.at("cost");
  attempt.cost.prompt_tokens = cost.at("prompt_tokens").get<int64_t>();
  attempt.cost.completion_tokens = cost.at("completion_tokens").get<int64_t>();
  attempt.cost.prefill_seconds = number_or_nan(cost.at("prefill_seconds"));
  attempt.cost.decode_seconds = number_or_nan(cost.at("decode_seconds"));
  attempt.cost.load_seconds = number_or_nan(cost.at("load_seconds"));
  attempt.cost.dollars = optional_number(cost.at("dollars"));
  return step;
}

cascade::Reply reply_of(const Json& json) {
  cascade::Reply reply;
  reply.id = json.at("id").get<std::string>();
  for (const Json& step : json.at("trace")) reply.trace.push_back(step_of(step));
  if (!json.at("winner").is_null()) {
    reply.winner = json.at("winner").get<size_t>();
    if (*reply.winner >= reply.trace.size()) throw std::out_of_range("no such step");
  }
  reply.sure = json.at("sure").get<bool>();
  reply.interrupted = json.at("interrupted").get<bool>();
  return reply;
}

Json request_json(const cascade::Request& request) {
  Json messages = Json::array();
  for (const cascade::Message& one : request.messages) {
    messages.push_back({{"role", static_cast<int>(one.role)}, {"content", one.content}});
  }
  Json files = Json::array();
  for (const cascade::ContextFile& one : request.files) {
    files.push_back({{"path", one.path}, {"content", one.content}});
  }
  Json thresholds = Json::object();
  for (const auto& [level, value] : request.level_thresholds) {
    thresholds[std::string(cascade::level_name(level))] = value;
  }
  Json of_routes = Json::object();
  for (const auto& [level, routes] : request.route_thresholds) {
    of_routes[std::string(cascade::level_name(level))] = routes;
  }
  return {{"messages", std::move(messages)},
          {"files", std::move(files)},
          {"temperature", request.sampling.temperature},
          {"seed", request.sampling.seed},
          {"tokens_max", request.sampling.tokens_max},
          {"stop", request.sampling.stop},
          {"only_level", level_json(request.only_level)},
          {"level_max", level_json(request.level_max)},
          {"level_min", level_json(request.level_min)},
          {"offline", request.offline},
          {"threshold", optional_json(request.threshold)},
          {"thresholds", std::move(thresholds)},
          {"route_thresholds", std::move(of_routes)}};
}

cascade::Request request_of(const Json& json) {
  cascade::Request request;
  for (const Json& one : json.at("messages")) {
    const int role = one.at("role").get<int>();
    if (role < 0 || role > static_cast<int>(cascade::Role::Assistant)) {
      throw std::invalid_argument("no such role");
    }
    request.messages.push_back(
        {static_cast<cascade::Role>(role), one.at("content").get<std::string>()});
  }
  if (request.messages.empty()) throw std::invalid_argument("no message");
  for (const Json& one : json.at("files")) {
    request.files.push_back(
        {one.at("path").get<std::string>(), one.at("content").get<std::string>()});
  }
  request.sampling.temperature = json.at("temperature").get<double>();
  request.sampling.seed = json.at("seed").get<uint32_t>();
  request.sampling.tokens_max = json.at("tokens_max").get<int>();
  request.sampling.stop = json.at("stop").get<std::vector<std::string>>();
  request.only_level = optional_level(json.at("only_level"));
  request.level_max = optional_level(json.at("level_max"));
  request.level_min = optional_level(json.at("level_min"));
  request.offline = json.at("offline").get<bool>();
  request.threshold = optional_number(json.at("threshold"));
  for (const auto& [name, value] : json.at("thresholds").items()) {
    request.level_thresholds[level_of(name)] = value.get<double>();
  }
  for (const auto& [name, routes] : json.at("route_thresholds").items()) {
    request.route_thresholds[level_of(name)] = routes.get<std::map<std::string, double>>();
  }
  return request;
}

Event event_of(const Json& json) {
  using Kind = Event::Kind;
  constexpr std::array<std::pair<const char*, Kind>, 6> kKinds = {
      {{"accepted", Kind::Accepted}, {"started", Kind::Started}, {"text", Kind::Text},
       {"step", Kind::Step}, {"reply", Kind::Reply}, {"refused", Kind::Refused}}};
  for (const auto& [name, kind] : kKinds) {
    if (!json.contains(name)) continue;
    Event event;
    event.kind = kind;
    if (kind == Kind::Step) {
      event.step = step_of(json.at(name));
    } else if (kind == Kind::Reply) {
      event.reply = reply_of(json.at(name));
      event.notices = json.at("notices").get<std::vector<std::string>>();
    } else {
      event.text = json.at(name).get<std::string>();
      if (kind == Kind::Started || kind == Kind::Text) event.level = level_of(json.at("tier"));
    }
    return event;
  }
  throw std::invalid_argument("no known event");
}

}  // namespace

Result<std::string> question_text(const Question& question, const service::Footing& footing) {
  const Json json = {{"request", request_json(question.request)},
                     {"folder", question.folder},
                     {"shown", question.shown},
                     {"footing", footing}};
  try {
    return json.dump();
  } catch (const Json::exception&) {
    return Error{ErrorCode::Unsupported, "a path here is not UTF-8", "", ""};
  }
}

service::Footing read_footing(const Json& question) {
  service::Footing footing;
  const auto given = question.find("footing");
  if (given == question.end() || !given->is_object()) return footing;
  for (const auto& [name, text] : given->items()) {
    if (text.is_string()) footing[name] = text.get<std::string>();
  }
  return footing;
}

Result<Question> read_question(const Json& question) {
  try {
    return Question{request_of(question.at("request")), question.at("folder").get<std::string>(),
                    question.at("shown").get<bool>()};
  } catch (const std::exception& problem) {
    return Error{ErrorCode::InvalidArgument, problem.what(), "the question", ""};
  }
}

std::string accepted_line(const std::string& id) { return line_of({{"accepted", id}}); }

std::string started_line(Level level, std::string_view source) {
  return line_of({{"started", source}, {"tier", cascade::level_name(level)}});
}

std::string text_line(Level level, std::string_view piece) {
  return line_of({{"text", piece}, {"tier", cascade::level_name(level)}});
}

std::string step_line(const cascade::Step& step) { return line_of({{"step", wire_step(step)}}); }

std::string reply_line(const cascade::Reply& reply, const std::vector<std::string>& notices) {
  Json trace = Json::array();
  for (const cascade::Step& step : reply.trace) trace.push_back(wire_step(step));
  return line_of({{"reply",
                   {{"id", reply.id},
                    {"trace", std::move(trace)},
                    {"winner", optional_json(reply.winner)},
                    {"sure", reply.sure},
                    {"interrupted", reply.interrupted}}},
                  {"notices", notices}});
}

std::string refused_line(std::string_view why) { return line_of({{"refused", why}}); }

Result<Event> read_event(std::string_view line) {
  try {
    return event_of(Json::parse(line));
  } catch (const std::exception& problem) {
    return Error{ErrorCode::Corrupt, problem.what(), "the server's reply", ""};
  }
}

}  // namespace tinyarms::resident
