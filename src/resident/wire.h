// What goes over the socket between `ask` or `chat` and the server: a request with the footing it
// is asked on; then lines of JSON, one an event of its climb, the reply last. Both ends are of one
// build (the footing sees to that), so nothing here is for others to rely on.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cascade/cascade.h"
#include "service/footing.h"

namespace tinyarms::resident {

inline constexpr std::string_view kAskPath = "/v1/tinyarms/own/ask";
inline constexpr std::string_view kStopAskingPath = "/v1/tinyarms/own/ask/stop";
inline constexpr std::string_view kServerPath = "/v1/tinyarms/own/server";
inline constexpr std::string_view kStopServerPath = "/v1/tinyarms/own/server/stop";

struct Question {
  cascade::Request request;
  std::string folder;  // where it is asked
  bool shown = true;   // somebody reads the answer while it is written
};

// What the command line can ask for; the rest of a Request is left as it is by default.
// Errors: Unsupported (a path that is not UTF-8).
Result<std::string> question_text(const Question& question, const service::Footing& footing);
// Of any version: what cannot be read is left out, and is a difference then.
service::Footing read_footing(const nlohmann::ordered_json& question);
// Errors: InvalidArgument.
Result<Question> read_question(const nlohmann::ordered_json& question);

// One line each, with its newline.
std::string accepted_line(const std::string& id);
std::string started_line(cascade::Level level, std::string_view source);
std::string text_line(cascade::Level level, std::string_view piece);
std::string step_line(const cascade::Step& step);
std::string reply_line(const cascade::Reply& reply, const std::vector<std::string>& notices);
std::string refused_line(std::string_view why);

struct Event {
  enum class Kind { Accepted, Started, Text, Step, Reply, Refused };
  Kind kind = Kind::Accepted;
  cascade::Level level = cascade::Level::L0;
  std::string text;  // id, source, piece, why
  cascade::Step step;
  cascade::Reply reply;
  std::vector<std::string> notices;
};

// Errors: Corrupt.
Result<Event> read_event(std::string_view line);

}  // namespace tinyarms::resident
