#include "resident/client.h"

#include <fmt/format.h>
#include <poll.h>

#include <chrono>

#include "http/local_client.h"
#include "resident/announcement.h"
#include "resident/wire.h"

namespace tinyarms::resident {
namespace {

using Json = nlohmann::ordered_json;
using Steady = std::chrono::steady_clock;

constexpr double kPatienceSeconds = 2;      // until the server has read a question
constexpr double kStopPatienceSeconds = 3;  // until a stopped answer ends
constexpr double kQueuedSeconds = 1;
constexpr size_t kNamesShown = 4;

double seconds_since(Steady::time_point moment) {
  return std::chrono::duration<double>(Steady::now() - moment).count();
}

std::string id_text(const std::string& id) { return Json{{"id", id}}.dump(); }

// A failed connection in words; what a dead server left is cleared away.
Error explained(const Error& error, const Place& place, bool accepted) {
  if (error.code == ErrorCode::Unavailable && !accepted) {
    bool removed = false;
    if (!is_held(place, removed)) {
      if (!removed) return Error{ErrorCode::NotFound, "no server runs", "", ""};
      return Error{ErrorCode::Unavailable, "the server that was announced here has gone", "", ""};
    }
    return Error{ErrorCode::Unavailable, "the running server does not answer", "", ""};
  }
  if (error.code == ErrorCode::NotFound || error.code == ErrorCode::Interrupted) return error;
  if (error.code == ErrorCode::Io) {
    return Error{ErrorCode::Unavailable, "the running server ended before its answer was whole", "",
                 ""};
  }
  return Error{error.code, "the running server cannot be asked: " + error.what, "", ""};
}

// Why it would not take the question.
Error refusal(const http::LocalReply& reply) {
  const Json json = Json::parse(reply.body, nullptr, false);
  if (reply.status == 409 && json.is_object() && json.contains("differences") &&
      json["differences"].is_array()) {
    std::string names;
    size_t count = 0;
    for (const Json& name : json["differences"]) {
      if (!name.is_string()) continue;
      if (++count <= kNamesShown) {
        names += (names.empty() ? "" : ", ") + name.get<std::string>();
      }
    }
    if (count > kNamesShown) names += fmt::format(" and {} more", count - kNamesShown);
    return Error{ErrorCode::Unsupported,
                 fmt::format("the running server would answer otherwise ({} differ there)", names),
                 "", ""};
  }
  const bool busy = reply.status == 429 || reply.status == 503;
  if (busy) return Error{ErrorCode::Unavailable, "the running server is at its limit", "", ""};
  if (reply.status == 413) {
    return Error{ErrorCode::Unsupported, "the running server takes no question that long", "", ""};
  }
  return Error{ErrorCode::Unsupported, "the running server is of another version", "", ""};
}

// One question under way, as the pieces of its reply come in.
class Conversation {
 public:
  Conversation(const Place& place, const Client::Asking& asking)
      : place_(place), asking_(asking) {}

  bool take(std::string_view bytes) {
    buffer_ += bytes;
    size_t begin = 0;
    for (size_t end; (end = buffer_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      auto event = read_event(std::string_view(buffer_).substr(begin, end - begin));
      if (!event) {
        problem_ = Error{ErrorCode::Corrupt, "the running server answers in another way", "", ""};
        return false;
      }
      obey(std::move(*event));
    }
    buffer_.erase(0, begin);
    return go_on();
  }

  // Also while nothing comes.
  bool go_on() {
    if (!heard_ && !queued_ && seconds_since(begun_) > kQueuedSeconds) tell_queued(true);
    if (!asking_.stop.raised()) return true;
    if (!stopped_at_) {
      stopped_at_ = Steady::now();
      if (id_.empty()) return false;  // it has not read the question: hanging up is enough
      (void)http::call_local({.socket = place_.socket(),
                              .method = "POST",
                              .path = std::string(kStopAskingPath),
                              .body = id_text(id_),
                              .patience_seconds = 1});
    }
    return seconds_since(*stopped_at_) < kStopPatienceSeconds;
  }

  void tell_queued(bool now) {
    if (queued_ == now) return;
    queued_ = now;
    if (asking_.queued) asking_.queued(now);
  }

  // The reply will not come. What was shown of it so far is told to be no answer.
  void break_off(const std::string& why) {
    if (!writing_) return;
    cascade::Step step;
    step.level = *writing_;
    step.decision = cascade::Decision::Fail;
    step.reason = why;
    step.attempt.answered = true;
    asking_.listener.step_finished(step);
  }

  const std::optional<Error>& problem() const { return problem_; }
  std::optional<Served>& served() { return served_; }
  bool accepted() const { return !id_.empty(); }

 private:
  void obey(Event event) {
    if (event.kind != Event::Kind::Accepted) {
      heard_ = true;
      tell_queued(false);
    }
    switch (event.kind) {
      case Event::Kind::Accepted: id_ = std::move(event.text); break;
      case Event::Kind::Started: asking_.listener.tier_started(event.level, event.text); break;
      case Event::Kind::Text:
        writing_ = event.level;
        asking_.listener.text_generated(event.level, event.text);
        break;
      case Event::Kind::Step:
        writing_.reset();
        asking_.listener.step_finished(event.step);
        break;
      case Event::Kind::Reply:
        served_ = Served{std::move(event.reply), std::move(event.notices)};
        break;
      case Event::Kind::Refused:
        problem_ = Error{ErrorCode::Unavailable, std::move(event.text), "", ""};
        break;
    }
  }

  const Place& place_;
  const Client::Asking& asking_;
  const Steady::time_point begun_ = Steady::now();
  std::string buffer_;
  std::string id_;
  std::optional<Error> problem_;
  std::optional<Served> served_;
  std::optional<Steady::time_point> stopped_at_;
  std::optional<cascade::Level> writing_;  // whose text came, its end not yet
  bool heard_ = false;   // of the climb
  bool queued_ = false;  // told so
};

}  // namespace

Result<Served> Client::ask(const cascade::Request& request, const std::string& folder,
                           const service::Footing& footing, const Asking& asking) const {
  auto place = find_place(environment_, paths_, false);
  if (!place) return place.error();
  auto question = question_text(
      {request, folder, asking.listener.shows(cascade::Level::L4)}, footing);
  if (!question) return question.error();
  Conversation conversation(*place, asking);
  auto reply = http::call_local(
      {.socket = place->socket(),
       .method = "POST",
       .path = std::string(kAskPath),
       .body = std::move(*question),
       .patience_seconds = kPatienceSeconds},
      {.piece = [&](std::string_view bytes) { return conversation.take(bytes); },
       .waiting = [&] { return conversation.go_on(); }});
  conversation.tell_queued(false);
  if (conversation.served()) return std::move(*conversation.served());
  if (conversation.problem()) return *conversation.problem();
  if (asking.stop.raised()) return Error{ErrorCode::Interrupted, "was stopped", "", ""};
  if (reply && reply->status != 200) return refusal(*reply);
  const Error error =
      reply ? Error{ErrorCode::Unavailable,
                    "the running server ended before its answer was whole", "", ""}
            : explained(reply.error(), *place, conversation.accepted());
  conversation.break_off(error.what);
  return error;
}

Result<Json> Client::facts() const {
  auto place = find_place(environment_, paths_, false);
  if (!place) return place.error();
  auto reply = http::call_local({.socket = place->socket(),
                                 .path = std::string(kServerPath),
                                 .patience_seconds = kPatienceSeconds});
  if (!reply) return explained(reply.error(), *place, false);
  Json json = Json::parse(reply->body, nullptr, false);
  if (reply->status != 200 || !json.is_object()) return refusal(*reply);
  json["pid"] = reply->pid;
  return json;
}

Result<bool> Client::stop_server(const std::function<bool()>& go_on) const {
  auto place = find_place(environment_, paths_, false);
  if (!place) return place.error();
  auto reply = http::call_local({.socket = place->socket(),
                                 .method = "POST",
                                 .path = std::string(kStopServerPath),
                                 .body = "{}",
                                 .patience_seconds = kPatienceSeconds});
  if (!reply) return explained(reply.error(), *place, false);
  if (reply->status != 200) return refusal(*reply);
  bool removed = false;
  while (is_held(*place, removed)) {
    if (!go_on()) return false;
    ::poll(nullptr, 0, 50);
  }
  return true;
}

}  // namespace tinyarms::resident
