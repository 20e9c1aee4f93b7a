// What the page shows beside answers. Figures are sums over everybody's questions and ask for the
// scope of /metrics; single decisions are somebody's, and with keys only an administrator's.
#include <charconv>
#include <limits>

#include "door/page_routes.h"
#include "openai/field_reader.h"
#include "service/holdings.h"
#include "telemetry/period.h"
#include "telemetry/usage_report.h"

namespace tinyarms::door {
namespace {

using openai::OrderedJson;
using telemetry::Counted;

constexpr size_t kMoments = 48;
constexpr int64_t kDecisionsShown = 50;
constexpr int64_t kDecisionsShownMax = 500;

// The value of one field of "a=1&b=2"; none of ours needs an escape.
std::string_view query_field(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view one = query.substr(0, end);
    const size_t equals = one.find('=');
    if (equals != std::string_view::npos && one.substr(0, equals) == name) {
      return one.substr(equals + 1);
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return {};
}

// On the back room's thread, where the disk may be read.
void in_back_room(const Office& office, const Call& call, std::function<void()> errand) {
  if (!office.room.submit(std::move(errand))) {
    call.fail(openai::busy("figures are being made for too many others", 1));
  }
}

// Decisions of the time that `since` asks for, oldest first.
struct Chosen {
  std::vector<Counted> decisions;
  double since = 0;
  double until = 0;
};

Result<Chosen> choose(const Office& office, const Call& call) {
  Chosen chosen{.decisions = {}, .until = office.clock.wall_seconds()};
  const std::string_view since = query_field(call.request().query, "since");
  if (!since.empty()) {
    auto seconds = telemetry::parse_period(since);
    if (!seconds) {
      Error error = seconds.error();
      error.where = "since";
      return error;
    }
    chosen.since = chosen.until - *seconds;
  }
  auto all = office.book.counted(*office.settings.get());
  if (!all) return all.error();
  for (const Counted& one : **all) {
    if (one.at >= chosen.since) chosen.decisions.push_back(one);
  }
  if (since.empty()) {
    chosen.since = chosen.decisions.empty() ? chosen.until : chosen.decisions.front().at;
  }
  return chosen;
}

OrderedJson thresholds_json(const service::Settings& settings) {
  auto thresholds = service::default_thresholds();
  for (const auto& [level, value] : service::set_thresholds(settings)) thresholds[level] = value;
  OrderedJson json = OrderedJson::object();
  for (const auto& [level, value] : thresholds) {
    json[std::string(cascade::level_name(level))] = settings.confidence_threshold.value_or(value);
  }
  return json;
}

void show_stats(const Office& office, const Call& call) {
  auto chosen = choose(office, call);
  if (!chosen) return call.fail(openai::api_error(chosen.error()));
  const auto& decisions = chosen->decisions;
  const auto settings = office.settings.get();
  const auto usage = telemetry::usage_of(decisions, chosen->since, chosen->until);
  OrderedJson json = telemetry::usage_json(usage, telemetry::advice_of(usage, decisions));
  json["logged"] = settings->log.decisions;
  json["thresholds"] = thresholds_json(*settings);
  json["offline"] = settings->offline;
  json["timeline"] = telemetry::timeline_json(
      telemetry::timeline(decisions, chosen->since, chosen->until, kMoments));
  json["outcomes"] = telemetry::outcomes_json(telemetry::outcomes_of(decisions));
  call.send(json);
}

void show_decisions(const Office& office, const Call& call) {
  const std::string_view text = query_field(call.request().query, "limit");
  int64_t limit = kDecisionsShown;
  if (!text.empty()) {
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, limit);
    if (read.ec != std::errc() || read.ptr != end || limit < 1 || limit > kDecisionsShownMax) {
      return call.fail(openai::bad_request("limit is a number from 1 to 500", "limit"));
    }
  }
  auto chosen = choose(office, call);
  if (!chosen) return call.fail(openai::api_error(chosen.error()));
  OrderedJson list = OrderedJson::array();
  for (auto one = chosen->decisions.rbegin();
       one != chosen->decisions.rend() && static_cast<int64_t>(list.size()) < limit; ++one) {
    list.push_back(telemetry::decision_json(*one));
  }
  call.send(OrderedJson{{"logged", office.settings.get()->log.decisions},
                        {"decisions", std::move(list)}});
}

// {"thresholds": {"l2": 0.4}}
void show_replay(const Office& office, const Call& call) {
  auto body = openai::parse_body(call.request().body);
  if (!body) return call.fail(openai::api_error(body.error()));
  openai::FieldReader reader(*body, "");
  std::map<cascade::Level, double> thresholds;
  if (const openai::Json* object = reader.object("thresholds")) {
    openai::FieldReader inner(*object, "thresholds");
    for (const cascade::Level level : cascade::kLevels) {
      if (auto value = inner.number(cascade::level_name(level), 0, 1)) thresholds[level] = *value;
    }
    if (inner.error()) reader.adopt(*inner.error());
  }
  if (reader.error()) return call.fail(openai::api_error(*reader.error()));
  if (thresholds.empty()) {
    return call.fail(openai::bad_request("name a threshold: {\"thresholds\": {\"l2\": 0.4}}",
                                         "thresholds"));
  }
  in_back_room(office, call, [office, call, thresholds] {
    auto report = office.book.what_if(*office.settings.get(), thresholds);
    if (!report) return call.fail(openai::api_error(report.error()));
    call.send(http::Response{200, "application/json", service::replay_json(*report)});
  });
}

// {"id": "…", "good": true}
void take_feedback(const Office& office, const Call& call) {
  auto body = openai::parse_body(call.request().body);
  if (!body) return call.fail(openai::api_error(body.error()));
  openai::FieldReader reader(*body, "");
  const auto id = reader.text("id");
  const auto good = reader.flag("good");
  if (reader.error()) return call.fail(openai::api_error(*reader.error()));
  if (!id || id->empty()) return call.fail(openai::bad_request("which decision?", "id"));
  if (!good) return call.fail(openai::bad_request("true or false", "good"));
  in_back_room(office, call, [office, call, id = *id, good = *good] {
    auto done = office.book.judge(*office.settings.get(), id, good);
    if (!done) {
      openai::ApiError error = openai::api_error(done.error());
      if (done.error().code == ErrorCode::NotFound) error.status = 404;
      return call.fail(error);
    }
    call.send(OrderedJson{{"id", id}, {"good", good}, {"forgotten", !done->entry.empty()}});
  });
}

}  // namespace

void add_figure_routes(Door& door, const Office& office) {
  const auto deferred = [office](void (*show)(const Office&, const Call&)) {
    return [office, show](const Call& call) {
      in_back_room(office, call, [office, show, call] { show(office, call); });
    };
  };
  door.add({"GET", "/v1/tinyarms/stats", Scope::Metrics, deferred(show_stats)});
  door.add({"GET", "/v1/tinyarms/decisions", Scope::Admin, deferred(show_decisions)});
  door.add({"GET", "/v1/tinyarms/models", Scope::Models,
            deferred([](const Office& all, const Call& call) {
              call.send(service::memory_json(*all.settings.get(), all.paths, all.clock));
            })});
  door.add({"GET", "/v1/tinyarms/stores", Scope::Metrics,
            deferred([](const Office& all, const Call& call) {
              call.send(service::stores_json(*all.settings.get(), all.paths, all.clock));
            })});
  door.add({"POST", "/v1/tinyarms/replay", Scope::Metrics,
            [office](const Call& call) { show_replay(office, call); }});
  door.add({"POST", "/v1/tinyarms/feedback", Scope::Chat,
            [office](const Call& call) { take_feedback(office, call); }});
}

}  // namespace tinyarms::door
