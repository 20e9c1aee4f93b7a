#include "service/shadow_check.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sandbox/bubblewrap_judge.h"
#include "service/judgement.h"
#include "signals/agreement.h"

namespace tinyarms::service {
namespace {

using Json = nlohmann::ordered_json;
using cascade::Level;

constexpr size_t kWaitingBytesMax = 64 << 10;

struct Case {
  cascade::Request request;
  Level level = Level::L2;
  std::string answer;
};

const char* role_name(cascade::Role role) {
  switch (role) {
    case cascade::Role::System: return "system";
    case cascade::Role::User: return "user";
    case cascade::Role::Assistant: return "assistant";
    case cascade::Role::Tool: return "tool";
  }
  return "user";
}

cascade::Role role_of(const std::string& name) {
  if (name == "system") return cascade::Role::System;
  return name == "assistant" ? cascade::Role::Assistant : cascade::Role::User;
}

// What was written by this program; anything else is no case.
std::optional<Case> read_case(const std::string& text, const Settings& settings) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  Case read;
  read.request = make_request(settings);
  read.request.ask_for(std::nullopt);
  try {
    const auto level = cascade::parse_level(json.at("level").get<std::string>());
    if (!level) return std::nullopt;
    read.level = *level;
    json.at("answer").get_to(read.answer);
    read.request.sampling.tokens_max = json.at("tokens_max").get<int>();
    for (const Json& message : json.at("messages")) {
      read.request.messages.push_back({role_of(message.at("role")), message.at("content")});
    }
    for (const Json& file : json.at("files")) {
      read.request.files.push_back({file.at("path"), file.at("content")});
    }
  } catch (const Json::exception&) {
    return std::nullopt;
  }
  if (read.request.messages.empty() || read.request.sampling.tokens_max < 1) return std::nullopt;
  return read;
}

// The next tier that is set up, if there is one.
std::optional<Level> next_level(Level level, const Settings& settings) {
  if (level < Level::L3 && settings.l3.enabled && !settings.l3.model.empty()) return Level::L3;
  if (level < Level::L4 && !settings.offline && !settings.l4.urls.empty()) return Level::L4;
  return std::nullopt;
}

// Nothing of a check may look like a question of the user.
Settings quiet(Settings settings) {
  settings.log.decisions = false;
  settings.shadow.share = 0;
  settings.l1.cache = false;
  settings.policy.explore = 0;
  settings.signals.enabled.clear();
  settings.sampling.temperature = 0;
  return settings;
}

std::optional<bool> yes_or_no(std::string_view reply) {
  std::string word;
  for (const char c : reply) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter) {
      word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!word.empty()) {
      break;
    }
  }
  if (word == "yes") return true;
  if (word == "no") return false;
  return std::nullopt;
}

}  // namespace

std::string shadow_record(const cascade::Request& request, const cascade::Reply& reply) {
  const cascade::Step* step = reply.step();
  const bool generated = step != nullptr && reply.sure && step->level >= Level::L2 &&
                         step->attempt.finish != cascade::Finish::Interrupted;
  // Whoever checks is asked a plain question.
  if (!generated || request.only_level || request.made_to_order) return {};
  Json messages = Json::array();
  for (const cascade::Message& message : request.messages) {
    messages.push_back({{"role", role_name(message.role)}, {"content", message.content}});
  }
  Json files = Json::array();
  for (const cascade::ContextFile& file : request.files) {
    files.push_back({{"path", file.path}, {"content", file.content}});
  }
  const Json json = {{"level", cascade::level_name(step->level)},
                     {"answer", step->attempt.answer},
                     {"tokens_max", request.sampling.tokens_max},
                     {"messages", std::move(messages)},
                     {"files", std::move(files)}};
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() <= kWaitingBytesMax ? text : std::string();
}

struct ShadowChecker::Parts {
  Settings settings;
  Surroundings around;
  std::unique_ptr<storage::DecisionLog> log;
  Assistant assistant;
  std::unique_ptr<sandbox::Judge> judge;

  Parts(const Settings& own, const Surroundings& surroundings,
        std::unique_ptr<storage::DecisionLog> opened)
      : settings(quiet(own)),
        around(surroundings),
        log(std::move(opened)),
        assistant(settings, surroundings),
        judge(sandbox::make_judge()) {}

  Result<std::string> ask(cascade::Request request, Level level, const StopFlag& stop) {
    request.only_level = level;
    cascade::Listener nobody;
    const cascade::Reply reply = assistant.ask(request, stop, nobody);
    if (reply.interrupted || stop.raised()) {
      return Error{ErrorCode::Interrupted, "stopped", "", ""};
    }
    if (const cascade::Step* step = reply.step()) return step->attempt.answer;
    const std::string why = reply.trace.empty() ? "" : reply.trace.back().reason;
    return Error{ErrorCode::Unavailable,
                 fmt::format("{} gave no answer to check with", cascade::level_name(level)), "",
                 why};
  }

  // Agreement where the two can be compared, else the higher tier's word.
  Result<void> decide(const Case& kept, const StopFlag& stop, ShadowVerdict& verdict) {
    auto answer = ask(kept.request, verdict.by, stop);
    if (!answer) return answer.error();
    const std::string& question = kept.request.question();
    auto own = signals::answer_key(question, kept.answer, judge.get());
    if (!own) return own.error();
    auto other = signals::answer_key(question, *answer, judge.get());
    if (!other) return other.error();
    using Kind = signals::AnswerKey::Kind;
    const bool comparable = own->kind == other->kind &&
                            (own->kind == Kind::Behaviour || own->kind == Kind::Number);
    const bool equal = signals::agreement(*own, *other) == 1;
    if (comparable || equal) {
      verdict.good = equal;
      verdict.how = fmt::format("{} {}", equal ? "agrees in" : "differs in",
                                own->kind == Kind::Behaviour ? "what the code does on the examples"
                                : own->kind == Kind::Number  ? "the number"
                                                             : "its words");
      return {};
    }
    cascade::Request opinion = kept.request;
    opinion.messages = {{cascade::Role::User,
                         fmt::format("Question:\n{}\n\nProposed answer:\n{}\n\nIs the proposed "
                                     "answer correct? Reply with one word, Yes or No.",
                                     question, kept.answer)}};
    opinion.sampling.tokens_max = 8;
    auto word = ask(std::move(opinion), verdict.by, stop);
    if (!word) return word.error();
    verdict.good = yes_or_no(*word);
    verdict.how = verdict.good ? (*verdict.good ? "is called right" : "is called wrong")
                               : "is neither called right nor wrong";
    return {};
  }
};

ShadowChecker::ShadowChecker(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ShadowChecker::~ShadowChecker() = default;

Result<std::unique_ptr<ShadowChecker>> ShadowChecker::open(const Settings& settings,
                                                           const Surroundings& surroundings) {
  auto log = storage::DecisionLog::open_existing(decision_log_path(surroundings.paths),
                                                 surroundings.clock);
  if (!log) return log.error();
  auto parts = std::make_unique<Parts>(settings, surroundings, std::move(*log));
  return std::unique_ptr<ShadowChecker>(new ShadowChecker(std::move(parts)));
}

Result<std::optional<ShadowVerdict>> ShadowChecker::check_next(const StopFlag& stop) {
  auto waiting = parts_->log->oldest_shadow();
  if (!waiting) return waiting.error();
  if (!*waiting) return std::optional<ShadowVerdict>();
  ShadowVerdict verdict{.id = (*waiting)->id};
  const auto kept = read_case((*waiting)->text, parts_->settings);
  if (!kept) {
    verdict.how = "what was kept of it cannot be read";
  } else if (const auto by = next_level(kept->level, parts_->settings); !by) {
    return Error{ErrorCode::Unavailable,
                 fmt::format("there is no tier above {} to check with",
                             cascade::level_name(kept->level)),
                 "", "set l3.model, or l4.url with offline = false"};
  } else {
    verdict.level = kept->level;
    verdict.by = *by;
    if (auto decided = parts_->decide(*kept, stop, verdict); !decided) return decided.error();
  }
  auto settled = parts_->log->settle_shadow(verdict.id, verdict.good);
  if (!settled) return settled.error();
  return std::optional(std::move(verdict));
}

Result<int64_t> ShadowChecker::waiting() { return parts_->log->shadows_waiting(); }

Result<std::vector<Watched>> ShadowChecker::watch() {
  std::vector<std::string> ignored;
  auto estimator =
      CalibratedEstimator::load(parts_->settings.calibration.files, false, ignored);
  return watch_promises(estimator, *parts_->log);
}

}  // namespace tinyarms::service
