#include "door/own_routes.h"

#include <map>
#include <mutex>
#include <utility>

#include "openai/field_reader.h"
#include "resident/wire.h"

namespace tinyarms::door {
namespace {

// The questions under way, so that one can be stopped and still sends what there is.
class UnderWay {
 public:
  void add(const std::string& id, std::shared_ptr<StopFlag> flag) {
    const std::lock_guard lock(mutex_);
    flags_[id] = std::move(flag);
  }
  void remove(const std::string& id) {
    const std::lock_guard lock(mutex_);
    flags_.erase(id);
  }
  void stop(const std::string& id) {
    const std::lock_guard lock(mutex_);
    if (const auto found = flags_.find(id); found != flags_.end()) found->second->raise();
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<StopFlag>> flags_;
};

// One question: its events as lines, as they happen.
class OwnInquiry final : public Climber {
 public:
  OwnInquiry(const Kitchen& kitchen, Call call, resident::Question question,
             std::shared_ptr<UnderWay> under_way)
      : kitchen_(kitchen),
        call_(std::move(call)),
        request_(std::move(question.request)),
        shown_(question.shown),
        under_way_(std::move(under_way)) {
    under_way_->add(call_.id(), call_.stop_flag());
    call_.begin_lines(resident::accepted_line(call_.id()));
  }
  ~OwnInquiry() override { end(); }  // where it was stopped before its turn

  const cascade::Request& request() const { return request_; }

  // Into a pipe nothing shows before it is whole: another engine may answer anew then.
  bool shows(cascade::Level) const override { return shown_; }
  void tier_started(cascade::Level level, std::string_view source) override {
    call_.write(resident::started_line(level, source));
  }
  void text_generated(cascade::Level level, std::string_view piece) override {
    call_.write(resident::text_line(level, piece));
  }
  void step_finished(const cascade::Step& step) override {
    call_.write(resident::step_line(step));
  }
  void refused() override {
    kitchen_.counts.failed.fetch_add(1, std::memory_order_relaxed);
    call_.write(resident::refused_line("the running server is at its limit"));
    end();
  }
  void finished(cascade::Reply reply) override {
    count_climb(kitchen_, request_, reply, call_.id());
    if (reply.step() == nullptr) kitchen_.counts.failed.fetch_add(1, std::memory_order_relaxed);
    call_.write(resident::reply_line(reply, kitchen_.climbs.notices()));
    end();
  }

 private:
  // From the thread that wrote, so that nothing overtakes what it wrote: the last to let go of this
  // may be the connection's own.
  void end() {
    if (std::exchange(ended_, true)) return;
    under_way_->remove(call_.id());
    call_.end();
  }

  Kitchen kitchen_;
  Call call_;
  cascade::Request request_;
  bool shown_;
  std::shared_ptr<UnderWay> under_way_;
  bool ended_ = false;
};

void take_question(const OwnDesk& desk, const std::shared_ptr<UnderWay>& under_way,
                   const Call& call) {
  // Of another version, it may not even say what it wants in the same words: its footing tells.
  auto body = openai::parse_body(call.request().body);
  if (!body) return call.fail(openai::api_error(body.error()));
  const auto names = service::differences(resident::read_footing(*body), *desk.footing());
  if (!names.empty()) {
    openai::OrderedJson json =
        openai::error_json(openai::of_status(409, "another configuration is in force here"));
    json["differences"] = names;
    return call.send(http::Response{409, "application/json", openai::text_of(json)});
  }
  auto question = resident::read_question(*body);
  if (!question) return call.fail(openai::api_error(question.error()));
  question->request.provenance = provenance_of(desk.kitchen, call);
  question->request.folder = std::move(question->folder);
  auto inquiry = std::make_shared<OwnInquiry>(desk.kitchen, call, std::move(*question), under_way);
  Climb climb{.request = inquiry->request(),
              .stop = call.gone(),
              .climber = inquiry};
  if (!desk.kitchen.climbs.submit(std::move(climb))) inquiry->refused();
}

void stop_question(UnderWay& under_way, const Call& call) {
  auto body = openai::parse_body(call.request().body);
  if (!body) return call.fail(openai::api_error(body.error()));
  openai::FieldReader reader(*body, "");
  const auto id = reader.text("id");
  if (reader.error()) return call.fail(openai::api_error(*reader.error()));
  under_way.stop(id.value_or(""));
  call.send(openai::OrderedJson{{"stopped", true}});
}

}  // namespace

void add_own_routes(Door& door, const OwnDesk& desk) {
  const auto under_way = std::make_shared<UnderWay>();
  door.add({"POST", std::string(resident::kAskPath), Scope::Own,
            [desk, under_way](const Call& call) { take_question(desk, under_way, call); }});
  door.add({"POST", std::string(resident::kStopAskingPath), Scope::Own,
            [under_way](const Call& call) { stop_question(*under_way, call); }});
  door.add({"GET", std::string(resident::kServerPath), Scope::Own,
            [desk](const Call& call) { call.send(desk.facts()); }});
  door.add({"POST", std::string(resident::kStopServerPath), Scope::Own, [desk](const Call& call) {
              call.send(openai::OrderedJson{{"stopping", true}});
              desk.stop();
            }});
}

}  // namespace tinyarms::door
