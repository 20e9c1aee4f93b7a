// Requests for an answer, whichever API they came through: what they ask for becomes a climb of
// the cascade, and what comes of it goes back by that API's writer, at once or as a stream.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "door/call.h"
#include "door/climbs.h"
#include "door/model_names.h"
#include "openai/chat.h"
#include "openai/reply_writer.h"
#include "service/settings.h"
#include "service/trace_export.h"

namespace tinyarms::door {

class Encoders;

// The settings in force, replaced as one when they are read again. Thread-safe.
class LiveSettings {
 public:
  explicit LiveSettings(service::Settings settings)
      : now_(std::make_shared<const service::Settings>(std::move(settings))) {}
  std::shared_ptr<const service::Settings> get() const {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  void set(service::Settings settings) {
    auto next = std::make_shared<const service::Settings>(std::move(settings));
    const std::lock_guard lock(mutex_);
    now_ = std::move(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const service::Settings> now_;
};

struct AnswerCounts {
  std::atomic<uint64_t> by_level[5] = {};
  std::atomic<uint64_t> failed{0};
  std::atomic<uint64_t> prompt_tokens{0};
  std::atomic<uint64_t> completion_tokens{0};
};

// What the answering routes share; outlives every answer under way. Thread-safe.
struct Kitchen {
  Climbs& climbs;
  Encoders& encoders;
  const ModelNames& models;
  const LiveSettings& settings;
  const Clock& clock;
  AnswerCounts& counts;
  std::string fingerprint;  // of the build
  // Told of every climb that was not logged, under the call's id.
  std::function<void(const cascade::Request&, const cascade::Reply&, const std::string&)>
      unlogged = {};
  const service::TraceExport* traces = nullptr;  // null: nobody is told of climbs
};

// Whose question it is: the call's id, and the trace that its `traceparent` says it is part of.
cascade::Provenance provenance_of(const Kitchen& kitchen, const Call& call);
// The same question, asked once more: a span of its own.
void begin_again(const Kitchen& kitchen, cascade::Provenance& provenance);

// Reads the x-tinyarms-* headers over `request.wishes`, then answers or fails the call.
void answer(const Kitchen& kitchen, const Call& call, openai::ChatRequest request,
            std::unique_ptr<openai::ReplyWriter> writer);

// What the client asks for as a request to the cascade. Errors as the client expects them.
std::optional<openai::ApiError> to_climb(const Kitchen& kitchen, const Caller& caller,
                                         const openai::ChatRequest& request,
                                         cascade::Request& climb);

// Adds a climb to the counts, and tells of it where it was not logged.
void count_climb(const Kitchen& kitchen, const cascade::Request& climb,
                 const cascade::Reply& reply, const std::string& id);

// The `tinyarms` object of a reply, and the headers that say the same.
openai::OrderedJson reply_facts(const cascade::Reply& reply, const std::string& trace_id,
                                bool with_trace);
std::vector<http::Header> reply_headers(const cascade::Reply& reply, const std::string& trace_id);

// Why nobody answered. `retry_after`: seconds, where that is that a model is overloaded.
openai::ApiError no_answer(const cascade::Reply& reply, int retry_after);

}  // namespace tinyarms::door
